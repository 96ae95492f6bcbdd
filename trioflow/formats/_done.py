"""What a run has done, for pictures of its graph: the state of each node and each wire, as far as a report tells it."""

from __future__ import annotations

from collections.abc import Sequence

import attrs

from trioflow.model.graph import Connection
from trioflow.semantics.tracking import NodeReport, NodeState

_COUNTS: tuple[NodeState, ...] = ("running", "completed", "failed", "skipped", "cancelled")
_FAILED: frozenset[NodeState] = frozenset(("failed",))


@attrs.frozen
class Done:
    """What a node has done, wherever the graph that it is in was called."""

    state: NodeState = "not started"
    text: str = "not started"
    """How often it is in which state, and how long one takes."""
    states: frozenset[NodeState] = frozenset()
    """All in which any activation or evaluation of it is."""
    exits: frozenset[str] = frozenset()
    """The exec outputs at which it has handed over."""
    has_begun: bool = False
    """Whether its body has run, or runs."""

    @classmethod
    def of(cls, reports: Sequence[NodeReport]) -> Done:
        """What these report together."""
        counts = {state: sum(getattr(each, state) for each in reports) for state in _COUNTS}
        said = [f"{state} {count}" for state, count in counts.items() if count]
        if not said:
            return cls()
        took = sum(each.seconds for each in reports)
        if took and counts["completed"]:
            said.append(f"{_short(took / counts['completed'])} each")
        last = max(reports, key=lambda each: (each.state != "not started", each.since))
        return cls(
            "running" if counts["running"] else last.state,
            ", ".join(said),
            frozenset(state for state in _COUNTS if counts[state]),
            frozenset(name for each in reports for name in each.exits),
            any(each.started for each in reports),
        )


def _short(seconds: float) -> str:
    """Two digits of a time, and its unit."""
    size, unit = next((each for each in ((1.0, "s"), (1e-3, "ms")) if seconds >= each[0]), (1e-6, "µs"))
    number = seconds / size
    return f"{number:.0f} {unit}" if number >= 10 else f"{number:.2g} {unit}"


def was_taken(wire: Connection, source: Done, target: Done, beside: Sequence[Connection], *, tokens: bool) -> bool:
    """Whether control has come over an exec wire, as a token or not; `beside` are all between the same nodes.

    Of triggers is not told from which output they came. So it counts as taken where both of its ends have run, unless
    the source is known to have handed over at other outputs that lead to the target and not at this one, or has not
    ended in a way for which a wire with tokens is taken.
    """
    if not (source.has_begun and target.has_begun):
        return False
    if wire.source.socket in source.exits:
        return True
    if tokens and source.states == _FAILED:
        return not {"failed", "ended"}.isdisjoint(wire.outcomes)
    if tokens and wire.outcomes == ("failed",):
        return "failed" in source.states
    return not any(each.source.socket in source.exits for each in beside)
