"""Activations: one execution of one exec node, and the context that its body sees."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, MutableMapping, Sequence
from contextlib import AbstractAsyncContextManager
from time import perf_counter
from typing import TYPE_CHECKING, Any

from trio.lowlevel import checkpoint_if_cancelled

from trioflow.errors import CoercionError, ConcurrentTrigger, NodeError, UnknownSocket
from trioflow.model.context import Branches, Context
from trioflow.runtime import demand
from trioflow.runtime.dispatch import call, dispatch
from trioflow.runtime.exits import publish_outside
from trioflow.runtime.failure import closed
from trioflow.runtime.forks import BranchesBlock, ForkSet
from trioflow.runtime.line import Line
from trioflow.runtime.ports import NOTHING, missing, value_of
from trioflow.semantics.address import attempt_mark, fired_mark
from trioflow.semantics.coercion import Mismatch
from trioflow.semantics.events import Feedback, Path, Progress
from trioflow.semantics.identity import Origin
from trioflow.semantics.plan import PlanNode, PlanStream, Target
from trioflow.semantics.store import DELETED, new_cell

if TYPE_CHECKING:
    from trioflow.model.context import FeedbackLevel, Services
    from trioflow.model.graph import GraphNode
    from trioflow.model.sockets import ErrorMode, StreamMode
    from trioflow.runtime.state import RunState
    from trioflow.runtime.strand import Strand
    from trioflow.semantics.store import Cell, Store


class StreamRun:
    """How one stream runs in one activation."""

    __slots__ = ("emits", "failures", "fired", "limit", "mode", "on_error", "plan", "targets")

    def __init__(
        self, plan: PlanStream, targets: Sequence[Target], settings: tuple[StreamMode, int | None, ErrorMode]
    ) -> None:
        self.plan = plan
        self.targets = targets
        self.mode, self.limit, self.on_error = settings
        self.emits = 0
        self.fired = False
        # Of sequential items; those of concurrent ones are with their forks.
        self.failures: list[tuple[int, Exception]] = []


class Rarely:
    """What most activations never need."""

    __slots__ = ("attempts", "fired", "forks", "kept", "moment", "moments", "random", "skipped", "streams", "writes")

    def __init__(self) -> None:
        self.forks: ForkSet | None = None
        self.moment: Cell | None = None
        # How often something that it began has come back (D6).
        self.moments = 0
        self.random: random.Random | None = None
        self.skipped: tuple[BaseException, Path] | None = None
        self.streams: tuple[StreamRun, ...] = ()
        self.writes = 0
        # The cells of its eager inputs, where several attempts are to get the same (A5). Empty until they are resolved.
        self.kept: list[Cell] | None = None
        # How often its body was run, and how many nodes were fired below it, by middlewares (A2, A4).
        self.attempts = 1
        self.fired = 0


class Activation(Line, Context):
    """One execution of one exec node (T3). It is a line itself: what it triggers is numbered by it (T8).

    Once it has closed it has no `strand` any more, so that everything that could act or look raises `NodeError`.
    """

    __slots__ = ("_rarely", "_target", "plan", "strand", "triggering")

    plan: PlanNode
    strand: Strand
    triggering: bool
    _target: Target
    _rarely: Rarely | None

    # `dispatch` sets everything: this runs once per step, and a call of __init__ would take a tenth of it.
    __init__ = object.__init__  # pyright: ignore[reportAssignmentType] - of one that is not made elsewhere

    def __repr__(self) -> str:
        return f"<activation {self.where} of {self.plan.id!r}>"

    def __getattr__(self, name: str) -> Any:
        if name == "strand":
            raise closed(self.plan.id, self.where, "activation")
        raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")

    # --- looking ---

    @property
    def node(self) -> GraphNode:
        return self.plan.graph_node

    @property
    def path(self) -> tuple[int, ...]:
        return self.where.as_tuple()

    @property
    def graph(self) -> str | None:
        try:
            strand: Strand = _strand_of(self)
        except AttributeError:
            return None  # it has closed: what is left of its path are the numbers
        return strand.frame.prefix

    @property
    def run(self) -> RunState:
        """The run."""
        return self.strand.run

    @property
    def services(self) -> Services:
        return self.strand.run.services

    @property
    def random(self) -> random.Random:
        key = self.random_key
        rarely = self.rarely
        if rarely.random is None:
            rarely.random = random.Random(key)  # R6
        return rarely.random

    @property
    def entered(self) -> str | None:
        self.strand  # noqa: B018 - raises if it has closed
        return self._target.entered

    @property
    def payload(self) -> Any:
        self.strand  # noqa: B018 - as above
        return self._target.payload

    @property
    def state(self) -> MutableMapping[str, Any]:
        return NodeState(self)

    async def get_input(self, socket: Any) -> Any:
        # Most demands find a value that is there, and cost little more than an awaited call. So what is hardly ever
        # missing is not tested: that this input was asked for before, the strand's task, which a body's own tasks have
        # none of, and a value in the cell.
        strand = self.strand
        try:
            there, exact = self.plan.asked[socket]
            if strand.task._cancel_status.effectively_cancelled:  # type: ignore[union-attr]  # pyright: ignore[reportOptionalMemberAccess]
                await checkpoint_if_cancelled()
            cell: Cell | None = strand.there[there]
            if cell is not None:
                value = cell.value
                if exact is None or type(value) is exact:
                    return value
        except (KeyError, AttributeError):
            planned = self.plan.inputs[demand.input_place(self.plan, socket)]
            self.plan.asked = {**self.plan.asked, socket: (planned.there, planned.passes)}
            await checkpoint_if_cancelled()
        plan = self.plan
        planned = plan.inputs[plan.type.input_index[socket]]
        cell = demand.look(self, planned)
        if cell is None:
            cell = await demand.evaluate(self, planned)
        if cell is NOTHING:
            raise missing(plan, planned)
        value = cell.value
        return value if planned.coercer is None or type(value) is planned.exact else value_of(planned, cell)

    async def try_get_input(self, socket: Any, default: Any = None) -> Any:
        planned = self.plan.inputs[demand.input_place(self.plan, socket)]
        await checkpoint_if_cancelled()
        cell = await demand.find(self, planned)
        return default if cell is NOTHING else value_of(planned, cell)

    def is_connected(self, socket: Any) -> bool:
        self.strand  # noqa: B018 - as above
        return demand.is_connected(self.plan, socket)

    def get_variable(self, name: str) -> Any:
        strand = self.strand
        slot = strand.frame.plan.variable_index.get(name)
        if slot is None:
            slot = demand.variable_slot(strand.frame, name)
        return strand.store.cells[slot].value

    # --- acting ---

    def set_output(self, socket: Any, value: object) -> None:
        plan = self.plan
        place = plan.type.output_index.get(socket)
        if place is None:
            place = demand.output_place(plan, socket)
        strand = self.strand
        if strand.run.data_watch is None:
            strand.store.write(plan.first_output + place, value)
        else:
            strand.store.write(plan.first_output + place, value, self._origin(plan.type.outputs[place].name))

    def set_variable(self, name: str, value: object) -> None:
        strand = self.strand
        plan = strand.frame.plan
        slot = plan.variable_index.get(name)
        if slot is None:
            slot = demand.variable_slot(strand.frame, name)
        coercer = plan.variable_coercers[slot]
        if coercer is not None and type(value) is not coercer.exact and value is not None:
            try:
                value = coercer(value)
            except Mismatch as error:
                raise CoercionError(f"Variable {name!r}: {error}.") from None
        if strand.run.data_watch is None:
            strand.store.write(slot, value)
        else:
            strand.store.write(slot, value, self._origin("$" + name))

    trigger = dispatch  # pyright: ignore[reportAssignmentType] - it calls itself `line` there

    async def emit(  # noqa: C901 - a hot path
        self, item: Any, value: Any, also: Mapping[Any, object] | None = None
    ) -> None:
        rarely: Any = self._rarely  # there is one if there are streams
        try:
            stream: StreamRun = rarely.streams[self.plan.type.stream_index[item]]
        except (KeyError, AttributeError):
            raise self._no_stream(item) from None
        strand = self.strand
        if self.triggering:
            raise self.concurrent("emit", item)
        stream.emits += 1
        try:
            if stream.mode == "sequential":
                self._write_item(item, value, also)
                line = Line(self)
                targets = stream.targets
                if not targets:
                    await checkpoint_if_cancelled()
                    return
                self.triggering = True
                try:
                    await call(self, line, targets)
                except Exception as error:
                    if stream.on_error == "fail":
                        raise
                    stream.failures.append((line.index, error))
                finally:
                    self.triggering = False
                return
            forks = rarely.forks
            limit = stream.limit
            run = strand.run
            task = strand.task
            if limit is not None and forks.in_flight >= limit:
                await forks.wait_until(lambda: forks.in_flight < limit)  # S3
            elif run.schedule is None and (stream.emits % run.options.turn_every == 0 or perf_counter() > run.turn_due):
                await run.take_turn()  # T2: a body that only emits must not starve anybody either
            elif task is None or task._cancel_status.effectively_cancelled:
                await checkpoint_if_cancelled()
            if also is None and run.data_watch is None:
                plan = self.plan
                strand.store.write(plan.first_output + plan.type.output_index[item], value)  # as `set_output` does
            else:
                self._write_item(item, value, also)
            forks.start(stream.targets, stream.on_error == "collect", stream.plan.discard)
        finally:
            if self.plan.moments:
                self.come_back()  # D6

    def configure_stream(self, item: Any, *, limit: int | None = None, on_error: ErrorMode | None = None) -> None:
        self.strand  # noqa: B018 - as above
        stream = self._stream_of(item)
        if stream.emits:
            raise NodeError(f"Node {self.plan.id!r}: configure_stream comes too late, after the first emit.")
        if limit is not None and "limit" not in stream.plan.settled:
            if limit < 0:
                raise NodeError(f"Node {self.plan.id!r}: a stream's limit is 0 (any number) or more, got {limit}.")
            stream.limit = limit or None
        if on_error is not None and "on_error" not in stream.plan.settled:
            stream.on_error = on_error

    async def join(self) -> None:
        self.strand  # noqa: B018 - as above
        await checkpoint_if_cancelled()
        forks = self.rarely.forks
        if forks is not None:
            await forks.join()

    def failures(self) -> tuple[Exception, ...]:
        self.strand  # noqa: B018 - as above
        rarely = self.rarely
        found = [failure for stream in rarely.streams for failure in stream.failures]
        if rarely.forks is not None:
            found += rarely.forks.failures
        return tuple(error for _, error in sorted(found, key=lambda each: each[0]))

    def branches(self) -> AbstractAsyncContextManager[Branches]:
        return BranchesBlock(self, self.strand)

    async def publish(self, event: str, payload: object = None) -> None:
        targets = self.strand.frame.listeners(event, payload)
        if self.triggering:
            raise self.concurrent("publish", event)
        shared = event in self.strand.frame.plan.shared
        try:
            if not targets and not shared:  # B2
                await checkpoint_if_cancelled()
                return
            self.triggering = True
            await call(self, self, targets)  # B1
            if shared:
                await publish_outside(self, event, payload)  # C7
        finally:
            self.triggering = False
            self.come_back()  # D6

    def emit_feedback(self, message: str, level: FeedbackLevel = "info", tag: object = None) -> None:
        self.run.tell(Feedback, self, self.plan.id, message, level, tag)

    def report_progress(self, done: float, total: float | None = None, message: str = "") -> None:
        self.run.tell(Progress, self, self.plan.id, done, total, message)

    # --- for the engine ---

    def attempt(self, strand: Strand) -> Activation:
        """Another attempt of this activation, at a path of its own below this one (A2). It gets the same inputs (A5).

        It is no deeper than this one, for it takes its place.
        """
        rarely = self.rarely
        rarely.attempts += 1
        other = self._beside(attempt_mark(rarely.attempts), self._target, strand)
        other.depth = self.depth
        if rarely.kept is None:
            rarely.kept = []
        other.rarely.kept = rarely.kept
        return other

    def fires(self, target: Target) -> Activation:
        """An activation below this one of a node that a middleware fires (A4)."""
        rarely = self.rarely
        rarely.fired += 1
        return self._beside(fired_mark(rarely.fired - 1), target, self.strand)

    def _beside(self, mark: int, target: Target, strand: Strand) -> Activation:
        other: Activation = _new_activation()
        other.parent = self
        other.index = mark
        other.depth = self.depth + 1
        other.count = 0
        other._where = None
        other.strand = strand
        other.plan = target.node
        other.triggering = False
        other._target = target
        other._rarely = None
        return other

    def alias(self, strand: Strand) -> Activation:
        """This very activation in another strand: at the same path, with the same random numbers and moment (A3)."""
        other = self._beside(self.index, self._target, strand)
        other.parent = self.parent
        other.depth = self.depth
        other.count = self.count
        other._where = self.where
        other._rarely = self.rarely
        return other

    @property
    def kept(self) -> list[Cell] | None:
        """The cells of its eager inputs, if they are resolved for all attempts (A5)."""
        if not self.plan.inputs:
            return []
        return (self._rarely and self._rarely.kept) or None

    @property
    def random_key(self) -> str:
        """What its random numbers are made of (R6)."""
        return f"{self.run.options.seed}/{self.where}"

    @property
    def rarely(self) -> Rarely:
        """What is made only when needed."""
        if self._rarely is None:
            self._rarely = Rarely()
        return self._rarely

    @property
    def moment(self) -> Cell:
        """The cell that volatile data nodes depend on now in this activation (D6)."""
        rarely = self.rarely
        if rarely.moment is None:
            number = f"#{rarely.moments}" if rarely.moments else ""
            rarely.moment = new_cell(None, self.run.next_serial(), f"@{self.where}{number}")
        return rarely.moment

    def come_back(self) -> None:
        """Something that it began has ended: what it asks volatile data nodes from now on, it asks afresh (D6)."""
        if self.plan.moments:
            self.rarely.moments += 1
            self.rarely.moment = None

    @property
    def skipped(self) -> tuple[BaseException, Path] | None:
        """The error and its origin, if a middleware skipped this activation."""
        return self._rarely.skipped if self._rarely is not None else None

    def targets_of(self, socket: Any) -> tuple[Target, ...]:
        """What is wired to an exec output. Raises `UnknownSocket` (T4)."""
        place = self.plan.type.exec_output_index.get(socket)
        if place is None:
            raise demand.unknown_socket(
                self.plan, socket, "exec output", [each.name for each in self.plan.type.exec_outputs]
            )
        return self.plan.targets[place]

    def write_all(self, values: Mapping[Any, object] | None) -> None:
        """Write outputs, in the order given."""
        if not values:
            return
        plan = self.plan
        index = plan.type.output_index
        if len(values) > 1:
            for socket in values:  # T4: all of them, or none
                if socket not in index:
                    demand.output_place(plan, socket)
        strand = self.strand
        for socket in values:
            place = index.get(socket)
            if place is None:
                self.set_output(socket, values[socket])
            elif strand.run.data_watch is None:
                strand.store.write(plan.first_output + place, values[socket])
            else:
                origin = self._origin(plan.type.outputs[place].name)
                strand.store.write(plan.first_output + place, values[socket], origin)

    async def fire_done(self) -> Any:
        """S5: after every item's chain ended. Triggers the done sockets but the last, which it returns."""
        last = None
        for stream in self.rarely.streams:
            if stream.plan.done is not None and not stream.fired:
                if last is not None:
                    await self.trigger(last)
                last = self.plan.type.exec_outputs[stream.plan.done]
        return last

    async def before_done(self, place: int) -> None:
        """F5: the join before a stream's done socket fires."""
        for stream in self.rarely.streams:
            if stream.plan.done == place:
                try:
                    await self.join()  # F5
                except BaseException:
                    self.come_back()  # D6
                    raise
                stream.fired = True

    def _write_item(self, item: Any, value: object, also: Mapping[Any, object] | None) -> None:
        if also:
            self.write_all({item: value, **also})
        else:
            self.set_output(item, value)

    def _stream_of(self, item: Any) -> StreamRun:
        place = self.plan.type.stream_index.get(item)
        if place is not None and self._rarely is not None:
            return self._rarely.streams[place]
        raise self._no_stream(item)

    def _no_stream(self, item: Any) -> UnknownSocket:
        return demand.unknown_socket(
            self.plan,
            item,
            "stream with item output",
            [socket.name for stream in self.plan.type.streams for socket in stream.items],
        )

    def _origin(self, name: str) -> Origin:
        rarely = self._rarely or self.rarely
        rarely.writes += 1
        return self, self.plan.id, name, rarely.writes

    def concurrent(self, verb: str, socket: Any) -> ConcurrentTrigger:
        """The error that an activation runs one trigger at a time (T7)."""
        name = socket if isinstance(socket, str) else socket.name
        return ConcurrentTrigger(  # T7
            f"Node {self.plan.id!r}: {verb}({name!r}) while another trigger of the same activation is running. An "
            "activation runs one at a time. For concurrent work write\n"
            "    async with ctx.branches() as branches:\n"
            f"        branches.start({name!r})\n"
            "instead of starting ctx.trigger in a nursery."
        )


_new_activation: Any = Activation
_strand_of: Any = vars(Activation)["strand"].__get__


class NodeState(MutableMapping[str, Any]):
    """A node's state in one strand, as a mapping: writes go to the strand's store (F6)."""

    __slots__ = ("_activation", "_node")

    def __init__(self, activation: Activation) -> None:
        activation.strand  # noqa: B018 - raises if it has closed
        self._activation = activation
        self._node = activation.plan.index

    @property
    def _store(self) -> Store:
        return self._activation.strand.store

    def __getitem__(self, name: str) -> Any:
        cell = self._store.state[self._node, name]
        if cell.value is DELETED:
            raise KeyError(name)
        return cell.value

    def __setitem__(self, name: str, value: Any) -> None:
        self._store.write_state(self._node, name, value)

    def __delitem__(self, name: str) -> None:
        self[name]
        self._store.write_state(self._node, name, DELETED)

    def __iter__(self) -> Iterator[str]:
        return iter(
            sorted(
                name
                for (node, name), cell in self._store.state.items()
                if node == self._node and cell.value is not DELETED
            )
        )

    def __len__(self) -> int:
        return sum(1 for _ in self)
