"""How what a run did is written down (spec/INTERPRETING.md, 6 and 8)."""

from __future__ import annotations

from trioflow.contract.trace import as_text, canonical, event, result

TRACE = [
    event("started", (0, 0), "n", None),
    event("forked", (0, 0, 0)),
    event("started", (0, 0, 0, 0), "m", "enter"),
    event("evaluated", (0, 0, 0, 0), "d", "d#2"),
    event("feedback", (0, 0, 0, 0), ["ü", None]),
    event("failed", (0, 0, 0, 0), "m", (0, 0, 0, 0)),
    event("evaluated", (0, 0), "d", "d#1"),
    event("evaluated", (0, 0), "d", "d#2"),
    event("conflict", (0, 0, 0), "v"),
    event("joined", (0, 0, 0)),
    event("completed", (0, 0), "n", "done"),
]


def test_events_in_a_step():
    """Each is a line of words; what is not there is a dash, values are JSON, the root's path has a name."""
    assert list(map(as_text, TRACE)) == [
        "started 0.0 n -", "forked 0.0.0", "started 0.0.0.0 m enter", "evaluated 0.0.0.0 d d#2",
        'feedback 0.0.0.0 ["ü",null]', "failed 0.0.0.0 m 0.0.0.0", "evaluated 0.0 d d#1", "evaluated 0.0 d d#2",
        "conflict 0.0.0 v", "joined 0.0.0", "completed 0.0 n done",
    ]  # fmt: skip
    assert as_text(event("failed", (), "n", ())) == "failed root n root"


def test_the_canonical_trace():
    """By path, not by time; evaluations by their names, each once (E5)."""
    assert canonical(TRACE) == {
        "activations": [[[0, 0], "n", None, "completed", "done"], [[0, 0, 0, 0], "m", "enter", "failed", None]],
        "feedback": [[[0, 0, 0, 0], ["ü", None]]],
        "strands": [[[0, 0, 0], "forked"], [[0, 0, 0], "joined"]],
        "conflicts": [[[0, 0, 0], "v"]],
        "evaluations": ["d#1", "d#2"],
    }


def test_a_result_has_all_fields():
    """What is not given is empty; feedback is that of the trace."""
    whole = result("failed", TRACE, errors=["depth"])
    assert (whole["status"], whole["errors"], whole["variables"], whole["life"]) == ("failed", ["depth"], {}, [])
    assert whole["feedback"] == whole["canonical"]["feedback"] == [[[0, 0, 0, 0], ["ü", None]]]
