"""Lists, dictionaries, sets, tables: what their nodes do at the edges, and the laws that they keep."""

from __future__ import annotations

import math

import pytest
from data_nodes import call, law, value_of, written
from hypothesis import given
from hypothesis import strategies as st

NAN = math.nan
items = st.lists(st.integers(-3, 3) | st.sampled_from([True, None, "a", "b", 1.0, 0.5]), max_size=8)
whole_lists = st.lists(st.integers(-5, 5), max_size=10)
places = st.integers(-12, 12)
entries = st.dictionaries(st.sampled_from("abcdef"), st.integers(-3, 3) | st.none(), max_size=5)
members = st.frozensets(st.integers(-3, 3) | st.sampled_from("abc"), max_size=6)
rows = st.lists(st.fixed_dictionaries({"k": st.integers(0, 3), "n": st.integers()}), max_size=6)


@pytest.mark.parametrize(
    ("type_id", "inputs", "expected"),
    [
        ("list.range", {"stop": 0, "start": 3, "step": -1}, [3, 2, 1]),
        ("list.range", {"stop": 3, "start": 3}, []),
        ("list.repeat", {"items": [1], "times": -1}, []),
        ("list.is_empty", {"items": []}, True),
        ("list.get_or", {"items": ["a"], "index": -1, "otherwise": "b"}, "a"),
        ("list.insert", {"items": [1], "index": 99, "item": 2}, [1, 2]),
        ("list.insert", {"items": [1, 3], "index": -1, "item": 2}, [1, 2, 3]),
        ("list.remove", {"items": [1], "item": 2}, [1]),
        ("list.remove", {"items": [True, 1], "item": 1}, [True]),
        ("list.split_at", {"items": [1, 2], "index": 9}, {"before": [1, 2], "after": []}),
        ("list.contains", {"items": [True], "item": 1}, False),
        ("list.contains", {"items": [NAN], "item": NAN}, False),
        ("list.contains", {"items": [[1, {"a": 2}]], "item": [1.0, {"a": 2}]}, True),
        ("list.last_index_of", {"items": [], "item": 1}, -1),
        ("list.unique", {"items": [[1], {"a": 1}, [1], {"a": 1}, 1, True]}, [[1], {"a": 1}, 1, True]),
        ("list.rotate", {"items": [], "by": 3}, []),
        ("list.rotate", {"items": [1, 2, 3], "by": -1}, [3, 1, 2]),
        ("list.flatten", {"items": [1, [2, [3, [4]]]], "depth": 2}, [1, 2, 3, [4]]),
        ("list.flatten", {"items": [[1]], "depth": 0}, [[1]]),
        ("list.flatten", {"items": [[[1]]], "depth": 10**9}, [1]),
        ("list.windows", {"items": [1], "size": 2}, []),
        ("list.runs", {"items": [1, True, 1.0]}, [[1], [True], [1.0]]),
        ("list.transpose", {"rows": []}, []),
        ("list.transpose", {"rows": [[], []]}, []),
        ("list.zip", {"a": [], "b": [1]}, []),
        ("dict.from_pairs", {"pairs": [["a", 1], ["a", 2]]}, {"a": 2}),
        ("dict.get_or", {"entries": {"a": None}, "key": "a", "otherwise": 1}, None),
        ("dict.set", {"entries": {}, "key": "a", "value": 1}, {"a": 1}),
        ("dict.increment", {"entries": {}, "key": "a", "by": 0.5}, {"a": 0.5}),
        ("dict.append", {"entries": {}, "key": "a", "item": 1}, {"a": [1]}),
        ("dict.remove", {"entries": {}, "key": "a"}, {}),
        ("dict.rename", {"entries": {"a": 1}, "key": "a", "to": "a"}, {"a": 1}),
        ("dict.find", {"entries": {"a": 1, "b": True}, "value": True}, ["b"]),
        ("dict.merge_deep", {"a": {"x": {"y": 1}}, "b": {"x": 2}}, {"x": 2}),
        ("dict.sort", {"entries": {"a": 2, "b": 1}, "by": "value"}, {"b": 1, "a": 2}),
        ("dict.sort", {"entries": {"a": 2, "b": 1}, "descending": True}, {"b": 1, "a": 2}),
        ("set.to_list", {"members": [NAN, "b", None, 2, "a", 1.5]}, [1.5, 2, NAN, "a", "b", None]),
        ("set.length", {"members": []}, 0),
        ("set.remove", {"members": [1], "member": 2}, frozenset({1})),
        ("convert.to_list", {"value": frozenset({"b", "a", (2, "x"), (1,), frozenset({3})})}, ["a", "b", (1,), (2, "x"), frozenset({3})]),
        ("table.columns", {"rows": []}, []),
        ("table.find", {"rows": [{"a": 1}], "key": "a", "value": True}, None),
        ("table.where", {"rows": [{"a": 1}, {}], "key": "a", "value": None}, []),
        ("table.pick", {"rows": [{"a": 1}], "columns": ["b", "a"]}, [{"a": 1}]),
        ("table.join", {"a": [{"k": 1}, {"k": 2}], "b": [{"k": 1, "x": 1}, {"k": 1, "x": 2}], "key": "k", "keep_all": True},
         [{"k": 1, "x": 1}, {"k": 1, "x": 2}, {"k": 2}]),
    ],
)  # fmt: skip
def test_edge(type_id, inputs, expected):
    """What a node gives at its edges is as its documentation says, in the same order and of the same types."""
    assert written(value_of(type_id, **inputs)) == written(expected)


@pytest.mark.parametrize(
    ("type_id", "inputs", "error", "message"),
    [
        ("list.range", {"stop": 10**9}, ValueError, "1000000000 items; it may have 1000000 at most"),
        ("list.repeat", {"items": [1], "times": 10**9}, ValueError, "1000000000 items"),
        ("list.set", {"items": [], "index": 0, "item": 1}, IndexError, "list.set: there is no item 0 in a list of 0"),
        ("list.remove_at", {"items": [1], "index": 1}, IndexError, "no item 1 in a list of 1"),
        ("list.swap", {"items": [1], "a": 0, "b": 1}, IndexError, "no item 1 in a list of 1"),
        ("list.move", {"items": [1], "index": 0, "to": 1}, IndexError, "no item 1 in a list of 1"),
        ("list.pick", {"items": [1], "indexes": [0, 5]}, IndexError, "no item 5"),
        ("list.every", {"items": [1], "step": 0}, ValueError, "step must be more than 0"),
        ("list.filter", {"items": [1], "keep": []}, ValueError, "1 items have 0 truth values"),
        ("list.sort", {"items": [1, NAN]}, ValueError, "item 1 is not-a-number"),
        ("list.sort", {"items": [None, 1]}, TypeError, "list.sort: the items can't be compared: .*not supported between"),
        ("list.sort_by", {"items": [1], "keys": []}, ValueError, "1 items have 0 keys"),
        ("list.sum", {"items": [1, True]}, TypeError, "list.sum: expected numbers, but item 1 is bool True"),
        ("list.chunk", {"items": [1], "size": 0}, ValueError, "size must be more than 0"),
        ("list.windows", {"items": [1], "size": -1}, ValueError, "size must be more than 0"),
        ("list.transpose", {"rows": [[1], [1, 2]]}, ValueError, "row 0 has 1 items, and row 1 has 2"),
        ("dict.get", {"entries": {"a": 1}, "key": "b"}, KeyError, "there is no key 'b'. There are: 'a'."),
        ("dict.get", {"entries": {}, "key": "b"}, KeyError, "There are: none"),
        ("dict.get", {"entries": dict.fromkeys("abcdefghij", 0), "key": "x"}, KeyError, "'i', 'j'\\."),
        ("dict.get", {"entries": dict.fromkeys("abcdefghijk", 0), "key": "x"}, KeyError, r"'i', 'j', \.\.\.\."),
        ("dict.get", {"entries": {}, "key": []}, TypeError, "can be neither a key nor a member"),
        ("dict.get_or", {"entries": {}, "key": [], "otherwise": 1}, TypeError, "can be neither a key"),
        ("dict.from_lists", {"keys": ["a"], "values": []}, ValueError, "1 keys have 0 values"),
        ("dict.from_lists", {"keys": [[]], "values": [1]}, TypeError, "list \\[\\] can be neither"),
        ("dict.increment", {"entries": {"a": True}, "key": "a"}, TypeError, "the value of 'a' is bool True"),
        ("dict.append", {"entries": {"a": "x"}, "key": "a", "item": 1}, TypeError, "expected a list, but the value of 'a' is str"),
        ("dict.rename", {"entries": {"a": 1}, "key": "b", "to": "c"}, KeyError, "there is no key 'b'"),
        ("dict.rename", {"entries": {"a": 1, "b": 2}, "key": "a", "to": "b"}, ValueError, "a key 'b' already"),
        ("dict.invert", {"entries": {"a": 1, "b": 1}}, ValueError, "'a' and 'b' have the same value 1"),
        ("dict.sort", {"entries": {"a": None, "b": 1}, "by": "value"}, TypeError, "can't be compared"),
        ("set.from_list", {"items": [[1]]}, TypeError, "can be neither a key nor a member"),
        ("table.from_rows", {"columns": ["a", "a"], "rows": []}, ValueError, "columns that differ"),
        ("table.from_rows", {"columns": ["a"], "rows": [[1], [1, 2]]}, ValueError, "lists of 1 values, but row 1 is list"),
        ("table.column", {"rows": [{"a": 1}, {}], "key": "a"}, KeyError, "row 1 has no value for 'a'"),
        ("table.set_column", {"rows": [{}], "key": "a", "values": []}, ValueError, "1 rows have 0 values"),
        ("table.index", {"rows": [{"a": 1}, {"a": 1}], "key": "a"}, ValueError, "more than one row has 1 as 'a'"),
        ("table.group", {"rows": [{"a": []}], "key": "a"}, TypeError, "can be neither a key"),
    ],
)  # fmt: skip
def test_error(type_id, inputs, error, message):
    """What a node can't do is an error that says what was expected and what came."""
    with pytest.raises(error, match=message):
        value_of(type_id, **inputs)


def test_items_are_looked_at_when_they_are_used():
    """A wire checks the list, not its items: a node that needs items of a type looks itself."""
    with pytest.raises(TypeError, match=r"list.filter: expected truth values, but item 0 is int 1"):
        call("list.filter", items=["a"], keep=[1])
    with pytest.raises(TypeError, match=r"list.pick: expected places, which are whole numbers, got 1.5"):
        call("list.pick", items=["a"], indexes=[1.5])
    with pytest.raises(TypeError, match=r"list.transpose: expected lists, but row 0 is int 1"):
        call("list.transpose", rows=[1])
    with pytest.raises(TypeError, match=r"dict.from_pairs: expected lists of two, but item 0 is list \[1\]"):
        call("dict.from_pairs", pairs=[[1]])
    with pytest.raises(TypeError, match=r"table.sort: expected dictionaries, but row 0 is int 1"):
        call("table.sort", rows=[1], key="a")


def test_merging_has_an_end():
    """Dictionaries that are nested without end are an error, not a crash."""
    a, b = {}, {}
    a["x"], b["x"] = a, b
    with pytest.raises(ValueError, match="nested more than 100 deep"):
        call("dict.merge_deep", a=a, b=b)


@law
@given(items, places, st.text(max_size=2))
def test_places(each, index, item):
    """What is set or inserted at a place is there; removing it again gives the list as it was."""
    length = len(each)
    if -length <= index < length:
        changed = call("list.set", items=each, index=index, item=item)
        assert call("list.get", items=changed, index=index) is item
        assert written(call("list.set", items=changed, index=index, item=each[index])) == written(each)
        without = call("list.remove_at", items=each, index=index)
        assert written(call("list.insert", items=without, index=index % length, item=each[index])) == written(each)
    parts = call("list.split_at", items=each, index=index)
    assert call("list.concat", a=parts.before, b=parts.after) == each
    assert parts.before == call("list.slice", items=each, stop=index)
    grown = call("list.append", items=each, item=item)
    assert (call("list.length", items=grown), call("list.last", items=grown)) == (length + 1, item)


@law
@given(items, st.integers(-3, 3))
def test_search(each, item):
    """Searching, counting and removing agree on what is equal."""
    count = call("list.count", items=each, item=item)
    first, last = (call(f"list.{name}", items=each, item=item) for name in ("index_of", "last_index_of"))
    assert call("list.contains", items=each, item=item) is (count > 0) is (first >= 0)
    assert (first == last) is (count <= 1)
    assert len(call("list.remove", items=each, item=item)) == len(each) - min(count, 1)
    assert call("list.remove_all", items=each, item=item) == call("list.subtract", a=each, b=[item])
    assert len(call("list.intersect", a=each, b=[item])) == count


@law
@given(items, places)
def test_turning(each, by):
    """Turning back gives the list; reversing twice too."""
    turned = call("list.rotate", items=each, by=by)
    assert written(call("list.rotate", items=turned, by=-by)) == written(each)
    assert written(call("list.reverse", items=call("list.reverse", items=each))) == written(each)


@law
@given(st.data())
def test_moving(data):
    """Moving an item back, and swapping two twice, give the list as it was."""
    each = data.draw(st.lists(st.integers(), min_size=1, max_size=6))
    a, b = (data.draw(st.integers(0, len(each) - 1)) for _ in "ab")
    moved = call("list.move", items=each, index=a, to=b)
    assert moved[b] == each[a]
    assert call("list.move", items=moved, index=b, to=a) == each
    swapped = call("list.swap", items=each, a=a, b=b)
    assert call("list.swap", items=swapped, a=b, b=a) == each
    assert sorted(swapped) == sorted(moved) == sorted(each)


@law
@given(st.lists(st.tuples(st.integers(0, 3), st.integers()), max_size=12), st.booleans())
def test_sorting(pairs, descending):
    """Sorting is a permutation, in order, and keeps equal items as they were, in either direction."""
    keys, each = [key for key, _ in pairs], [*map(list, pairs)]
    by_key = call("list.sort_by", items=each, keys=keys, descending=descending)
    assert by_key == sorted(each, key=lambda pair: pair[0], reverse=descending)
    assert call("list.sort", items=each, descending=descending) == sorted(each, reverse=descending)
    table = [{"key": key, "place": place} for place, key in enumerate(keys)]
    ordered = call("table.sort", rows=table, key="key", descending=descending)
    for a, b in zip(ordered, ordered[1:], strict=False):
        later, earlier = (a, b) if descending else (b, a)
        assert later["key"] > earlier["key"] or (a["key"] == b["key"] and a["place"] < b["place"])


@law
@given(items, st.integers(1, 4))
def test_cutting(each, size):
    """What is cut into lists is all there, once: chunks and runs joined, windows by their first items."""
    chunks = call("list.chunk", items=each, size=size)
    assert written(call("list.flatten", items=chunks)) == written(each)
    assert all(len(chunk) == size for chunk in chunks[:-1])
    runs = call("list.runs", items=each)
    assert written(call("list.flatten", items=runs)) == written(each)
    windows = call("list.windows", items=each, size=size)
    assert len(windows) == max(len(each) - size + 1, 0)
    assert written([window[0] for window in windows]) == written(each[: len(windows)])
    assert written(call("list.every", items=each, step=size)) == written([chunk[0] for chunk in chunks])


@law
@given(st.integers(0, 4), st.data())
def test_pairing(width, data):
    """Transposing twice gives the rows; zip is the transpose of two rows; enumerating numbers the items."""
    row = st.lists(st.integers(), min_size=width, max_size=width)
    table = data.draw(st.lists(row, min_size=1, max_size=4))
    columns = call("list.transpose", rows=table)
    if width:
        assert call("list.transpose", rows=columns) == table
    assert call("list.zip", a=table[0], b=table[-1]) == call("list.transpose", rows=[table[0], table[-1]])
    assert call("list.enumerate", items=table[0], start=1) == call("list.zip", a=[*range(1, width + 1)], b=table[0])
    assert len(call("list.combine", a=table, b=table[0])) == len(table) * width


@law
@given(items)
def test_unique(each):
    """No two items of what is unique are equal, every item is equal to one of them, and it stays as it is."""
    unique = call("list.unique", items=each)
    assert all(call("list.count", items=unique, item=item) == 1 for item in unique)
    assert all(call("list.contains", items=unique, item=item) for item in each)
    assert written(call("list.unique", items=unique)) == written(unique)


@law
@given(whole_lists, st.data())
def test_filter(each, data):
    """What is kept and what is not make up the list; picking all places gives it too."""
    keep = data.draw(st.lists(st.booleans(), min_size=len(each), max_size=len(each)))
    kept = call("list.filter", items=each, keep=keep)
    rest = call("list.filter", items=each, keep=[not each for each in keep])
    assert sorted(kept + rest) == sorted(each)
    assert call("list.pick", items=each, indexes=[*range(len(each))]) == each


@law
@given(entries, st.sampled_from("abcxyz"), st.integers())
def test_entries(each, key, value):
    """What is set is there, and nothing else has changed; removing it gives the rest."""
    changed = call("dict.set", entries=each, key=key, value=value)
    assert call("dict.get", entries=changed, key=key) == value
    assert call("dict.has", entries=changed, key=key)
    without = call("dict.remove", entries=changed, key=key)
    assert without == call("dict.omit", entries=each, keys=[key]) == {k: v for k, v in each.items() if k != key}
    assert call("dict.length", entries=changed) == len(without) + 1
    renamed = call("dict.rename", entries=changed, key=key, to="new")
    assert [*call("dict.rename", entries=renamed, key="new", to=key).items()] == [*changed.items()]


@law
@given(entries, entries)
def test_dictionaries(a, b):
    """Taking apart and putting together gives the dictionary; merging prefers the second; inverting twice is nothing."""
    assert call("dict.from_pairs", pairs=call("dict.pairs", entries=a)) == a
    keys, values = call("dict.keys", entries=a), call("dict.values", entries=a)
    assert [*call("dict.from_lists", keys=keys, values=values).items()] == [*a.items()]
    merged = call("dict.merge", a=a, b=b)
    assert merged == call("dict.merge_deep", a=a, b=b)
    assert {key: merged[key] for key in b} == b
    assert [*merged][: len(a)] == keys
    numbered = call("dict.from_lists", keys=keys, values=[*range(len(a))])
    assert call("dict.invert", entries=call("dict.invert", entries=numbered)) == numbered
    assert {**call("dict.pick", entries=a, keys=keys[:2]), **call("dict.omit", entries=a, keys=keys[:2])} == a
    assert [*call("dict.sort", entries=a)] == sorted(a)
    assert call("dict.without_none", entries=a) == {key: value for key, value in a.items() if value is not None}
    assert set(call("dict.fill", keys=keys, value=0)) == set(a)


@law
@given(whole_lists)
def test_tally(each):
    """A tally counts what is there: by itself, or one by one."""
    counts = {}
    for item in each:
        counts = call("dict.increment", entries=counts, key=item)
    assert [*call("dict.tally", items=each).items()] == [*counts.items()]
    assert sum(counts.values()) == len(each)


@law
@given(members, members)
def test_sets(a, b):
    """Sets follow the laws of sets."""
    union, both = call("set.union", a=a, b=b), call("set.intersection", a=a, b=b)
    only_a, only_b = call("set.difference", a=a, b=b), call("set.difference", a=b, b=a)
    assert call("set.symmetric_difference", a=a, b=b) == call("set.union", a=only_a, b=only_b)
    assert call("set.union", a=call("set.union", a=only_a, b=only_b), b=both) == union
    assert call("set.is_subset", a=both, b=a)
    assert call("set.is_disjoint", a=a, b=b) is (call("set.length", members=both) == 0)
    assert call("set.from_list", items=call("set.to_list", members=a)) == a
    for member in only_a:
        assert call("set.contains", members=call("set.add", members=b, member=member), member=member)
        assert not call("set.contains", members=call("set.remove", members=a, member=member), member=member)


@law
@given(st.lists(st.integers(-3, 3) | st.text(max_size=2) | st.booleans() | st.none(), unique=True), st.randoms())
def test_order_of_members(each, chance):
    """The order of a set's members does not depend on how the set came to be."""
    shuffled = chance.sample(each, len(each))
    assert call("set.to_list", members=frozenset(each)) == call("set.to_list", members=set(shuffled))


@law
@given(rows)
def test_tables(each):
    """Tables taken apart by rows, by columns and by groups are the same tables."""
    lists = call("table.to_rows", rows=each, columns=["k", "n"])
    assert call("table.from_rows", columns=["k", "n"], rows=lists) == each
    keys = call("table.column", rows=each, key="k")
    assert call("table.set_column", rows=each, key="k", values=keys) == each
    groups = call("table.group", rows=each, key="k")
    assert [*groups] == [*dict.fromkeys(keys)]
    for key, group in groups.items():
        assert group == call("table.where", rows=each, key="k", value=key)
        assert group[0] == call("table.find", rows=each, key="k", value=key)
    first = call("table.unique", rows=each, key="k")
    assert first == [group[0] for group in groups.values()]
    assert call("table.index", rows=first, key="k") == {row["k"]: row for row in first}
    assert call("table.join", a=each, b=first, key="k") == [{**row, "n": groups[row["k"]][0]["n"]} for row in each]
    assert call("table.pick", rows=each, columns=["n", "k"]) == each
    assert call("table.fill", rows=each, key="x", value=0) == [{**row, "x": 0} for row in each]
    assert call("table.columns", rows=each) == [*(each[0] if each else {})]
