"""Nodes that remember values, and telling people."""

from __future__ import annotations

import logging
import math

import pytest
import trio
from hypothesis import given, settings
from hypothesis import strategies as st
from support import Note, chain

import trioflow as tf
from trioflow.testing import EventLog, fire, run_virtual


def fed(node_type, values, outputs, **inputs):
    """What a node's outputs are after each of some values."""
    with tf.build() as g:
        each, node = g.add("flow.for_each", items=list(values)), g.add(node_type, **inputs)
        g.connect(g.add("flow.start").then, each.enter)
        g.connect(each.body, node.enter)
        g.connect(each.item, node.value)
        chain(g, node, *(g.add(Note, f"note {output}", value=node[output]) for output in outputs))
    notes = []
    run_virtual(g.graph, services={"notes": notes})
    return list(zip(*[iter(notes)] * len(outputs), strict=True))


@pytest.mark.slow
@settings(max_examples=40)
@given(st.lists(st.integers(), min_size=1, max_size=8))
def test_statistics(values):
    """Whole numbers are exact; each time it is what the numbers so far give."""
    seen = fed("state.statistics", values, ["count", "total", "smallest", "greatest", "mean"])
    for place in range(len(values)):
        so_far = values[: place + 1]
        assert seen[place] == (
            len(so_far), sum(so_far), min(so_far), max(so_far), sum(so_far) / len(so_far)
        )  # fmt: skip


def test_statistics_edges():
    """Not-a-number is an error; a reset forgets, and goes nowhere."""
    with pytest.raises(ValueError, match="state.statistics: a value is not a number."):
        fire("state.statistics", value=math.nan)
    fired = fire("state.statistics", value=2, enter=["enter", "reset", "enter"])
    assert [values["count"] for _, values in fired] == [1, 1]


@pytest.mark.unmeasured
@settings(max_examples=40)
@given(st.lists(st.integers(0, 3), max_size=8), st.integers(1, 4))
def test_history_is_the_end_of_all(values, size):
    """history keeps the last ones, collect all, and neither shares its list."""
    seen = fed("state.history", values, ["items"], size=size)
    assert seen == [(values[: place + 1][-size:],) for place in range(len(values))]
    seen = fed("state.collect", values, ["items"])
    assert seen == [(values[: place + 1],) for place in range(len(values))]


def test_what_is_forgotten():
    """reset empties, tells so, and goes nowhere."""
    for node_type, empty, full in (
        ("state.history", [], [1]), ("state.collect", [], [1]), ("state.tally", {}, {1: 1}),
    ):  # fmt: skip
        name = "counts" if node_type == "state.tally" else "items"
        fired = fire(node_type, value=1, enter=["enter", "reset", "enter"])
        assert [values[name] for _, values in fired] == [full, full], node_type
        with tf.build() as g:
            node = g.add(node_type, "node", value=1)
            for enter in "enter", "reset":
                g.connect(g.add("flow.start").then, node[enter])
        assert run_virtual(g.graph).output("node", name) == empty
    with pytest.raises(ValueError, match="state.history needs 1 or more, got 0."):
        fire("state.history", value=1, size=0)


def test_tally():
    """Values are counted by the rules of Python's dicts; what can't be a key is an error."""
    assert fed("state.tally", ["a", "b", "a"], ["counts", "count"])[-1] == ({"a": 2, "b": 1}, 2)
    with pytest.raises(TypeError, match=r"state.tally can't count \[1\]: unhashable type: 'list'."):
        fire("state.tally", value=[1])


def test_previous_and_change():
    """The value of the last time, and the difference to it."""
    assert fed("state.previous", [1, 2, 3], ["previous"], initial=None) == [(None,), (1,), (2,)]
    assert fed("state.change", [5, 3, 3.5], ["change"]) == [(0,), (-2,), (0.5,)]


def test_keep_stays_as_it_was():
    """What is kept does not follow the variable behind it."""
    with tf.build() as g:
        g.variable("n", "int", 1)
        keep, change = (
            g.add("state.keep", "keep", value=g.add("variable.get", name="n").result),
            g.add("variable.set", name="n", value=2),
        )
        g.connect(g.add("flow.start").then, keep.enter)
        g.connect(keep.then, change.enter)
    assert run_virtual(g.graph).output("keep", "kept") == 1


def test_stopwatch():
    """It runs between start and stop, on trio's clock; a second start or stop changes nothing."""

    def wait():
        return trio.sleep(1)

    entered = ["enter", "start", "start", "enter", "stop", "stop", "enter", "start", "enter", "reset", "enter"]
    fired = fire("state.stopwatch", enter=entered, then=wait)
    assert [(values["seconds"], values["is_running"]) for _, values in fired] == [
        (0, False), (0, True), (1, True), (2, True), (3, False), (3, False), (3, False), (3, True), (4, True), (0, False),
    ]  # fmt: skip


def test_log(caplog):
    """A record of Python's logging, with the node's id; lines with percent signs are no formats."""
    with caplog.at_level(logging.DEBUG, "mine"):
        fire("debug.log", message="100 %s", level="warning", logger="mine")
        fire("debug.log", message=[1], level="debug", logger="mine")
    assert [(each.levelname, each.getMessage(), each.node) for each in caplog.records] == [
        ("WARNING", "100 %s", "node"), ("DEBUG", "[1]", "node"),
    ]  # fmt: skip


def test_events_for_whoever_watches():
    """Markers, feedback and progress are events, and nothing is printed."""
    with tf.build() as g:
        nodes = [
            g.add("flow.marker", label="here"), g.add("flow.marker", "mute"), g.add("debug.feedback", message="hm", level="error"),
            g.add("debug.progress", done=1, total=4.0, message="parts"), g.add("debug.progress", "open", done=2),
        ]  # fmt: skip
        before = g.add("flow.start")
        for node in nodes:
            g.connect(before.then, node.enter)
            before = node
    log = EventLog()
    run_virtual(g.graph, observers=[log])
    told = [each for each in log if isinstance(each, tf.events.Feedback)]
    assert [(each.message, each.level, each.tag) for each in told] == [
        ("here", "debug", "marker"),
        ("hm", "error", None),
    ]
    done = [(each.done, each.total, each.message) for each in log if isinstance(each, tf.events.Progress)]
    assert done == [(1.0, 4.0, "parts"), (2.0, None, "")]


def test_printing_errors(capsys):
    fire("debug.print_error", value="careful")
    assert capsys.readouterr() == ("", "careful\n")


@pytest.mark.parametrize(("value", "expected"), [
    ("abc", ("str", "'abc'", 3)), (5, ("int", "5", -1)), (None, ("NoneType", "None", -1)),
    ("x" * 100, ("str", "'xxx...xxx'", 100)), (list(range(100)), ("list", "[0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, ...]", 100)),
])  # fmt: skip
def test_inspect(value, expected):
    """Long values are shortened; what has no length says -1."""
    [(_, values)] = fire("debug.inspect", value=value, width=11)
    assert tuple(values.values()) == expected


def test_consume_evaluates_and_raises():
    """What is asked for is evaluated here, and what it raises is raised here."""
    with tf.build() as g:
        consume = g.add("flow.consume", "consume", value=g.add(lambda: 1 / 0).result)
        g.connect(g.add("flow.start").then, consume.enter)
    with pytest.raises(ZeroDivisionError):
        run_virtual(g.graph)


def test_measure():
    """How long the body took; not told if it fails."""
    assert fire("flow.measure", body=lambda: trio.sleep(1.5))[-1] == ("done", {"seconds": 1.5})
    with pytest.raises(ZeroDivisionError):
        fire("flow.measure", body=lambda: 1 / 0)
