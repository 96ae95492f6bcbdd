from __future__ import annotations

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from trioflow.semantics import events
from trioflow.semantics.events import ROOT, Event, NodeStarted, Path, unsealed

steps = st.lists(st.integers(0, 20), max_size=30)


def path(*steps: int) -> Path:
    at = ROOT
    for step in steps:
        at = Path(at, step)
    return at


def test_root():
    """The root's path is empty (T8)."""
    assert (ROOT.as_tuple(), ROOT.depth, str(ROOT), repr(ROOT)) == ((), 0, "root", "Path(root)")


@given(steps)
def test_steps(given_steps):
    """A path is the numbers of the dispatches that lead to it (T8)."""
    at = path(*given_steps)
    assert at.as_tuple() == tuple(given_steps) == tuple(at)
    assert at.depth == len(given_steps)
    assert str(at) == (".".join(map(str, given_steps)) or "root")


@given(steps, steps)
def test_equality(left, right):
    """Paths are equal if their numbers are, and equal to the tuple of them; equal ones hash alike."""
    assert (path(*left) == path(*right)) is (left == right)
    assert path(*left) == tuple(left)
    assert hash(path(*left)) == hash(path(*left)) == hash(tuple(left))
    assert path(*left) != "a text"


def test_short():
    """In messages a long path loses its middle."""
    assert path(0, 1, 2).short == "0.1.2"
    assert path(*range(12)).short == "0.1.2.3.4.5.6.7.8.9.10.11"
    assert path(*range(20)).short == "0.1.2.3...16.17.18.19 (20 levels)"


def test_graph():
    """A path is in the graph of its parent, unless it says another; the first graph has no name (C8)."""
    assert Path(None, 0).graph == ""
    inner = Path(ROOT, 3, "call/")
    assert (inner.graph, Path(inner, 4).graph, Path(inner, 4, "").graph) == ("call/", "call/", "")


def test_within():
    """Seen in another graph a path has the same numbers; in its own it is itself (C8)."""
    at = Path(Path(ROOT, 3), 4, "call/")
    assert at.within("call/") is at
    seen = at.within("other/")
    assert (seen.as_tuple(), seen.graph) == ((3, 4), "other/")


@pytest.mark.unmeasured
def test_any_depth():
    """A path of a million steps is made, compared and freed without recursion (T9)."""
    at = path(*[0] * 1_000_000)
    assert at.depth == 1_000_000
    assert at == path(*[0] * 1_000_000)


EVENTS = [value for value in vars(events).values() if isinstance(value, type) and issubclass(value, Event)]


@pytest.mark.parametrize("kind", EVENTS)
def test_events_are_frozen(kind):
    """Observers can change nothing (E4), and each event starts with what all have (E3)."""
    fields = [field.name for field in attrs.fields(kind)]
    assert fields[:5] == ["run", "sequence", "time", "path", "node"]
    event = kind(*fields)
    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        event.run = "another"


def test_all_events_are_here():
    """The events that can be observed (E3)."""
    assert sorted(kind.__name__ for kind in EVENTS) == [
        "BreakpointHit", "EvaluationCancelled", "EvaluationCompleted", "EvaluationFailed", "EvaluationReused",
        "EvaluationStarted", "Event", "EventsDropped", "Feedback", "LimitReached", "MergeConflict", "NodeCancelled",
        "NodeCompleted", "NodeFailed", "NodeSkipped", "NodeStarted", "ObserverFailed", "Progress", "RunCancelled",
        "RunCompleted", "RunFailed", "RunPaused", "RunResumed", "RunStarted", "StrandForked", "StrandJoined",
    ]  # fmt: skip


def test_unsealed():
    """An event can be made open and then sealed: after that it is one as any other (E4)."""
    event = unsealed(NodeStarted)()
    fields = [field.name for field in attrs.fields(NodeStarted)]
    assert type(event).__name__ == "NodeStarted"
    event.run = "first"
    del event.run
    for name in fields:
        setattr(event, name, name)
    event.__class__ = NodeStarted
    assert event == NodeStarted(*fields)
    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        event.run = "another"
