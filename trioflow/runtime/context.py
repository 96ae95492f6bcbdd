"""What the body of an exec node sees of its activation, and what it can do: the context."""

from __future__ import annotations

import hashlib
import inspect
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator, Mapping, MutableMapping, Sequence
from contextlib import AbstractAsyncContextManager, AbstractContextManager
from time import perf_counter
from types import TracebackType
from typing import TYPE_CHECKING, Any, Literal, TypeVar

import trio
from trio.lowlevel import checkpoint_if_cancelled

from trioflow.errors import NodeError, UnknownSocket
from trioflow.model.context import Branches, Context, TimeLimitScope
from trioflow.model.durability import seconds_of
from trioflow.model.values import NO_VALUES
from trioflow.runtime.base.agenda import Agenda, Due
from trioflow.runtime.base.cells import NOTHING
from trioflow.runtime.base.inputs import current, missing, value_of
from trioflow.runtime.base.names import (
    input_place,
    is_connected,
    listeners,
    unknown_socket,
    variable_slot,
)
from trioflow.runtime.base.records import Activation, Line, StreamRun
from trioflow.runtime.base.turns import pass_by, take_turn
from trioflow.runtime.base.writes import accepted, write_output, write_outputs, write_variable
from trioflow.runtime.demand.inputs import computed, resolve
from trioflow.runtime.dispatch import call, dispatch
from trioflow.runtime.exits import publish_outside
from trioflow.runtime.strands.branches import BranchesBlock
from trioflow.semantics.address import is_attempt, show_path
from trioflow.semantics.events import Feedback, Progress
from trioflow.semantics.store import DELETED, Cell, Store

if TYPE_CHECKING:
    from trioflow.model.context import FeedbackLevel, Services
    from trioflow.model.durability import Duration
    from trioflow.model.envelope import Envelope
    from trioflow.model.graph import GraphNode
    from trioflow.model.node_type import NodeType
    from trioflow.model.sockets import ErrorMode
    from trioflow.semantics.plan import Target


T = TypeVar("T")


class BodyContext(Activation, Context):
    """The context of one activation. What hosts and other floors build on is `trioflow.Context`."""

    __slots__ = ()

    # --- looking ---

    @property
    def node(self) -> GraphNode:
        return self.plan.graph_node

    @property
    def type(self) -> NodeType:
        return self.plan.type

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
        # missing is not tested (a copy of inputs.current): that this input was asked for before, the strand's task,
        # which a body's own tasks have none of, and a value in the cell.
        strand = self.strand
        try:
            there, passes = self.plan.asked[socket]
            if strand.task._cancel_status.effectively_cancelled:  # type: ignore[union-attr]  # pyright: ignore[reportOptionalMemberAccess]
                await checkpoint_if_cancelled()
            cell: Cell | None = strand.there[there]
            if cell is not None:
                value = cell.value
                if passes is None or type(value) in passes:
                    return value
        except (KeyError, AttributeError):
            planned = self.plan.inputs[input_place(self.plan, socket)]
            self.plan.asked = {**self.plan.asked, socket: (planned.there, planned.passes)}
            await checkpoint_if_cancelled()
        plan = self.plan
        planned = plan.inputs[plan.type.input_index[socket]]
        cell = current(self, planned)
        if cell is None:
            cell = await computed(self, planned)
        if cell is NOTHING:
            raise missing(plan, planned)
        value = cell.value
        return value if planned.coercer is None or type(value) in planned.passing else value_of(planned, cell)

    async def try_get_input(self, socket: Any, default: Any = None) -> Any:
        planned = self.plan.inputs[input_place(self.plan, socket)]
        await checkpoint_if_cancelled()
        cell = await resolve(self, planned)
        return default if cell is NOTHING else value_of(planned, cell)

    async def get_envelope(self, socket: Any) -> Envelope:
        from trioflow.model.envelope import Envelope, envelope_id, schema_for  # noqa: PLC0415 - few ask for one

        body = await self.get_input(socket)
        planned = self.plan.inputs[input_place(self.plan, socket)]
        name, source = planned.socket.name, planned.connection and planned.connection.source
        return Envelope.of(
            body,
            id=envelope_id(self.key, name),
            trace=self.run_name,
            producer=self.strand.frame.prefix + source.node if source else "",
            socket=source.socket if source else "",
            time=self.now(),
            schema=schema_for(planned.socket.type),
            meta={"consumer": self.strand.frame.prefix + self.plan.id, "input": name},
        )

    def is_connected(self, socket: Any) -> bool:
        self.strand  # noqa: B018 - as above
        return is_connected(self.plan, socket)

    def get_variable(self, name: str) -> Any:
        strand = self.strand
        slot = strand.frame.plan.variable_index.get(name)
        if slot is None:
            slot = variable_slot(strand.frame.plan, name)
        return strand.store.cells[slot].value

    # --- acting ---

    def set_output(self, socket: Any, value: object) -> None:
        plan = self.plan
        place = plan.type.written_index.get(socket)
        if place is None:
            place, value = accepted(plan, socket, value)
        strand = self.strand
        if strand.run.data_watch is None:
            strand.store.write(plan.first_output + place, value)  # copy of writes.write_output
        else:
            write_output(self, place, value)

    def set_variable(self, name: str, value: object) -> None:
        write_variable(self, name, value)

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
                    await pass_by(strand.run)
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
                await take_turn(run)  # T2: a body that only emits must not starve anybody either
            elif task is None or task._cancel_status.effectively_cancelled:
                await checkpoint_if_cancelled()
            if also is None and run.data_watch is None:
                plan = self.plan
                try:
                    place = plan.first_output + plan.type.written_index[item]
                except KeyError:
                    self._write_item(item, value, also)
                else:
                    strand.store.write(place, value)  # copy of writes.write_output
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
        targets = listeners(self.strand.frame.plan, event, payload)
        if self.triggering:
            raise self.concurrent("publish", event)
        shared = event in self.strand.frame.plan.shared
        try:
            if not targets and not shared:  # B2
                await pass_by(self.run)
                return
            self.triggering = True
            await call(self, self, targets)  # B1
            if shared:
                await publish_outside(self, event, payload)  # C7
        finally:
            self.triggering = False
            self.come_back()  # D6

    async def undo(self, node: str | None = None) -> int:
        from trioflow.runtime.workflow.undo import undo_past  # noqa: PLC0415 - few graphs undo anything

        return await undo_past(self, node)

    def later(self, output: Any, seconds: Duration) -> str:
        targets = self.targets_of(output)
        return self.put_off(seconds_of(seconds), targets, output if isinstance(output, str) else output.name)

    def post(self, event: str, payload: object = None) -> None:
        self.put_off(0.0, listeners(self.strand.frame.plan, event, payload), event, (payload,))

    def drop_later(self, handle: str | None = None) -> int:
        agenda = self.strand.run.agenda
        return 0 if agenda is None else agenda.drop(self.plan.id, handle)

    def put_off(self, seconds: float, targets: Sequence[Target], what: str, posted: tuple[object, ...] = ()) -> str:
        """Let the run dispatch these targets later, in its first strand (B3); gives what it can be taken back by."""
        run = self.strand.run
        if self.strand.frame is not run.frame or run.plan.net is not None:
            raise NodeError(
                f"Node {self.plan.id!r} puts off {what!r}, which is for the run as a whole: that can be done in its "
                "outermost graph only, and not in a workflow. Put it off there, or wait here: flow.sleep."
            )
        number = self.rarely.put_off
        self.rarely.put_off += 1
        handle = show_path(self.path) + (f"#{number}" if number else "")
        if run.agenda is None:
            run.agenda = self.agenda()
        asked = self.path, number
        run.agenda.add(Due(self.due_in(seconds), asked, handle, self.plan.id, seconds, targets, what, posted))
        return handle

    @classmethod
    def agenda(cls) -> Agenda:
        """What a run of such activations puts off."""
        return Agenda()

    def due_in(self, seconds: float) -> Any:
        """When something is due that is put off by so much, on the clock of the agenda."""
        return trio.current_time() + seconds

    def emit_feedback(self, message: str, level: FeedbackLevel = "info", tag: object = None) -> None:
        self.run.tell(Feedback, self, self.plan.id, message, level, tag)

    def report_progress(self, done: float, total: float | None = None, message: str = "") -> None:
        self.run.tell(Progress, self, self.plan.id, done, total, message)
        plan = self.plan
        if plan.progress_slot >= 0:  # W23
            total = None if total is None else float(total)  # an expression divides whole numbers without a rest
            self.strand.store.write(plan.progress_slot, {"done": float(done), "total": total, "message": message})
        forks = self._rarely.forks if plan.progress and self._rarely is not None else None
        if forks is not None:
            forks.start(plan.progress)

    # --- for runs that are kept; what a journalled run does in its place is in `trioflow.durable` ---

    @property
    def run_name(self) -> str:
        """Of what run its keys are: of one that is kept that is its name, which another process knows, too."""
        return self.run.id

    @property
    def key(self) -> str:
        path = [each for each in self.path if not is_attempt(each)]
        return key_of(self.run_name, self.graph or "", self.plan.id, path)  # J4

    @property
    def attempt_key(self) -> str:
        return key_of(self.run_name, self.graph or "", self.plan.id, self.path)

    async def once(self, function: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Any:
        self.strand  # noqa: B018 - raises if it has closed
        await checkpoint_if_cancelled()
        result = function(*args, **kwargs)
        return await result if inspect.isawaitable(result) else result

    async def sleep(self, duration: Duration) -> None:
        self.strand  # noqa: B018 - as above
        await trio.sleep(seconds_of(duration))

    async def sleep_between(self, attempt: int, seconds: float) -> None:
        """Wait after an attempt, before the next one."""
        await trio.sleep(seconds)

    def policy_limit(self, of: Literal["attempt", "total"], seconds: float) -> AbstractContextManager[trio.CancelScope]:
        """Cut off after so long one attempt, or all: the scope says whether it was."""
        return trio.move_on_after(seconds)

    def slept_between(self, attempt: int) -> bool:
        """Whether it was recorded that another attempt comes after this one."""
        return False

    def knows_attempt(self, attempt: int) -> bool:
        """Whether it is recorded what this attempt came to, or some of what it does when it is run again."""
        return False

    def is_run_again(self) -> bool:
        """Whether the body has been run before, and is run again with what was recorded below it."""
        return False

    def refusal(self, by: str) -> Any:
        """What was recorded when a policy refused this attempt; None if it did not."""
        return None

    def refuse(self, by: str, why: Any) -> None:
        """A policy refuses this attempt."""

    async def signal(self, name: str, *, timeout: Duration | None = None, otherwise: Any = None) -> Any:
        raise NodeError(
            f"Node {self.plan.id!r} waits for the signal {name!r}, and nobody can send one to a run that is not kept. "
            "Give the run a journal and a name: trioflow.run(graph, journal=..., run_id=...)."
        )

    def time_limit(self, duration: Duration) -> AbstractContextManager[TimeLimitScope]:
        self.strand  # noqa: B018 - as above
        return PlainTimeLimit(seconds_of(duration))

    is_kept = False

    async def checkpoint(self) -> None:
        self.strand  # noqa: B018 - as above
        await checkpoint_if_cancelled()

    async def trigger_at(self, mark: object, output: Any, values: Mapping[Any, object] = NO_VALUES) -> None:
        await self.trigger(output, values)

    async def emit_at(self, mark: object, item: Any, value: Any, also: Mapping[Any, object] | None = None) -> None:
        await self.emit(item, value, also)

    def mark(self, value: object) -> None:
        self.strand  # noqa: B018 - as above

    def resumed(self, default: T) -> T:
        self.strand  # noqa: B018 - as above
        return default

    def emitted(self) -> AsyncIterator[Callable[[], Awaitable[None]]]:
        self.strand  # noqa: B018 - as above
        return NothingEmitted()

    def as_source(self, body: Callable[[BodyContext], Awaitable[Any]]) -> Awaitable[Any]:
        """Run the body of a source: what it emits comes out of the world (J1)."""
        return body(self)

    def in_scope(self, scope: Any, forks: Any) -> Awaitable[None]:
        """Run a scope of a workflow that this has opened; asked where the run is kept."""
        running: Awaitable[None] = scope.run(forks)
        return running

    # --- inside ---

    def _write_item(self, item: Any, value: object, also: Mapping[Any, object] | None) -> None:
        if also:
            write_outputs(self, {item: value, **also})
        else:
            self.set_output(item, value)

    def _stream_of(self, item: Any) -> StreamRun:
        place = self.plan.type.stream_index.get(item)
        if place is not None and self._rarely is not None:
            return self._rarely.streams[place]
        raise self._no_stream(item)

    def _no_stream(self, item: Any) -> UnknownSocket:
        return unknown_socket(
            self.plan,
            item,
            "stream with item output",
            [socket.name for stream in self.plan.type.streams for socket in stream.items],
        )


def key_of(run: str, graph: str, node: str, path: Iterable[int]) -> str:
    """A name for what one activation, or one attempt of it, does to the world (J4)."""
    return hashlib.sha256(f"{run}/{show_path(path)}/{graph}{node}".encode()).hexdigest()[:32]


class NothingEmitted(AsyncIterator[Any]):
    """What a source has emitted before, in a run that nobody keeps."""

    async def __anext__(self) -> Any:
        raise StopAsyncIteration


class PlainTimeLimit(TimeLimitScope):
    """A time limit in a run that nobody keeps: a cancel scope."""

    __slots__ = ("_scope",)

    def __init__(self, seconds: float) -> None:
        self._scope = trio.CancelScope(deadline=trio.current_time() + seconds)

    def __enter__(self) -> PlainTimeLimit:
        self._scope.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> bool | None:
        return self._scope.__exit__(kind, error, traceback)

    @property
    def expired(self) -> bool:
        return self._scope.cancelled_caught


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
