from __future__ import annotations

import inspect
import json

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from trioflow.errors import UnknownName
from trioflow.model.secret import HIDDEN, reveal
from trioflow.semantics import events
from trioflow.semantics.events import BASE, ROOT, Event, NodeStarted, Path, PauseReason, fields_of, kinds_of, path_of

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
    """A path of 200,000 steps is made, compared and freed without recursion (T9)."""
    at = path(*[0] * 200_000)
    assert at.depth == 200_000
    assert at == path(*[0] * 200_000)


EVENTS = [
    value
    for name, value in vars(events).items()
    if isinstance(value, type) and issubclass(value, Event) and not name.startswith("_")
]


def example_of(kind, **own):
    """An event of a kind, made by hand."""
    given = {"error": ValueError("no"), "origin": path(0, 1), "reason": PauseReason("paused")}
    names = [
        name
        for name, parameter in inspect.signature(kind).parameters.items()
        if parameter.default is inspect.Parameter.empty and parameter.kind is parameter.POSITIONAL_OR_KEYWORD
    ]
    return kind(**{**{name: given.get(name, name) for name in names}, **own}).at("run", 7, 0.5, path(3, 1), "n", 2)


@pytest.mark.parametrize("kind", EVENTS)
def test_events_are_frozen(kind):
    """Observers can change nothing (E4), and each event starts with what all have (E3)."""
    fields = fields_of(kind)
    assert fields[:6] == BASE == ("run", "sequence", "time", "path", "node", "strand")
    event = Event().at("run", 7, 0.5, path(3, 1), "n", 2) if kind is Event else example_of(kind)
    assert [getattr(event, name) for name in BASE] == ["run", 7, 0.5, (3, 1), "n", 2]
    for name in fields:
        with pytest.raises(AttributeError):
            setattr(event, name, "another")


@pytest.mark.parametrize("kind", EVENTS)
def test_as_data(kind):
    """Each event can be had as data, which JSON has: its kind, its id, and all its fields in their order (E3)."""
    event = Event().at("run", 7, 0.5, path(3, 1), "n", 2) if kind is Event else example_of(kind)
    data = event.as_dict()
    assert list(data) == ["event", "id", *fields_of(kind)]
    assert (data["event"], data["id"], data["path"]) == (kind.__name__, "run/7", [3, 1])
    assert json.loads(json.dumps(data)) == data


def test_a_secret_is_not_shown():
    """Neither as data nor as text does an event show the value of a secret that was used (A10)."""
    told = example_of(events.Feedback, message=f"token {reveal('hush-4711')}")
    failed = example_of(events.NodeFailed, error=ValueError("hush-4711"))
    mine = Delivered("hush-4711", 1).at("run", 7, 0.5)
    assert told.as_dict()["message"] == f"token {HIDDEN}"
    assert failed.as_dict()["error"] == {"type": "ValueError", "message": HIDDEN}
    assert mine.as_dict()["address"] == HIDDEN
    for event in (told, failed, mine):
        assert "hush-4711" not in repr(event)


def test_numbers_of_any_length_are_data():
    """Python writes no number of thousands of digits: as data it is a text."""
    data = example_of(events.Progress, done=10**5000).as_dict()
    assert json.loads(json.dumps(data))["done"].endswith(" digits)")


@attrs.frozen
class Delivered(Event):
    """A letter was delivered."""

    address: str
    weight: float


def test_a_kind_of_ones_own():
    """A class with attrs is a kind of event as any other: with all fields in its text, its data and its equality (E3)."""
    event = Delivered("there", 2.5).at("run", 7, 0.5, path(3, 1), "call/n", 2)
    assert fields_of(Delivered) == (*BASE, "address", "weight")
    assert repr(event) == (
        "Delivered(run='run', sequence=7, time=0.5, path=Path(3.1), node='call/n', strand=2, address='there', weight=2.5)"
    )
    assert event == Delivered("there", 2.5).at("run", 7, 0.5, path(3, 1), "call/n", 2)
    assert event != Delivered("there", 2.5).at("run", 8, 0.5, path(3, 1), "call/n", 2)
    assert len({event, Delivered("there", 2.5).at("run", 7, 0.5, path(3, 1), "call/n", 2)}) == 1
    assert kinds_of([Delivered]) == (Delivered,)


def test_a_kind_of_a_kind():
    """A kind below one of the engine's has its fields, too."""

    @attrs.frozen
    class Pushed(NodeStarted):
        force: int

    assert fields_of(Pushed) == (*BASE, "entered", "force")


def test_where_an_event_is_made():
    """By hand an event is put where it belongs: numbers for a path, and the graph is in the name of the node (C8)."""
    event = events.RunPaused(PauseReason("x")).at("run", 0, 0.0, (1, 2), "outer/inner/work")
    assert (event.path, event.path.graph, event.node) == (path(1, 2), "outer/inner/", "outer/inner/work")
    assert path_of((1, 2)) == path(1, 2)
    assert events.RunStarted().at("run", 0, 0.0).path is ROOT


def test_why_a_run_is_paused():
    """The reason of a pause is a text, and says who closed the gate and at which breakpoint (G2)."""
    reason = PauseReason("breakpoint at work", "breakpoint", "work")
    assert (reason, reason.kind, reason.breakpoint) == ("breakpoint at work", "breakpoint", "work")
    assert (PauseReason("by hand").kind, PauseReason("by hand").breakpoint) == ("host", None)


def test_kinds():
    """Kinds are named by classes, by their names and by groups, alone or several (E3)."""
    assert kinds_of("NodeStarted") == kinds_of(NodeStarted) == kinds_of(["NodeStarted"]) == (NodeStarted,)
    assert kinds_of(["messages", NodeStarted]) == (events.Feedback, events.Progress, NodeStarted)
    assert kinds_of(()) == ()
    everything = {kind for group in events.GROUPS for kind in kinds_of(group)}
    assert everything <= set(EVENTS)


def test_unknown_kinds():
    """All that are no kinds are told at once, each with what may have been meant."""
    with pytest.raises(UnknownName) as caught:
        kinds_of(["NodeStart", "step", "_Keyed", int, 3])
    first, second, third, fourth, fifth = str(caught.value).splitlines()
    assert first.startswith("There is no kind of event 'NodeStart'. Did you mean 'NodeStarted'? Name a class of")
    assert "Did you mean 'steps'?" in second
    assert third.startswith("There is no kind of event '_Keyed'.")
    assert fourth == "<class 'int'> is not a kind of event: give a class of trioflow.events, or its name."
    assert fifth.startswith("3 is not a kind of event")


def test_all_events_are_here():
    """The events that can be observed (E3)."""
    assert sorted(kind.__name__ for kind in EVENTS) == [
        "BreakpointFailed", "BreakpointHit", "Decision", "EvaluationAhead", "EvaluationCancelled", "EvaluationCompleted",
        "EvaluationFailed", "EvaluationForgotten", "EvaluationReady", "EvaluationReused", "EvaluationStarted", "Event", "EventsDropped", "Feedback", "JoinSkipped", "LimitReached", "MergeConflict", "NodeCancelled",
        "NodeCompleted", "NodeFailed", "NodeSkipped", "NodeStarted", "NotUndone", "ObserverFailed", "Progress", "RunCancelled",
        "RunCompleted", "RunFailed", "RunPaused", "RunResumed", "RunStarted", "StrandForked", "StrandJoined",
        "VariableSet", "WiresChosen",
    ]  # fmt: skip
