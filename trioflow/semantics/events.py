"""Events: what can be observed of a run (E1-E3). One class per event; its docstring says when it happens.

Every event carries the run's id, a sequence number that only grows, the seconds since the run began (trio's clock),
and, where it belongs to one, the activation's path, the node's id and the number of the strand. Observers get the
objects and can change nothing. Paths, names and keys are made when they are first read, as most are read by nobody.

The kinds of which there may be two for each step are written out: they are made without `__init__`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Any, ClassVar, Literal, Protocol, Self

import attrs

from trioflow.errors import UnknownName, did_you_mean
from trioflow.model.jsonable import jsonable
from trioflow.model.secret import hide
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


class Told:
    """What all events of one strand in one graph have in common: made once, for all of them."""

    __slots__ = ("graph", "run", "strand")

    def __init__(self, run: str, graph: str = "", strand: int | None = None) -> None:
        self.run = run
        self.graph = graph
        self.strand = strand


class _Somewhere(Protocol):
    """What has a path, which may not have been made yet."""

    @property
    def where(self) -> Path: ...


_NOWHERE = Told("")


class Event:
    """What every event has. A kind of your own is a subclass with `@attrs.frozen`; the engine fills in this (A8)."""

    __slots__ = ("_line", "_node", "_sequence", "_time", "_told")

    _line: Any  # a Path, or what has one
    _node: str | None
    _sequence: int
    _time: float
    _told: Told

    @property
    def run(self) -> str:
        """The id of the run."""
        return self._told.run

    @property
    def sequence(self) -> int:
        """A number that grows from event to event of a run."""
        return self._sequence

    @property
    def time(self) -> float:
        """Seconds since the run began, on trio's clock. `run.started_at` and it make the wall time."""
        return self._time

    @property
    def path(self) -> Path:
        """The path of the activation; the root's, if it belongs to none."""
        line = self._line
        where = line if isinstance(line, Path) else line.where
        return where.within(self._told.graph)

    @property
    def node(self) -> str | None:
        """The node: `work`, or `call/work` in a graph that is called (C8)."""
        return self._node if self._node is None else self._told.graph + self._node

    @property
    def strand(self) -> int | None:
        """The number of the strand: 0 for the first, then in the order in which they were forked; None if in none."""
        return self._told.strand

    @property
    def id(self) -> str:
        """The run and the number: no other event has it."""
        return f"{self.run}/{self.sequence}"

    def at(
        self,
        run: str,
        sequence: int,
        time: float,
        path: Path | tuple[int, ...] = ROOT,
        node: str | None = None,
        strand: int | None = None,
    ) -> Self:
        """This event with what every event has, for those that no run has told. Returns itself."""
        where = path if isinstance(path, Path) else path_of(path)
        prefix, _, name = (node or "").rpartition("/")
        graph = f"{prefix}/" if prefix else ""
        return self.told(Told(run, graph, strand), sequence, time, where, name or None)

    def told(self, told: Told, sequence: int, time: float, line: Path | _Somewhere, node: str | None) -> Self:
        """Fill in what every event has."""
        fill = object.__setattr__  # most kinds are frozen
        fill(self, "_told", told)
        fill(self, "_sequence", sequence)
        fill(self, "_time", time)
        fill(self, "_line", line)
        fill(self, "_node", node)
        return self

    def as_dict(self) -> dict[str, Any]:
        """All of it as data that JSON has, with the values of secrets hidden: `event` is the kind (E3)."""
        fields = {name: _shown(getattr(self, name)) for name in fields_of(type(self))}
        return {"event": type(self).__name__, "id": self.id, **fields}

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other) and all(
            getattr(self, name) == getattr(other, name) for name in fields_of(type(self))
        )

    def __hash__(self) -> int:
        return hash((self.run, self.sequence))

    def __repr__(self) -> str:
        fields = ", ".join(f"{name}={getattr(self, name)!r}" for name in fields_of(type(self)))
        return hide(f"{type(self).__name__}({fields})")


def path_of(numbers: tuple[int, ...]) -> Path:
    """The path with these numbers."""
    path = ROOT
    for number in numbers:
        path = Path(path, number)
    return path


def _shown(value: object) -> Any:
    if isinstance(value, Path):
        return list(value.as_tuple())
    if isinstance(value, BaseException):
        return {"type": type(value).__name__, "message": hide(str(value))}
    return jsonable(value)


BASE = ("run", "sequence", "time", "path", "node", "strand")
"""What every event has, in the order in which it is shown."""


def fields_of(kind: type[Event]) -> tuple[str, ...]:
    """The names of all that an event of a kind says."""
    own: tuple[str, ...] | None = vars(kind).get("OWN")
    if own is None:
        own = tuple(field.name for field in attrs.fields(kind)) if attrs.has(kind) else ()
    return (*BASE, *own)


# --- the run ---


@attrs.frozen(eq=False, repr=False)
class RunStarted(Event):
    """Before anything is set up."""


@attrs.frozen(eq=False, repr=False)
class RunCompleted(Event):
    """Everything ran, was joined and was torn down. `duration` are the seconds from the start."""

    duration: float = 0.0


@attrs.frozen(eq=False, repr=False)
class RunFailed(Event):
    """The run ended with an error. `origin` is the path where it arose, if that was in an activation (E2)."""

    error: BaseException
    origin: Path | None
    duration: float = 0.0


@attrs.frozen(eq=False, repr=False)
class RunCancelled(Event):
    """The run was cancelled, and everything in it was closed and torn down."""

    duration: float = 0.0


class PauseReason(str):  # noqa: SLOT000 - it has more than its text
    """Why a run is paused: a text for people, with what programs want to know."""

    kind: Literal["host", "breakpoint", "step", "value", "failure"]
    """Who closed the gate: the host, a breakpoint, the end of a step, a value that has changed, a failure."""
    breakpoint: str | None
    """The id of the breakpoint."""

    def __new__(
        cls,
        text: str,
        kind: Literal["host", "breakpoint", "step", "value", "failure"] = "host",
        breakpoint: str | None = None,
    ) -> Self:
        reason = super().__new__(cls, text)
        reason.kind = kind
        reason.breakpoint = breakpoint
        return reason


@attrs.frozen(eq=False, repr=False)
class RunPaused(Event):
    """The gate closed (G2)."""

    reason: PauseReason


@attrs.frozen(eq=False, repr=False)
class RunResumed(Event):
    """The gate opened (G2). `by` is who opened it: `host`, what the host calls itself, or `time` (`resume_after`)."""

    by: str = "host"


# --- steps ---


class NodeStarted(Event):
    """An activation started; its inputs are not resolved yet (E1)."""

    __slots__ = ("_entered",)
    OWN: ClassVar = ("entered",)

    def __init__(self, entered: str | None) -> None:
        self._entered = entered

    @property
    def entered(self) -> str | None:
        """The exec input through which it was entered; None for initiators and listeners."""
        return self._entered


class NodeCompleted(Event):
    """An activation completed, its forks joined."""

    __slots__ = ("_began", "_handed_over", "_written")
    OWN: ClassVar = ("handed_over", "duration", "outputs", "variables")

    def __init__(self, handed_over: str | None, began: float | None = None, written: Any = None) -> None:
        self._handed_over = handed_over
        self._began = began
        self._written = written

    @property
    def handed_over(self) -> str | None:
        """The exec output that it returned (T6)."""
        return self._handed_over

    @property
    def duration(self) -> float | None:
        """Seconds since it started; None if nobody watched then."""
        return None if self._began is None else self._time - self._began

    @property
    def outputs(self) -> Mapping[str, Any] | None:
        """The data outputs that it wrote, for those who asked for values."""
        return None if self._written is None else self._written.outputs

    @property
    def variables(self) -> Mapping[str, Any] | None:
        """The variables that were written meanwhile, by it and below it, for those who asked for values."""
        return None if self._written is None else self._written.variables


@attrs.frozen(eq=False, repr=False)
class NodeFailed(Event):
    """An activation failed. `origin` is the path at which this failure arose: its own, or one below it (E2)."""

    error: BaseException
    origin: Path
    duration: float | None = None


@attrs.frozen(eq=False, repr=False)
class NodeCancelled(Event):
    """An activation was cancelled."""

    duration: float | None = None


@attrs.frozen(eq=False, repr=False)
class NodeSkipped(Event):
    """A middleware let an activation end without a result, because of an error that arose at `origin`."""

    error: BaseException
    origin: Path
    duration: float | None = None


# --- data ---


class EvaluationStarted(Event):
    """A data node's body starts; `path` is the activation that asked (D4)."""

    __slots__ = ()
    OWN: ClassVar = ()


class _Keyed(Event):
    __slots__ = ("_key",)

    def __init__(self, key: object) -> None:
        self._key = key

    @property
    def key(self) -> str:
        """Identifies the evaluation: equal keys mean equal inputs of equal origin (E5)."""
        return "" if self._key is None else str(self._key)


class EvaluationCompleted(_Keyed):
    """A data node's body ended well."""

    __slots__ = ("_began", "_outputs")
    OWN: ClassVar = ("key", "duration", "outputs")

    def __init__(self, key: object, began: float | None = None, outputs: Mapping[str, Any] | None = None) -> None:
        self._key = key
        self._began = began
        self._outputs = outputs

    @property
    def duration(self) -> float | None:
        """Seconds since it started; None if nobody watched then."""
        return None if self._began is None else self._time - self._began

    @property
    def outputs(self) -> Mapping[str, Any] | None:
        """What it gave, for those who asked for values."""
        return self._outputs


class EvaluationReused(_Keyed):
    """A demand was answered from an earlier evaluation, whose body did not run again (D4, D5)."""

    __slots__ = ()
    OWN: ClassVar = ("key",)


@attrs.frozen(eq=False, repr=False)
class EvaluationFailed(Event):
    """A data node's body failed; nothing is remembered (D5)."""

    error: BaseException
    duration: float | None = None


@attrs.frozen(eq=False, repr=False)
class EvaluationCancelled(Event):
    """The strand that evaluated was cancelled; a strand that waits takes over (D5)."""

    duration: float | None = None


# --- strands ---


@attrs.frozen(eq=False, repr=False)
class StrandForked(Event):
    """A concurrent strand started; `path` is the strand's, `node` the node that forked (F1)."""


@attrs.frozen(eq=False, repr=False)
class StrandJoined(Event):
    """A strand's writes were merged into its owner's store (F3)."""


@attrs.frozen(eq=False, repr=False)
class MergeConflict(Event):
    """A variable with the policy `last` was written by more than one side since the fork (F4)."""

    variable: str
    kept: Any
    lost: Any


# --- what bodies say, and what happens to the run ---


@attrs.frozen(eq=False, repr=False)
class Feedback(Event):
    """A body called `emit_feedback`."""

    message: str
    level: str
    tag: object


@attrs.frozen(eq=False, repr=False)
class Progress(Event):
    """A body called `report_progress`."""

    done: float
    total: float | None
    message: str


@attrs.frozen(eq=False, repr=False)
class BreakpointHit(Event):
    """A dispatch reached a breakpoint (G3). `node` is the node about to be dispatched, or the one that has failed.

    `breakpoint` is its id, `wire` the connection that leads to the dispatch (G8), `detail` says for people what has
    happened. Unless it `stopped` the run, which a breakpoint that only logs does not, the run goes on.
    """

    breakpoint: str = ""
    wire: str | None = None
    detail: str = ""
    stopped: bool = True


@attrs.frozen(eq=False, repr=False)
class BreakpointFailed(Event):
    """The condition of a breakpoint failed: that is not the failure of the node, which runs as ever."""

    breakpoint: str
    error: BaseException


@attrs.frozen(eq=False, repr=False)
class VariableSet(Event):
    """The host has set a variable in a strand that was parked; `path` and `node` are where it was parked.

    With graph, inputs and these events, the result of a run is still determined (promise 3).
    """

    variable: str
    value: Any


@attrs.frozen(eq=False, repr=False)
class LimitReached(Event):
    """A limit of the run was reached; an error follows (R8)."""

    limit: str
    value: float


@attrs.frozen(eq=False, repr=False)
class ObserverFailed(Event):
    """An observer raised; it was removed, the run goes on (E4)."""

    observer: str
    error: BaseException


@attrs.frozen(eq=False, repr=False)
class EventsDropped(Event):
    """Only in a subscription: its buffer was full, and so many events before this one were dropped, oldest first."""

    count: int


# --- kinds ---

STEPS = (NodeStarted, NodeCompleted, NodeFailed, NodeCancelled, NodeSkipped)
DATA = (EvaluationStarted, EvaluationCompleted, EvaluationReused, EvaluationFailed, EvaluationCancelled)
GROUPS: Mapping[str, tuple[type[Event], ...]] = {
    "run": (RunStarted, RunCompleted, RunFailed, RunCancelled, RunPaused, RunResumed, LimitReached),
    "steps": STEPS,
    "data": DATA,
    "strands": (StrandForked, StrandJoined, MergeConflict),
    "messages": (Feedback, Progress),
    "failures": (RunFailed, NodeFailed, EvaluationFailed),
}
"""Kinds of events by one name."""

Kind = type[Event] | str


def kinds_of(named: Collection[Kind]) -> tuple[type[Event], ...]:
    """The kinds that are meant by classes, their names, and names of groups. Raises `UnknownName`, with all at once."""
    known: dict[str, tuple[type[Event], ...]] = {
        **{name: (value,) for name, value in globals().items() if isinstance(value, type) and issubclass(value, Event)},
        **GROUPS,
    }
    found: list[type[Event]] = []
    problems: list[str] = []
    for each in [named] if isinstance(named, str | type) else named:
        if isinstance(each, str):
            if each not in known or each.startswith("_"):
                problems.append(
                    f"There is no kind of event {each!r}.{did_you_mean(each, known)} Name a class of trioflow.events, "
                    f"or a group: {', '.join(GROUPS)}."
                )
            else:
                found += known[each]
        elif isinstance(each, type) and issubclass(each, Event):  # pyright: ignore[reportUnnecessaryIsInstance]
            found.append(each)
        else:
            problems.append(f"{each!r} is no kind of event: give a class of trioflow.events, or its name.")
    if problems:
        raise UnknownName("\n".join(problems))
    return tuple(found)
