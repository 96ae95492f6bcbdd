"""One data node being resolved, and the context that its body sees."""

from __future__ import annotations

import random
import types
from collections.abc import Generator, Sequence
from contextlib import suppress
from functools import partial
from typing import Any, Final, Protocol

import trio
from trio.lowlevel import checkpoint_if_cancelled

from trioflow.errors import DataNodeEffect
from trioflow.model.context import DataContext, Services
from trioflow.model.graph import GraphNode
from trioflow.model.node_type import NodeType
from trioflow.model.sockets import UNSET
from trioflow.runtime.base.cells import FAILED, NOTHING
from trioflow.runtime.base.inputs import Pull, current, from_outside, missing, output_of, value_of
from trioflow.runtime.base.names import closed, input_place, is_connected, variable_slot
from trioflow.runtime.base.pending import Failed, Pending
from trioflow.runtime.base.records import Asking, RunState, Strand, View
from trioflow.runtime.base.task import hot_task
from trioflow.runtime.base.turns import count_nurseries
from trioflow.runtime.base.writes import accepted
from trioflow.semantics.events import Event
from trioflow.semantics.memo import Evaluation, Known
from trioflow.semantics.plan import CONSTANT, PORT, SLOT, PlanInput, PlanNode
from trioflow.semantics.store import Cell

SHORT_CUT: Final = 0
"""To be tried first, if the node is a function: `static.compute` or `quick.quickly`."""
GATHERING: Final = 1
"""The cells of its eager inputs are being collected, in order (D7)."""
VERIFYING: Final = 2
"""Earlier bodies had the same eager inputs: whether what they asked for is what it was (D4)."""
DOUBTING: Final = 3
"""The same for a body that has failed while this one waited for what comes of it (D5)."""
RUNNING: Final = 4
"""Its body runs."""


class Steps(Protocol):
    """A body as the loop runs it: a coroutine, or what behaves like one."""

    def send(self, answer: Any, /) -> Any:
        """Go on; gives what it waits for, or raises `StopIteration` with its result."""
        ...

    def throw(self, error: BaseException, /) -> Any:
        """Go on with a failure of what it waits for."""
        ...

    def close(self) -> None:
        """Give it up."""
        ...


class Begun:
    """An evaluation that was begun before its turn has come. Nobody sees it until a demand takes it up (D12)."""

    __slots__ = (
        "ahead", "began", "ended", "evaluation", "failure", "idle", "key", "lasted", "resolving", "result", "scope",
        "told", "turn", "values",
    )  # fmt: skip

    def __init__(self, ahead: Any, resolving: Resolving, key: tuple[int, ...]) -> None:
        # Because of which inputs it was begun: an `ahead.Ahead`.
        self.ahead = ahead
        self.resolving = resolving
        self.key = key
        self.scope = trio.CancelScope()
        # Set when it has ended; when it has ended or waits for its turn; and when its turn has come.
        self.ended = trio.Event()
        self.idle = trio.Event()
        self.turn = trio.Event()
        # When its body was begun, if somebody watched, and how long it took, if it has ended before its turn; what it
        # returned, or failed with.
        self.began: float | None = None
        self.lasted: float | None = None
        self.result: Any = None
        self.failure: BaseException | None = None
        # What has come of it, if it has ended before its turn.
        self.evaluation: Evaluation | None = None
        self.values: Sequence[Any] = ()
        # What middlewares have told before its turn (A8).
        self.told: list[Event] = []

    @property
    def hidden(self) -> bool:
        """Whether its turn has not come yet."""
        return not self.turn.is_set()

    async def its_turn(self) -> None:
        """Wait until it is taken up."""
        if self.hidden:
            self.idle.set()
            await self.turn.wait()

    async def awaited(self) -> Any:
        """What its body returns, in place of the body. It is cancelled with whoever awaits this."""
        try:
            await self.ended.wait()
        except trio.Cancelled:
            self.scope.cancel()
            with trio.CancelScope(shield=True):  # as a nursery waits for its tasks
                await self.ended.wait()
            raise
        if self.failure is not None:
            raise self.failure
        return self.result


class Resolving:
    """One data node being resolved. `phase` says how far it is."""

    __slots__ = (
        "activation", "arrived", "began", "begun", "body", "context", "driving", "fleeting", "holder", "known",
        "moment", "node", "pending", "phase", "refused", "revision", "scopes", "turned", "used",
    )  # fmt: skip

    def __init__(self, activation: Asking, node: PlanNode) -> None:
        self.activation = activation
        # The moment for which it is resolved, if that makes a difference (D6).
        self.moment = activation.moment if node.impure else None
        self.node = node
        self.phase = SHORT_CUT if node.static or node.quick else GATHERING
        # The cells of its eager inputs so far.
        self.used: list[Cell] = []
        # The youngest of them, on which what comes of it hangs; the oldest cell of the graph if none could change.
        self.holder: Cell = activation.strand.frame.root_cell
        # What was demanded for it, until it is looked at.
        self.arrived: Evaluation | None = None
        # Whether it depends on what saw a failure, which is good for one demand only (D5).
        self.fleeting = False
        # What is known of earlier bodies: an evaluation as soon as one is current.
        self.known: Known | Failed | None = None
        # What earlier bodies asked for, if that has failed, and the revision of the store in which it did: there it is
        # not asked for again, even if what is known is looked at again, after the scheduler's turn.
        self.refused: tuple[object, object] | None = None
        # What comes of it holds as long as nothing has been written since now.
        self.revision = activation.strand.store.revision
        # Whether the scheduler has had its turn for it.
        self.turned = False
        # When its body was begun, if somebody watched, and in which cancel scopes.
        self.began: float | None = None
        self.scopes: Any = None
        self.body: Steps | None = None
        # Whether the body runs directly under the loop now, and not in a task of its own.
        self.driving = False
        self.context: EvaluationContext | None = None
        self.pending: Pending | None = None
        # What is known of it if it was begun before its turn (D12).
        self.begun: Begun | None = None

    @property
    def has_entered(self) -> bool:
        """Whether the body has entered a cancel scope or opened a nursery that it has not left, or may have."""
        return not self.driving or hot_task()._cancel_status is not self.scopes

    @property
    def key(self) -> tuple[int, ...]:
        """What evaluations in progress are found by: their node and the cells of its eager inputs (D5)."""
        return (self.activation.strand.frame.base + self.node.index, *map(id, self.used))


@types.coroutine
def pull(activation: Asking, node: PlanNode) -> Generator[Any, Any, Evaluation]:
    """Let the loop that runs this body evaluate a node."""
    evaluation: Evaluation = yield Pull(activation, node)
    return evaluation


class EvaluationContext(DataContext):
    """The context of one evaluation: what it used, what its body pulled, what it wrote.

    Once it has closed it has no `_activation` any more, so that everything that could look or write raises `NodeError`.
    """

    is_kept = False
    """Nothing of an evaluation is kept: it has no effects (D8)."""

    __slots__ = (
        "_activation", "_asked_by", "_attempt", "_in_vain", "_random", "_resolving", "outputs", "pulled", "saw_failure",
    )  # fmt: skip

    def __init__(self, activation: Asking, resolving: Resolving, attempt: int = 1) -> None:
        self._attempt = attempt
        self._activation = self._asked_by = activation
        self._resolving = resolving
        self._random: random.Random | None = None
        # What bodies asked for that have failed inside of middlewares.
        self._in_vain: list[tuple[PlanInput | int, Cell]] | None = None
        self.outputs: list[Any] = [UNSET] * len(resolving.node.type.outputs)
        self.pulled: list[tuple[PlanInput | int, Cell]] = []
        # Whether a source failed while the body asked for it: then its evaluation is not remembered (D5).
        self.saw_failure = False

    @property
    def plan(self) -> PlanNode:
        """The node, as planned."""
        return self._resolving.node

    @property
    def used(self) -> list[Cell]:
        """The cells of the eager inputs."""
        return self._resolving.used

    @property
    def run(self) -> RunState:
        """The run."""
        return self._activation.strand.run

    @property
    def line(self) -> Asking:
        """The activation that asked first."""
        return self._activation

    @property
    def strand(self) -> Strand:
        """The strand in which this is evaluated."""
        return self._activation.strand

    @property
    def node(self) -> GraphNode:
        return self._resolving.node.graph_node

    @property
    def type(self) -> NodeType:
        return self._resolving.node.type

    @property
    def path(self) -> tuple[int, ...]:
        return self._asked_by.where.as_tuple()

    @property
    def services(self) -> Services:
        return self.run.services

    def close(self) -> None:
        """The evaluation, or this attempt of it, has ended."""
        with suppress(AttributeError):  # it has ended before
            del self._activation

    def attempt(self) -> EvaluationContext:
        """The context of another attempt (A2)."""
        resolving = self._resolving
        activation = self._activation
        (activation.asker if isinstance(activation, View) else activation).come_back()
        assert resolving.context is not None
        again = resolving.context = EvaluationContext(activation, resolving, resolving.context._attempt + 1)
        again.pulled = self.pulled
        if self._in_vain is None:
            self._in_vain = []
        again._in_vain = self._in_vain
        return again

    def for_body(self) -> EvaluationContext:
        """The context of a body with middlewares around it, which have this one: who asked for what makes a difference.

        What comes of a body depends on what that asked for, and on what middlewares did, but not on what others asked
        for in vain, at moments that are over (D6).
        """
        context = self._resolving.context = EvaluationContext(self._activation, self._resolving, self._attempt)
        return context

    def asked_in_vain(self, context: EvaluationContext) -> None:
        """The body with this context has failed."""
        if self._in_vain is None:
            self._in_vain = []
        self._in_vain += context.pulled
        if context.saw_failure:
            self._in_vain.append((0, FAILED))  # it may be that of a graph that it calls

    def concludes(self, body: EvaluationContext | None) -> None:
        """This body is what comes of the evaluation; or if none is, what a middleware says, who may have seen all."""
        if body is not None:
            body.pulled[:0] = self.pulled
        else:
            self.pulled += self._in_vain or ()
            self.saw_failure |= any(cell is FAILED for _, cell in self.pulled)
        self._resolving.context = body or self
        self.close()

    @property
    def begun(self) -> Begun | None:
        """What is known of it if it was begun before its turn (D12)."""
        return self._resolving.begun

    @property
    def random_key(self) -> str:
        """What its random numbers are made of (R6)."""
        node = self._resolving.node
        # An evaluation that others may share must not depend on who asked first.
        moment = self._resolving.moment
        path = "shared" if moment is None else moment.origin.removeprefix("@")
        again = f"~{self._attempt}" if self._attempt > 1 else ""
        return f"{self.run.options.seed}/{path}/{self.strand.frame.prefix}{node.id}{again}"

    @property
    def random(self) -> random.Random:
        key = self.random_key
        if self._random is None:
            self._random = random.Random(key)
        return self._random

    async def get_input(self, socket: Any) -> Any:
        planned, cell = await self._cell_of(socket)
        if cell is NOTHING:
            raise missing(self._resolving.node, planned)
        return value_of(planned, cell)

    async def ask(self, planned: PlanInput) -> Any:
        """The value of a lazy input."""
        self._activation  # noqa: B018 - raises if it has closed
        cell = await self._find(planned)
        if cell is NOTHING:
            raise missing(self._resolving.node, planned)
        return value_of(planned, cell)

    async def try_get_input(self, socket: Any, default: Any = None) -> Any:
        planned, cell = await self._cell_of(socket)
        return default if cell is NOTHING else value_of(planned, cell)

    async def _cell_of(self, socket: Any) -> tuple[PlanInput, Cell]:
        self._activation  # noqa: B018 - raises if it has closed
        node = self._resolving.node
        place = input_place(node, socket)
        planned = node.inputs[place]
        if planned.socket.lazy:
            return planned, await self._find(planned)
        await checkpoint_if_cancelled()
        return planned, self._resolving.used[place]

    async def _find(self, planned: PlanInput) -> Cell:
        """The current cell of a lazy input, which becomes part of what this evaluation depends on."""
        if self.begun is not None and planned.source is not SLOT and planned.source is not CONSTANT:
            await self.begun.its_turn()
        cell = current(self._activation, planned)
        if cell is not None:
            await checkpoint_if_cancelled()
        else:
            if self._resolving.has_entered:
                count_nurseries(self.run, self._activation, self._resolving.node.id)  # F8: it may be a nursery
            try:
                cell = await self.fetch(self._activation, planned)
            except Exception:
                self.pulled.append((planned, FAILED))
                self.note_failure()
                raise
        self.pulled.append((planned, cell))
        return cell

    @property
    def asked(self) -> list[tuple[str, bool]]:
        """What the body that has ended asked for, in order: the name, and whether it is an input, or a variable."""
        pulled = (self._resolving.context or self).pulled
        if not pulled:
            return []
        names = {slot: name for name, slot in self.strand.frame.plan.variable_index.items()}
        return [
            (names[asks], False) if isinstance(asks, int) else (asks.socket.name, True)
            for asks, cell in pulled
            if cell is not FAILED or not isinstance(asks, int)
        ]

    def note_failure(self) -> None:
        """A source has failed, and the body saw it: what comes of this evaluation is good for one demand only (D5)."""
        self.saw_failure = self._resolving.fleeting = True

    async def fetch(self, activation: Asking, planned: PlanInput) -> Cell:
        """The current cell of an input in this graph or one that it calls, evaluated by the loop that runs the body."""
        ask: Any = pull
        if not self._resolving.driving:
            ask = self.run.demand if self.begun is None else partial(self.run.demand, ahead=self.begun.ahead)
        if planned.source is not PORT:
            return output_of(await ask(activation, planned.upstream), activation.strand.store, planned)
        found = from_outside(activation, planned)
        while isinstance(found, Pull):
            found = from_outside(activation, planned, await ask(found.activation, found.node))
        return found

    def set_output(self, socket: Any, value: object) -> None:
        self._activation  # noqa: B018 - as above
        place, written = accepted(self._resolving.node, socket, value)
        self.outputs[place] = written

    def is_connected(self, socket: Any) -> bool:
        self._activation  # noqa: B018 - as above
        return is_connected(self._resolving.node, socket)

    def get_variable(self, name: str) -> Any:
        slot = variable_slot(self.strand.frame.plan, name)
        cell = self._activation.strand.store.cells[slot]
        self.pulled.append((slot, cell))  # D8: an input like any other
        return cell.value

    def __getattr__(self, name: str) -> Any:
        if name == "_activation":
            raise closed(self._resolving.node.id, self._asked_by.where, "evaluation")
        if name in {"trigger", "emit", "set_variable", "publish", "join", "branches", "state"}:
            raise DataNodeEffect(
                f"Data node {self._resolving.node.id!r} called ctx.{name}: a data node only computes outputs from "
                "inputs. Give the node type an exec input to let it act."
            )
        raise AttributeError(name)
