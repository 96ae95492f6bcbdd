"""Variables: changing them by what they were, alone and in concurrent strands."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import trioflow as tf
from trioflow.testing import ShuffledSchedule, fire, run_virtual


def changed(node_type, before, **inputs):
    """What a variable is afterwards."""
    [(output, values)] = fire(node_type, variables={"v": before}, name="v", **inputs)
    assert output == "then"
    return values["result"]


@pytest.mark.parametrize(("node_type", "before", "inputs", "after"), [
    ("variable.add", 1, {}, 2), ("variable.add", 1, {"value": -2.5}, -1.5),
    ("variable.append", [], {"value": [1]}, [[1]]),
    ("variable.unite", {"a": 1, "b": 1}, {"value": {"a": 2}}, {"a": 2, "b": 1}),
    ("variable.unite", [1, 2], {"value": [2, 3]}, [1, 2, 3]),
    ("variable.minimum", 3, {"value": 5}, 3), ("variable.minimum", None, {"value": 5}, 5),
    ("variable.maximum", 3, {"value": 5}, 5), ("variable.maximum", None, {"value": "a"}, "a"),
    ("variable.toggle", True, {}, False),
    ("variable.set_item", {"a": 1}, {"key": "a", "value": 2}, {"a": 2}),
    ("variable.remove_item", {"a": 1}, {"key": "b"}, {"a": 1}),
    ("variable.remove_item", {"a": 1}, {"key": "a"}, {}),
])  # fmt: skip
def test_changing(node_type, before, inputs, after):
    """The new value is given, and what it was before is left alone: nothing on a wire changes behind one's back."""
    as_before = before.copy() if isinstance(before, dict | list) else before
    assert changed(node_type, before, **inputs) == after
    assert before == as_before


@pytest.mark.parametrize(("node_type", "before", "inputs", "problem"), [
    ("variable.add", "1", {}, "variable 'v' is '1', and can't be changed by 1: '1' is not a number."),
    ("variable.add", True, {}, "variable 'v' is True, and can't be changed by 1: True is not a number."),
    ("variable.append", (), {"value": 1}, "variable 'v' is (), and can't be changed by 1: () is not of type list."),
    ("variable.unite", {}, {"value": [1]}, "variable 'v' is {}, and can't be changed by [1]: [1] is not of type dict."),
    ("variable.unite", 1, {"value": {}}, "variable 'v' is 1, and can't be changed by {}: 1 is not of type dict."),
    ("variable.minimum", 1, {"value": "a"}, "variable 'v' is 1, and can't be changed by 'a': "),
    ("variable.toggle", 1, {}, "variable 'v' is 1: 1 is not of type bool."),
    ("variable.set_item", [], {"key": 0, "value": 1}, "variable 'v' is [], and can't be changed by 0, 1: [] is not of type dict."),
    ("variable.remove_item", {}, {"key": []}, "variable 'v' is {}, and can't be changed by []: list [] can be neither a key nor a member: its contents may change."),
])  # fmt: skip
def test_what_can_not_be_changed(node_type, before, inputs, problem):
    """The error names the variable, what it is and what it should be changed by."""
    with pytest.raises(TypeError) as caught:
        changed(node_type, before, **inputs)
    assert str(caught.value).startswith(f"{node_type}: {problem}")


def test_a_value_that_does_not_fit_the_type():
    """A variable keeps its type, whoever changes it."""
    with tf.build() as g:
        g.variable("n", "int", 1)
        g.connect(g.add("flow.start").then, g.add("variable.add", name="n", value=0.5).enter)
    with pytest.raises(tf.CoercionError):
        run_virtual(g.graph)


def test_taking():
    """The first or the last item; when there is none it goes on at `empty`, and the item stays what it was."""
    for last, expected in (False, ["a", "b"]), (True, ["b", "a"]):
        fired = fire("variable.take", variables={"v": ["a", "b"]}, name="v", last=last, enter=["enter"] * 3)
        assert fired == [*(("then", {"item": item}) for item in expected), ("empty", {})]
    with pytest.raises(TypeError, match="variable.take: variable 'v' holds no list but 'ab'."):
        fire("variable.take", variables={"v": "ab"}, name="v")


def test_swapping():
    fired = fire("variable.swap", variables={"v": 1}, name="v", value=2, enter=["enter", "enter"])
    assert fired == [("then", {"previous": 1}), ("then", {"previous": 2})]


CHANGES = {
    "variable.add": ("sum", 10, st.integers()),
    "variable.append": ("append", ["x"], st.integers()),
    "variable.unite": ("union", {"x": 0}, st.dictionaries(st.integers(0, 3), st.integers(), max_size=3)),
    "variable.minimum": ("min", 5, st.integers()),
    "variable.maximum": ("max", 5, st.integers()),
}


STANDARD = tf.Registry.standard(plugins=False)


@pytest.mark.unmeasured
@pytest.mark.parametrize("node_type", CHANGES)
@settings(max_examples=30)
@given(data=st.data())
def test_concurrent_changes_are_those_of_one_after_the_other(node_type, data):
    """With the merge policy that goes with it, a variable holds the same under every mode and schedule (F4)."""
    merge, before, values = CHANGES[node_type]
    items = data.draw(st.lists(values, max_size=5))
    seed = data.draw(st.integers(0, 1000))
    results = []
    for mode in "sequential", "concurrent":
        with tf.build(STANDARD) as g:
            g.variable("v", default=before, merge=merge)
            each = g.add("flow.for_each", items=items)
            g.configure(each, mode=mode)
            g.connect(g.add("flow.start").then, each.enter)
            g.connect(each.body, g.add(node_type, name="v", value=each.item).enter)
        result = run_virtual(g.graph, registry=STANDARD, middleware=[ShuffledSchedule(seed)])
        results.append(result.variables["v"])
    assert results[0] == results[1]
