from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trioflow.errors import MergeError
from trioflow.semantics.merge import POLICIES, THREE_WAY, addition, merge_variable

numbers = st.integers()
items = st.lists(st.integers(0, 9))


def merged(policy, base, forks):
    """The owner's value after the forks, which all started with `base`, were merged in their order."""
    mine = base
    for theirs in forks:
        mine = merge_variable(policy, {}, "v", base, mine, theirs)
    return mine


def sequential(base, changes, change):
    """The value after the same changes, one after the other."""
    for each in changes:
        base = change(base, each)
    return base


def agrees(policy, base, changes, change):
    return merged(policy, base, [change(base, each) for each in changes]) == sequential(base, changes, change)


def test_policies():
    """Eight policies need no registration; five of them are functions of three values (F4)."""
    assert POLICIES == ("last", "first", "error", "sum", "append", "union", "min", "max")
    assert tuple(THREE_WAY) == POLICIES[3:]


@given(numbers, st.lists(numbers))
def test_sum(base, added):
    """Forks that add leave the sum that they leave one after the other (F3, F4)."""
    assert agrees("sum", base, added, lambda value, each: value + each)


@given(st.floats(allow_nan=False, allow_infinity=False), st.floats(allow_nan=False, allow_infinity=False))
def test_sum_of_nothing(base, mine):
    """A fork that added nothing changes nothing, not even by rounding (F4)."""
    assert merge_variable("sum", {}, "v", base, mine, base) == mine


@given(items, st.lists(items))
def test_append(base, added):
    """Forks that append leave the same list, tuple or text as one after the other (F3, F4)."""
    assert agrees("append", base, added, lambda value, each: [*value, *each])
    assert agrees("append", tuple(base), added, lambda value, each: (*value, *each))
    texts = ["".join(map(str, each)) for each in added]
    assert agrees("append", "start", texts, lambda value, each: value + each)


@given(items, st.lists(items))
def test_union(base, added):
    """Forks that add what is not there yet leave the same sets, lists and tuples as one after the other (F3, F4)."""
    once = list(dict.fromkeys(base))
    assert agrees("union", set(base), added, lambda value, each: value | set(each))
    assert agrees("union", frozenset(base), added, lambda value, each: value | set(each))
    assert agrees("union", once, added, lambda value, each: list(dict.fromkeys([*value, *each])))
    assert agrees("union", tuple(once), added, lambda value, each: tuple(dict.fromkeys([*value, *each])))


@pytest.mark.unmeasured
@given(st.dictionaries(st.text(max_size=1), numbers), st.lists(st.dictionaries(st.text(max_size=1), numbers)))
def test_union_of_dicts(base, added):
    """Forks that add keys leave the same dict as one after the other; each keeps what the others added (F4)."""
    added = [{key: value for key, value in each.items() if key not in base} for each in added]
    assert agrees("union", base, added, lambda value, each: {**value, **each})


def test_union_in_detail():
    """Each item once, also if it can't be hashed; the fork's changed keys win; nothing is taken away (F4)."""
    union = THREE_WAY["union"]
    assert union([], [1], [2, 2, 1]) == [1, 2]
    assert union([], [[1]], [[2], [2], [1]]) == [[1], [2]]
    assert union({"a": 1, "b": 1}, {"a": 2, "b": 2, "c": 2}, {"a": 1, "b": 3}) == {"a": 2, "b": 3, "c": 2}


@pytest.mark.parametrize(
    ("mine", "theirs"), [([1], {"a": 1}), ({"a": 1}, [1]), ((1,), [1]), ([1], (1,)), ({1}, [1]), ((1,), {1}), (1, "1")]
)
def test_no_union_of_two_kinds(mine, theirs):
    """Values of different kinds have no union, and the message names both kinds (F4)."""
    kinds = f"TypeError: {type(mine).__name__} and {type(theirs).__name__} have no union"
    with pytest.raises(MergeError, match=kinds):
        merge_variable("union", {}, "v", [], mine, theirs)


def test_union_knows_types():
    """1, 1.0 and True are three items, in lists that can be hashed and in those that can't (F4, D11)."""
    union = THREE_WAY["union"]
    assert list(map(repr, union([], [1, True], [1.0, 1]))) == ["1", "True", "1.0"]
    assert list(map(repr, union([], [1, []], [True, 1.0, 1, []]))) == ["1", "[]", "True", "1.0"]


@pytest.mark.parametrize("wrap", [lambda x: [x], lambda x: (x,), lambda x: {"k": x}, lambda x: [[0, (x,)]]])
def test_types_count_at_every_depth(wrap):
    """What holds 1 is another item than what holds True; made of one the other, a list was not appended to (F4)."""
    union, append = THREE_WAY["union"], THREE_WAY["append"]
    one, true = wrap(1), wrap(True)
    assert repr(union([], [one], [true, wrap(1), true])) == repr([one, true])
    assert repr(union({"a": one}, {"a": one}, {"a": true})) == repr({"a": true})
    assert append([one], [one, 2], [wrap(1), 3]) == [one, 2, 3]
    with pytest.raises(ValueError, match="instead of appending"):
        append([one], [one], [true, 3])
    assert addition("append", [one], [one], [true, 3]) is None


@pytest.mark.parametrize("policy", ["sum", "min", "max"])
@pytest.mark.parametrize("values", [(0, True, 1), (0, 1, False)])
def test_true_is_no_number(policy, values):
    """Python counts with True and False, merge policies do not (F4, D11)."""
    with pytest.raises(MergeError, match="True and False are not numbers"):
        merge_variable(policy, {}, "v", *values)


def test_a_truth_value_at_the_fork():
    """It matters to a sum, and neither to the smaller nor to the greater (F4)."""
    with pytest.raises(MergeError):
        merge_variable("sum", {}, "v", True, 1, 2)
    assert merge_variable("min", {}, "v", True, 1, 2) == 1
    assert merge_variable("max", {}, "v", False, 1, 2) == 2


@given(numbers, st.lists(numbers))
def test_min_and_max(base, values):
    """Forks that keep the smaller or the greater leave the same as one after the other (F3, F4)."""
    assert agrees("min", base, values, min)
    assert agrees("max", base, values, max)


@pytest.mark.parametrize("policy", THREE_WAY)
def test_arguments_stay(policy):
    """Merging changes none of its arguments: other strands still see them (F1)."""
    base, mine, theirs = [1], [1, 2], [1, 3]
    if policy == "sum":
        base, mine, theirs = 1, 2, 3
    merge_variable(policy, {}, "v", base, mine, theirs)
    assert (base, mine, theirs) in [(1, 2, 3), ([1], [1, 2], [1, 3])]


@pytest.mark.parametrize(
    ("policy", "base", "mine", "theirs"),
    [
        ("sum", None, 1, 2),
        ("sum", [], [1], [2]),
        ("append", [1], [1, 2], [3]),
        ("append", 0, 1, 2),
        ("append", [], [1], (2,)),
        ("union", 0, 1, 2),
        ("union", [], [1], {"a": 1}),
        ("union", "", "a", "b"),
        ("union", None, {}, {"a": 1}),
        ("min", 0, 1, "a"),
        ("max", None, None, 1),
    ],
)
def test_values_that_do_not_suit(policy, base, mine, theirs):
    """A policy that the values do not suit is a MergeError, never a guess (F4)."""
    with pytest.raises(MergeError):
        merge_variable(policy, {}, "v", base, mine, theirs)


def test_message():
    """A MergeError names the variable, the policy, the three values, shortened, and the cure (F4)."""
    with pytest.raises(MergeError) as caught:
        merge_variable("append", {}, "log", list(range(1000)), [1], [2])
    assert str(caught.value) == (
        "Variable 'log' can't be merged by 'append': ValueError: the fork changed what was there before, instead of "
        "appending to it. At the fork it was [0, 1, 2, 3, 4, 5, ...], the owner has [1], the fork [2]. Start it with a "
        "value that the policy suits (0 for 'sum', [] for 'append'), or choose another policy."
    )


def test_registered_policy():
    """A policy of the host gets base, mine and theirs; one that fails is a MergeError caused by it (F4)."""
    assert merge_variable("mine", {"mine": lambda *three: three}, "v", 1, 2, 3) == (1, 2, 3)
    with pytest.raises(MergeError, match="ZeroDivisionError") as caught:
        merge_variable("bad", {"bad": lambda base, mine, theirs: 1 / 0}, "v", 1, 2, 3)
    assert isinstance(caught.value.__cause__, ZeroDivisionError)


@pytest.mark.parametrize(
    ("policy", "base", "mine", "theirs"),
    [
        ("append", [1], [1], [2]),
        ("append", 5, [1], [2]),
        ("append", [], [1], (2,)),
        ("union", [], [1], [2]),
        ("union", None, {}, {1: 2}),
        ("sum", 0, 1, 2),
    ],
)
def test_nothing_to_add(policy, base, mine, theirs):
    """What can't be added to a value is left to the policy, which merges it or says what is wrong."""
    assert addition(policy, base, mine, theirs) is None


def test_union_of_equal_items():
    """Items that are equal are one, whether or not they are the same object (F4)."""
    union = THREE_WAY["union"]
    assert union([], ["12"], [str(12)]) == ["12"]
    assert union([], [["12"]], [[str(12)]]) == [["12"]]


def test_only_union_adds_to_a_set():
    """Policies that know nothing of sets add nothing to them (F4)."""
    assert addition("union", {1}, {1}, {1, 2}) is not None
    assert addition("append", {1}, {1}, {1, 2}) is None
    assert addition("min", {1}, {1}, {1, 2}) is None


def test_nothing_begins_with_another_kind():
    """A list does not begin with a tuple of the same items, so nothing is known to have been added (F4)."""
    assert addition("append", [1], [1], [1, 2]) is not None
    assert addition("append", (1,), [1], [1, 2]) is None
