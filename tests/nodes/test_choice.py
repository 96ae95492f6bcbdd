"""Choices: which way it goes on, and what is asked for that."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support import Note

import trioflow as tf
from trioflow.testing import fire


def way(node_type, **inputs):
    [(output, values)] = fire(node_type, **inputs)
    assert values == {}
    return output


@pytest.mark.parametrize(("inputs", "expected"), [
    ({}, "otherwise"), ({"if_1": True, "if_2": True}, "then_1"), ({"if_6": True}, "then_6"),
    ({"if_1": False, "if_2": True}, "then_2"),
])  # fmt: skip
def test_multi_branch(inputs, expected):
    assert way("flow.multi_branch", **inputs) == expected


@pytest.mark.parametrize(("value", "expected"), [(1, "is_1"), (0, "is_2"), (5, "is_8"), (7, "default")])
def test_switch_int(value, expected):
    """A case that is left unset never matches, not even 0."""
    assert way("flow.switch_int", value=value, case_1=1, case_2=0, case_8=5) == expected


@pytest.mark.parametrize(("value", "ignore_case", "expected"), [
    ("a", False, "is_1"), ("A", False, "is_2"), ("A", True, "is_1"), ("", False, "is_3"), ("STRASSE", True, "is_4"),
    ("STRASSE", False, "default"), ("a ", True, "default"),
])  # fmt: skip
def test_switch_text(value, ignore_case, expected):
    """Letters are compared as they are, or without their case by the rules of Unicode."""
    cases = {"case_1": "a", "case_2": "A", "case_3": "", "case_4": "Straße"}
    assert way("flow.switch_text", value=value, ignore_case=ignore_case, **cases) == expected


@pytest.mark.parametrize(("index", "expected"), [(0, "way_0"), (7, "way_7"), (8, "other"), (-1, "other")])
def test_switch_index(index, expected):
    assert way("flow.switch_index", index=index) == expected


@pytest.mark.parametrize(("value", "expected"), [
    (None, "none"), (True, "truth"), (0, "number"), (math.nan, "number"), ("", "text"), ([], "list"), ((), "list"),
    ({}, "dict"), (b"", "other"), ({1}, "other"),
])  # fmt: skip
def test_switch_type(value, expected):
    """Truth values are no numbers; bytes are no text."""
    with tf.build() as g:
        switch = g.add("flow.switch_type", value=g.add(lambda: value).result)
        g.connect(g.add("flow.start").then, switch.enter)
        for output in ("none", "truth", "number", "text", "list", "dict", "other"):
            g.connect(switch[output], g.add(Note, output, value=output).enter)
    notes = []
    tf.testing.run_virtual(g.graph, services={"notes": notes})
    assert notes == [expected]


@settings(max_examples=60)
@given(st.floats(allow_nan=False) | st.integers(), st.floats(allow_nan=False) | st.integers())
def test_compare(a, b):
    """Numbers are compared exactly, however large."""
    assert way("flow.compare", a=a, b=b) == ("less" if a < b else "greater" if a > b else "equal")


def test_compare_with_what_is_no_number():
    with pytest.raises(ValueError, match="flow.compare: nan and 1 can't be compared"):
        fire("flow.compare", a=math.nan, b=1)


def test_chance_is_the_same_for_the_same_seed(bench):
    """It is drawn from the run's seed and the activation's path; 0 is never, 1 always."""
    with tf.build() as g:
        loop, chance = g.add("flow.repeat", times=200), g.add("flow.chance", probability=0.3)
        g.connect(g.add("flow.start").then, loop.enter)
        g.connect(loop.body, chance.enter)
        for output in "yes", "no":
            g.connect(chance[output], g.add(Note, output, value=output).enter)
    drawn = []
    for seed in 1, 1, 2:
        bench.run(g.graph, options=tf.RunOptions(seed=seed))
        drawn.append(tuple(bench.notes))
    assert drawn[0] == drawn[1] != drawn[2]
    assert 30 < drawn[0].count("yes") < 90
    assert way("flow.chance", probability=0.0) == "no"


@pytest.mark.parametrize("probability", [-0.1, 1.1, math.nan])
def test_chance_needs_a_probability(probability):
    with pytest.raises(ValueError, match=f"flow.chance needs a probability from 0 to 1, got {probability}"):
        fire("flow.chance", probability=probability)


@pytest.mark.parametrize(("node_type", "inputs", "asked"), [
    ("flow.multi_branch", ("if_1", "if_2", "if_3"), [False, True]),
    ("flow.switch", ("case_1", "case_2", "case_3"), [False, True]),
])  # fmt: skip
def test_what_comes_after_is_not_asked(bench, node_type, inputs, asked):
    """Conditions and cases after the one that holds are not evaluated (D4)."""
    evaluated = []

    def answer(number: int) -> bool:
        evaluated.append(number)
        return number == 2

    with tf.build() as g:
        node = g.add(node_type, **({"value": True} if node_type == "flow.switch" else {}))
        g.connect(g.add("flow.start").then, node.enter)
        for number, socket in enumerate(inputs, 1):
            g.connect(g.add(answer, f"answer {number}", number=number).result, node[socket])
    bench.run(g.graph)
    assert evaluated == [1, 2]


@pytest.mark.unmeasured
def test_a_long_run_of_choices_does_not_nest(bench):
    """A loop made of wires through a branch runs in constant depth."""
    with tf.build() as g:
        g.variable("n", "int", 0)
        more = g.add(
            "flow.branch", condition=g.add("logic.less", a=g.add("variable.get", name="n").result, b=5000).result
        )
        add = g.add("variable.add", name="n")
        g.connect(g.add("flow.start").then, more.enter)
        g.connect(more.true, add.enter)
        g.connect(add.then, more.enter)
    assert bench.run(g.graph, options=tf.RunOptions(max_depth=10)).variables == {"n": 5000}
