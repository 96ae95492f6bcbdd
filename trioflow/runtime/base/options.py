"""What a run is told, and what it tells: options, status, statistics, result."""

from __future__ import annotations

import enum
import functools
import math
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import attrs

from trioflow.errors import UnknownName, did_you_mean
from trioflow.model.graph import StreamSettings
from trioflow.model.policy import PRIORITIES, Policy, Priority, as_policies
from trioflow.model.types import describe_value
from trioflow.model.values import NO_VALUES, frozen
from trioflow.runtime.base.picture import picture

if TYPE_CHECKING:
    from trioflow.model.envelope import Envelope
    from trioflow.semantics.plan import Plan
    from trioflow.semantics.tracking import RunReport

MAX_NESTING = 256
"""trio dies when an error or a cancellation passes some 330 nested nurseries; no run may get near (F8)."""


def _is(kind: type | tuple[type, ...], words: str) -> Callable[[object, attrs.Attribute[Any], object], None]:
    """A validator that refuses values of other types; true and false are no numbers."""

    def check(instance: object, attribute: attrs.Attribute[Any], value: object) -> None:
        if value is None and attribute.default is None:
            return
        if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
            raise TypeError(f"RunOptions.{attribute.name} must be {words}, got {describe_value(value)}.")

    return check


_NUMBER = _is((int, float), "a number")
_FLAG = _is(bool, "True or False")


def _positive(instance: object, attribute: attrs.Attribute[Any], value: float | None) -> None:
    _NUMBER(instance, attribute, value)
    if value is not None and (math.isnan(value) or value <= 0):
        raise ValueError(f"RunOptions.{attribute.name} must be more than 0, got {value!r}.")


def _not_negative(instance: object, attribute: attrs.Attribute[Any], value: int) -> None:
    _NUMBER(instance, attribute, value)
    if not value >= 0:
        raise ValueError(f"RunOptions.{attribute.name} must be 0 or more, got {value!r}.")


def _nesting(instance: object, attribute: attrs.Attribute[Any], value: int) -> None:
    _NUMBER(instance, attribute, value)
    if not 1 <= value <= MAX_NESTING:
        raise ValueError(f"RunOptions.max_nesting must be from 1 to {MAX_NESTING}, got {value!r}.")


def _streams(value: Mapping[str, StreamSettings]) -> Mapping[str, StreamSettings]:
    wrong = [value] if not isinstance(value, Mapping) else [
        each for each in value.values() if not isinstance(each, StreamSettings)
    ]  # fmt: skip
    if wrong:
        raise TypeError(
            f"RunOptions.streams must be a mapping of names to StreamSettings, got {describe_value(wrong[0])}."
        )
    return frozen(value)


@attrs.frozen(kw_only=True)
class RunOptions:
    """How to run (R2, R6, R8, S2, T2). None means without limit.

    `max_steps`: dispatches in all. `timeout`: seconds of trio's clock from the first setup to the last join. Both are
    budgets, and no body can catch that one is used up. `max_depth`: levels of activations nested in one another.
    `max_strands`: strands alive at once. `max_ahead`: data nodes that are evaluated ahead of their turn at once, while
    an input of the same node is awaited (D12); 0 to resolve inputs one after the other. `max_nesting`: strands (more
    exactly: nurseries) inside each other, at most 256. `grace`: seconds that all teardowns together may take.
    `max_shield`: seconds for which `flow.shield`, and undoing (W22), keep a cancellation away, whatever the graph says.
    `parallel_initiators`: each initiator in a strand of its own (R2). `stay_open`: go on waiting for events that the
    host publishes until the host closes the run. `seed`: of `ctx.random`. `policies`: what is done where nodes fail,
    take long or are called often, as far as the graph does not say it, by names of nodes or patterns of their types, of
    which a name counts first (P8); `priority`: of the run where several wait (P7). `streams`: settings of streams,
    before those of the graph, by names of nodes or patterns of their types (`call/each`, `flow.for_each*`: A1), of
    which a name counts before a pattern. `turn_every` dispatches or evaluations, or after `turn_after` seconds, other
    tasks get a turn.
    """

    max_steps: int | None = attrs.field(default=None, validator=_positive)
    max_depth: int = attrs.field(default=100_000, validator=_positive)
    max_strands: int | None = attrs.field(default=None, validator=_positive)
    max_ahead: int = attrs.field(default=16, validator=_not_negative)
    max_nesting: int = attrs.field(default=128, validator=_nesting)
    timeout: float | None = attrs.field(default=None, validator=_positive)
    grace: float = attrs.field(default=5.0, validator=_positive)
    max_shield: float | None = attrs.field(default=None, validator=_positive)
    parallel_initiators: bool = attrs.field(default=False, validator=_FLAG)
    stay_open: bool = attrs.field(default=False, validator=_FLAG)
    seed: int = attrs.field(default=0, validator=_is(int, "a whole number"))
    policies: Mapping[str, Policy] = attrs.field(default=NO_VALUES, converter=as_policies)
    priority: Priority = attrs.field(default="normal", validator=attrs.validators.in_(PRIORITIES))
    streams: Mapping[str, StreamSettings] = attrs.field(default=NO_VALUES, converter=_streams)
    turn_every: int = attrs.field(default=64, validator=_positive)
    turn_after: float = attrs.field(default=0.001, validator=_positive)

    @classmethod
    def strict(cls, **options: Any) -> RunOptions:
        """Options that end a run which goes on for too long: 1,000 steps, 10 minutes; `options` change or add to them.

        They are the limits that other engines of graphs have by default. Raises `TypeError` for unknown options,
        `ValueError` for what is out of range.
        """
        strict: dict[str, Any] = {"max_steps": 1000, "timeout": 600.0, **options}
        return cls(**strict)


class RunStatus(enum.Enum):
    """What a run is doing; it ends in exactly one of the last three (R3)."""

    NOT_STARTED = "not started"
    RUNNING = "running"
    PAUSED = "paused"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLED = "cancelled"


@attrs.frozen
class RunStatistics:
    """A snapshot of a run. Times are seconds of trio's clock."""

    status: RunStatus
    steps: int
    """Dispatches so far."""
    evaluations: int
    """Data nodes evaluated so far."""
    strands: int
    """Strands alive."""
    strands_parked: int
    """Strands that wait at the gate."""
    forks: int
    """Strands started so far, the first one not counted."""
    elapsed: float


Outputs = Mapping[str, Mapping[str, Any]]


def _gathered(outputs: Outputs | Callable[[], Outputs]) -> Outputs:
    return outputs() if callable(outputs) else outputs


_NOT_COUNTED = (
    "Nobody has counted what this run did. Give it a tracker: observers=[trioflow.Tracker()], or call run.track() "
    "while it runs."
)


@attrs.frozen(repr=False)
class RunResult:
    """What a completed run leaves behind: variables by name, outputs of exec nodes by node and socket.

    `outputs` may be given as a function, which is called when they are first read: most who run a graph want few.
    """

    variables: Mapping[str, Any]
    _outputs: Outputs | Callable[[], Outputs] = attrs.field(eq=_gathered)
    statistics: RunStatistics
    run: str = attrs.field(eq=False)
    """The id of the run."""

    def report(self) -> RunReport:
        """What each node has done: counts, times, failures, and the way that the run took.

        For runs that were tracked: `observers=[trioflow.Tracker()]`, or `run.track()`. Raises `UnknownName` otherwise.
        """
        raise UnknownName(_NOT_COUNTED)

    def draw(self, format: str = "svg", *, fold: bool = False) -> str:
        """A picture of the graph with what each node has done: `svg`, `mermaid`, `dot`, `text` or `json`.

        For runs that were tracked, as `report`; with `fold` graphs that it calls are only nodes. Raises `UnknownName`
        for others, `ValueError` for a format that there is not.
        """
        raise UnknownName(_NOT_COUNTED)

    @functools.cached_property
    def outputs(self) -> Outputs:
        """By node and socket, of those exec nodes that have written any."""
        return _gathered(self._outputs)

    def __repr__(self) -> str:
        return f"RunResult(variables={self.variables}, outputs={self.outputs}, statistics={self.statistics})"

    def __reduce__(self) -> tuple[Any, ...]:
        return RunResult, (self.variables, self.outputs, self.statistics, self.run)

    def output(self, node: str, socket: str = "result") -> Any:
        """The last value written to a node's output. Raises `UnknownName` if nothing was."""
        written = self.outputs.get(node, {})
        if socket not in written:
            known = [f"{name}.{each}" for name, sockets in self.outputs.items() for each in sockets]
            raise UnknownName(
                f"Nothing was written to {node}.{socket}.{did_you_mean(f'{node}.{socket}', known)} "
                "Only outputs of exec nodes are kept, and only if they were written."
            )
        return written[socket]

    def envelope(self, node: str, socket: str = "result") -> Envelope:
        """The last value written to a node's output, with what is known of it. Raises `UnknownName` as `output`."""
        from trioflow.model.envelope import Envelope, envelope_id  # noqa: PLC0415 - few ask for one

        body, known = self.output(node, socket), envelope_id(self.run, node, socket)
        return Envelope.of(body, id=known, trace=self.run, producer=node, socket=socket)


@attrs.frozen(repr=False)
class TrackedResult(RunResult):
    """The result of a run that was tracked."""

    _report: RunReport = attrs.field(eq=False)
    _plan: Plan = attrs.field(eq=False)

    def report(self) -> RunReport:
        return self._report

    def draw(self, format: str = "svg", *, fold: bool = False) -> str:
        return picture(self._plan, self._report, format, fold=fold)
