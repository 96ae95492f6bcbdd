"""The canonical trace: what is in it, and in which order (E5)."""

from __future__ import annotations

import pytest

from trioflow.semantics import events
from trioflow.semantics.events import ROOT, Path
from trioflow.semantics.trace import CanonicalTrace, canonical_trace

FIRST, SECOND = Path(ROOT, 1), Path(ROOT, 2)
ERROR = ValueError("boom")


def event(kind, path=FIRST, node="n", **more):
    return kind(**more).at("run", 0, 0.0, path, node)


def started(path=FIRST, node="n", entered=None):
    return event(events.NodeStarted, path, node, entered=entered)


def test_nothing():
    """Without events nothing is in it; an event about the run as a whole adds nothing (E5)."""
    assert canonical_trace([event(events.RunStarted, ROOT, None)]) == CanonicalTrace((), (), (), (), ())


@pytest.mark.parametrize(
    ("kind", "more", "how", "handed_over"),
    [
        (events.NodeCompleted, {"handed_over": "then"}, "completed", "then"),
        (events.NodeFailed, {"error": ERROR, "origin": FIRST}, "failed", None),
        (events.NodeCancelled, {}, "cancelled", None),
        (events.NodeSkipped, {"error": ERROR, "origin": FIRST}, "skipped", None),
    ],
)
def test_ends(kind, more, how, handed_over):
    """An activation says where it entered, how it ended, and where it went on (E5)."""
    trace = canonical_trace([started(entered="enter"), event(kind, **more)])
    assert trace.activations == (((1,), "n", "enter", how, handed_over),)


def test_open():
    """An activation that never ended is open (E5)."""
    assert canonical_trace([started(entered="enter")]).activations == (((1,), "n", "enter", "open", None),)


def test_order_of_activations():
    """Activations are in the order of their paths, whatever ended first, and whatever comes after the path (E5)."""
    ended = event(events.NodeCompleted, SECOND, handed_over=None)
    trace = canonical_trace([started(SECOND, "b"), ended, started(FIRST, None)])
    assert [row[0] for row in trace.activations] == [(1,), (2,)]


def test_order_of_messages():
    """Messages are in the order of the paths, and of one path as they came (E5)."""

    def said(path, message):
        return event(events.Feedback, path, message=message, level="info", tag=None)

    trace = canonical_trace([said(SECOND, "c"), said(FIRST, "b"), said(FIRST, "a")])
    assert trace.messages == (((1,), "info", "b"), ((1,), "info", "a"), ((2,), "info", "c"))


def test_strands_and_conflicts():
    """Strands and conflicts are sorted by path, then by what happened (E5)."""

    def conflict(path, variable):
        return event(events.MergeConflict, path, variable=variable, kept=1, lost=2)

    log = [
        event(events.StrandForked, SECOND), event(events.StrandJoined, FIRST), event(events.StrandForked, FIRST),
        conflict(SECOND, "a"), conflict(FIRST, "c"), conflict(FIRST, "b"),
    ]  # fmt: skip
    trace = canonical_trace(log)
    assert trace.strands == (((1,), "forked"), ((1,), "joined"), ((2,), "forked"))
    assert trace.conflicts == (((1,), "b"), ((1,), "c"), ((2,), "a"))


def test_evaluations():
    """Which evaluations were made counts, not who asked, nor how often; those that failed were not (E5)."""
    log = [
        event(events.EvaluationStarted),
        event(events.EvaluationCompleted, key="b"),
        event(events.EvaluationReused, SECOND, key="b"),
        event(events.EvaluationReused, SECOND, key="a"),
        event(events.EvaluationFailed, error=ERROR),
    ]
    assert canonical_trace(log).evaluations == ("a", "b")
