"""Events: what can be observed of a run (E1-E3). One class per event; its docstring says when it happens.

Every event carries the run's id, a sequence number that only grows, a monotonic time in seconds (trio's clock), and,
where it belongs to one, the activation's path and the node's id. Observers get the objects and can change nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, TypeVar

import attrs

from trioflow.semantics.address import show_path


class Path:
    """The path of an activation (T8): a linked list, so that a step into it costs the same at any depth.

    Its numbers are 0 or more; a negative one is a mark below which a later attempt runs, shown as `~2`, or a node that
    a middleware has fired, shown as `!0` (A2, A4).

    `graph` comes before the ids of nodes there: `outer/inner/` in a graph that is called by `inner` in a graph that is
    called by `outer` (C8).
    """

    __slots__ = ("graph", "index", "parent")

    def __init__(self, parent: Path | None, index: int, graph: str | None = None) -> None:
        self.parent = parent
        self.index = index
        self.graph: str = graph if graph is not None else parent.graph if parent is not None else ""

    def __iter__(self) -> Iterator[int]:
        return iter(self.as_tuple())

    def as_tuple(self) -> tuple[int, ...]:
        """The path as numbers; `()` for the root."""
        steps: list[int] = []
        path = self
        while path.parent is not None:
            steps.append(path.index)
            path = path.parent
        return tuple(reversed(steps))

    def within(self, graph: str) -> Path:
        """The same path, as seen in another graph."""
        return self if graph == self.graph else Path(self.parent, self.index, graph)

    @property
    def depth(self) -> int:
        """How many numbers it has."""
        return len(self.as_tuple())

    @property
    def short(self) -> str:
        """For messages: a long path without its middle."""
        if self.depth <= 12:
            return str(self)
        steps = self.as_tuple()
        return f"{show_path(steps[:4])}...{show_path(steps[-4:])} ({self.depth} levels)"

    def __eq__(self, other: object) -> bool:
        if isinstance(other, Path):
            return self.as_tuple() == other.as_tuple()
        return self.as_tuple() == other

    def __hash__(self) -> int:
        return hash(self.as_tuple())

    def __str__(self) -> str:
        return show_path(self.as_tuple())

    def __repr__(self) -> str:
        return f"Path({self})"


ROOT = Path(None, 0)


@attrs.frozen
class Event:
    """What every event has. The node of a graph that is called has the ids of its callers before its own (C8)."""

    run: str
    sequence: int
    time: float
    path: Path
    node: str | None


@attrs.frozen
class RunStarted(Event):
    """Before anything is set up."""


@attrs.frozen
class RunCompleted(Event):
    """Everything ran, was joined and was torn down."""


@attrs.frozen
class RunFailed(Event):
    """The run ended with an error. `origin` is the path where it arose, if that was in an activation (E2)."""

    error: BaseException
    origin: Path | None


@attrs.frozen
class RunCancelled(Event):
    """The run was cancelled, and everything in it was closed and torn down."""


@attrs.frozen
class RunPaused(Event):
    """The gate closed (G2)."""

    reason: str


@attrs.frozen
class RunResumed(Event):
    """The gate opened (G2)."""


@attrs.frozen
class NodeStarted(Event):
    """An activation started; its inputs are not resolved yet (E1)."""

    entered: str | None


@attrs.frozen
class NodeCompleted(Event):
    """An activation completed, its forks joined. `handed_over` is the exec output that it returned (T6)."""

    handed_over: str | None


@attrs.frozen
class NodeFailed(Event):
    """An activation failed. `origin` is the path at which this failure arose: its own, or one below it (E2)."""

    error: BaseException
    origin: Path


@attrs.frozen
class NodeCancelled(Event):
    """An activation was cancelled."""


@attrs.frozen
class NodeSkipped(Event):
    """A middleware let an activation end without a result, because of an error that arose at `origin`."""

    error: BaseException
    origin: Path


@attrs.frozen
class EvaluationStarted(Event):
    """A data node's body starts; `path` is the activation that asked (D4)."""


@attrs.frozen
class EvaluationCompleted(Event):
    """A data node's body ended well. `key` identifies the evaluation: equal keys mean equal inputs of equal origin."""

    key: str


@attrs.frozen
class EvaluationReused(Event):
    """A demand was answered from an earlier evaluation, whose body did not run again (D4, D5)."""

    key: str


@attrs.frozen
class EvaluationFailed(Event):
    """A data node's body failed; nothing is remembered (D5)."""

    error: BaseException


@attrs.frozen
class EvaluationCancelled(Event):
    """The strand that evaluated was cancelled; a strand that waits takes over (D5)."""


@attrs.frozen
class StrandForked(Event):
    """A concurrent strand started; `path` is the strand's, `node` the node that forked (F1)."""


@attrs.frozen
class StrandJoined(Event):
    """A strand's writes were merged into its owner's store (F3)."""


@attrs.frozen
class MergeConflict(Event):
    """A variable with the policy `last` was written by more than one side since the fork (F4)."""

    variable: str
    kept: Any
    lost: Any


@attrs.frozen
class Feedback(Event):
    """A body called `emit_feedback`."""

    message: str
    level: str
    tag: object


@attrs.frozen
class Progress(Event):
    """A body called `report_progress`."""

    done: float
    total: float | None
    message: str


@attrs.frozen
class BreakpointHit(Event):
    """A dispatch reached a breakpoint and closed the gate (G3). `node` is the node about to be dispatched."""


@attrs.frozen
class LimitReached(Event):
    """A limit of the run was reached; an error follows (R8)."""

    limit: str
    value: float


@attrs.frozen
class ObserverFailed(Event):
    """An observer raised; it was removed, the run goes on (E4)."""

    observer: str
    error: BaseException


@attrs.frozen
class EventsDropped(Event):
    """Only in a subscription: its buffer was full, and so many events before this one were dropped, oldest first."""

    count: int


E = TypeVar("E", bound=Event)


def unsealed(kind: type[E]) -> type[Any]:
    """For whoever makes events of one kind by the million: a class whose objects can be written to.

    Set all fields, then set `__class__` to the kind itself, which seals the event: it is as immutable as any other.
    That takes a third of the time of the kind's own `__init__`.
    """
    open_again = {
        "__slots__": (),
        "__init__": object.__init__,
        "__setattr__": object.__setattr__,
        "__delattr__": object.__delattr__,
    }
    return type(kind.__name__, (kind,), open_again)
