"""Dictionaries. Every operation makes a new dictionary, in which entries stay in the order in which they were added.

A key is a value whose contents can't change: a text, a number, a date; a list is an error. As everywhere in Python 1,
1.0 and true are the same key.
"""

from __future__ import annotations

import itertools
from typing import Any, Literal

import trioflow as tf
from trioflow.nodes import _expect as expect
from trioflow.nodes._equality import equal_ones, sorted_by
from trioflow.nodes._slices import SLICE, TURN, Steps, batches, copied, gathered, mapped, sliced
from trioflow.nodes._slices import entries as entries_of

Number = int | float


def _missing(node: str, entries: dict[Any, Any], key: object) -> KeyError:
    keys = ", ".join(expect.short(known) for known in itertools.islice(entries, 10)) or "none"
    return KeyError(f"{node}: there is no key {expect.short(key)}. There are: {keys}{', ...' * (len(entries) > 10)}.")


@tf.data_node(id="dict.literal")
def literal(entries: dict[Any, Any]) -> dict[Any, Any]:
    """The dictionary itself, to write one down in the graph.

    >>> literal({"a": 1})
    {'a': 1}
    """
    return entries


@sliced(id="dict.from_pairs")
def from_pairs(pairs: list[list[Any]]) -> Steps[dict[Any, Any]]:
    """The dictionary that lists of key and value make; of a key that comes twice, the last value.

    An item that is no list of two, and a key that can't be one, are errors.

    >>> from_pairs([["a", 1], ["b", 2]])
    {'a': 1, 'b': 2}
    """
    found: dict[Any, Any] = {}
    for place, pair in enumerate(pairs):
        if not isinstance(pair, list) or len(pair) != 2:
            raise TypeError(f"dict.from_pairs: expected lists of two, but item {place} is {expect.shown(pair)}.")
        found[expect.hashable("dict.from_pairs", pair[0])] = pair[1]
        if place and not place % SLICE:
            yield TURN
    return found


@sliced(id="dict.from_lists")
def from_lists(keys: list[Any], values: list[Any]) -> Steps[dict[Any, Any]]:
    """The dictionary of these keys, each with the value at the same place; of a key that comes twice, the last value.

    Lists of different lengths, and a key that can't be one, are errors.

    >>> from_lists(["a", "b"], [1, 2])
    {'a': 1, 'b': 2}
    """
    if len(keys) != len(values):
        raise ValueError(f"dict.from_lists: {len(keys)} keys have {len(values)} values.")
    return (
        yield from entries_of(
            (expect.hashable("dict.from_lists", key), value) for key, value in zip(keys, values, strict=True)
        )
    )


@sliced(id="dict.fill")
def fill(keys: list[Any], value: object) -> Steps[dict[Any, Any]]:
    """The dictionary of these keys, each with the same value. A key that can't be one is an error.

    >>> fill(["a", "b"], 0)
    {'a': 0, 'b': 0}
    """
    return (yield from entries_of((expect.hashable("dict.fill", key), value) for key in keys))


@tf.data_node(id="dict.length")
def length(entries: dict[Any, Any]) -> int:
    """The number of entries.

    >>> length({"a": 1, "b": 2})
    2
    """
    return len(entries)


@tf.data_node(id="dict.is_empty")
def is_empty(entries: dict[Any, Any]) -> bool:
    """Whether there is no entry.

    >>> is_empty({})
    True
    """
    return not entries


@tf.data_node(id="dict.has")
def has(entries: dict[Any, Any], key: object) -> bool:
    """Whether there is an entry with this key. A key that can't be one is an error.

    >>> has({"a": None}, "a")
    True
    """
    return expect.hashable("dict.has", key) in entries


@tf.data_node(id="dict.get")
def get(entries: dict[Any, Any], key: object) -> object:
    """The value of a key. A key that is not there is an error.

    >>> get({"a": 1}, "a")
    1
    """
    key = expect.hashable("dict.get", key)
    if key not in entries:
        raise _missing("dict.get", entries, key)
    return entries[key]


@tf.data_node(id="dict.get_or")
def get_or(entries: dict[Any, Any], key: object, otherwise: tf.Lazy[Any]) -> object:
    """The value of a key, or the other value if it is not there; the other is asked only then.

    >>> evaluate("dict.get_or", entries={"a": 1}, key="b", otherwise=0)
    0
    """
    key = expect.hashable("dict.get_or", key)
    return entries.get(key, otherwise)


@sliced(id="dict.set")
def set_(entries: dict[Any, Any], key: object, value: object) -> Steps[dict[Any, Any]]:
    """With this value for a key, which keeps its place, or comes last if it is new. A key has to be able to be one.

    >>> set_({"a": 1, "b": 2}, "a", 3)
    {'a': 3, 'b': 2}
    """
    changed = yield from entries_of(entries.items())
    changed[expect.hashable("dict.set", key)] = value
    return changed


@sliced(id="dict.increment")
def increment(entries: dict[Any, Any], key: object, by: Number = 1) -> Steps[dict[Any, Any]]:
    """With the number of a key more by so much; a key that is not there counts as 0.

    A value that is not a number is an error, and so is a key that can't be one.

    >>> increment({"a": 2}, "a")
    {'a': 3}
    """
    before = entries.get(key := expect.hashable("dict.increment", key), 0)
    if isinstance(before, bool) or not isinstance(before, int | float):
        raise TypeError(
            f"dict.increment: expected a number, but the value of {expect.short(key)} is {expect.shown(before)}."
        )
    changed = yield from entries_of(entries.items())
    try:
        changed[key] = before + by
    except OverflowError:
        raise OverflowError("dict.increment: a whole number is beyond the greatest float, and meets one.") from None
    return changed


@sliced(id="dict.append")
def append(entries: dict[Any, Any], key: object, item: object) -> Steps[dict[Any, Any]]:
    """With one more item at the end of the list of a key; a key that is not there counts as an empty list.

    A value that is no list is an error, and so is a key that can't be one.

    >>> append({"a": [1]}, "a", 2)
    {'a': [1, 2]}
    """
    before = entries.get(key := expect.hashable("dict.append", key), [])
    if not isinstance(before, list):
        raise TypeError(
            f"dict.append: expected a list, but the value of {expect.short(key)} is {expect.shown(before)}."
        )
    changed = yield from entries_of(entries.items())
    changed[key] = yield from copied(before, [item])
    return changed


@sliced(id="dict.remove")
def remove(entries: dict[Any, Any], key: object) -> Steps[dict[Any, Any]]:
    """Without the entry of a key; as it is if there is none. A key that can't be one is an error.

    >>> remove({"a": 1, "b": 2}, "a")
    {'b': 2}
    """
    rest = yield from entries_of(entries.items())
    rest.pop(expect.hashable("dict.remove", key), None)
    return rest


@sliced(id="dict.rename")
def rename(entries: dict[Any, Any], key: object, to: object) -> Steps[dict[Any, Any]]:
    """With another key for a value, at the same place. The old one missing is an error, and so is the new one there.

    >>> rename({"a": 1, "b": 2}, "a", "c")
    {'c': 1, 'b': 2}
    """
    old, new = expect.hashable("dict.rename", key), expect.hashable("dict.rename", to)
    if old not in entries:
        raise _missing("dict.rename", entries, old)
    if old != new and new in entries:
        raise ValueError(f"dict.rename: there is a key {expect.short(new)} already.")
    return (yield from entries_of((new if known == old else known, value) for known, value in entries.items()))


@sliced(id="dict.keys")
def keys(entries: dict[Any, Any]) -> Steps[list[Any]]:
    """The keys, in the order of the entries.

    >>> keys({"b": 1, "a": 2})
    ['b', 'a']
    """
    return (yield from gathered(batches(entries)))


@sliced(id="dict.values")
def values(entries: dict[Any, Any]) -> Steps[list[Any]]:
    """The values, in the order of the entries.

    >>> values({"b": 1, "a": 2})
    [1, 2]
    """
    return (yield from gathered(batches(entries.values())))


@sliced(id="dict.pairs")
def pairs(entries: dict[Any, Any]) -> Steps[list[list[Any]]]:
    """A list of key and value for each entry.

    >>> pairs({"b": 1, "a": 2})
    [['b', 1], ['a', 2]]
    """
    return (yield from gathered([[key, value] for key, value in part] for part in batches(entries.items())))


@sliced(id="dict.find")
def find(entries: dict[Any, Any], value: object) -> Steps[list[Any]]:
    """The keys of all entries with this value, by the rule of `logic.equal`.

    >>> find({"a": 1, "b": 2, "c": 1}, 1)
    ['a', 'c']
    """
    values = yield from gathered(batches(entries.values()))
    equal: list[bool] = yield from equal_ones(values, value)
    pairs = batches(zip(entries, equal, strict=True))
    return (yield from gathered([key for key, is_equal in part if is_equal] for part in pairs))


@sliced(id="dict.merge")
def merge(a: dict[Any, Any], b: dict[Any, Any]) -> Steps[dict[Any, Any]]:
    """The entries of both; where both have a key, the value of the second.

    >>> merge({"a": 1, "b": 2}, {"b": 3, "c": 4})
    {'a': 1, 'b': 3, 'c': 4}
    """
    return (yield from entries_of(itertools.chain(a.items(), b.items())))


@sliced(id="dict.merge_deep")
def merge_deep(a: dict[Any, Any], b: dict[Any, Any]) -> Steps[dict[Any, Any]]:
    """The entries of both; where both have a dictionary for a key these are merged, otherwise the second's value stays.

    Dictionaries nested more than 100 deep are an error.

    >>> merge_deep({"a": {"x": 1, "y": 2}}, {"a": {"y": 3}, "b": 4})
    {'a': {'x': 1, 'y': 3}, 'b': 4}
    """
    return (yield from _merged(a, b, 0))


def _merged(a: dict[Any, Any], b: dict[Any, Any], depth: int) -> Steps[dict[Any, Any]]:
    if depth > 100:
        raise ValueError("dict.merge_deep: the dictionaries are nested more than 100 deep.")
    merged = yield from entries_of(itertools.chain(a.items(), b.items()))
    for number, (key, theirs) in enumerate(b.items(), 1):
        if isinstance(theirs, dict) and isinstance(a.get(key), dict):
            merged[key] = yield from _merged(a[key], theirs, depth + 1)
        if not number % SLICE:
            yield TURN
    return merged


@sliced(id="dict.pick")
def pick(entries: dict[Any, Any], keys: list[Any]) -> Steps[dict[Any, Any]]:
    """The entries of these keys, in their order; those that are not there are passed over.

    A key that can't be one is an error.

    >>> pick({"a": 1, "b": 2, "c": 3}, ["c", "a", "x"])
    {'c': 3, 'a': 1}
    """
    wanted = yield from mapped(lambda key: expect.hashable("dict.pick", key), keys)
    return (yield from entries_of((key, entries[key]) for key in wanted if key in entries))


@sliced(id="dict.omit")
def omit(entries: dict[Any, Any], keys: list[Any]) -> Steps[dict[Any, Any]]:
    """The entries without those of these keys. A key that can't be one is an error.

    >>> omit({"a": 1, "b": 2, "c": 3}, ["a", "x"])
    {'b': 2, 'c': 3}
    """
    unwanted = yield from entries_of((expect.hashable("dict.omit", key), None) for key in keys)
    return (yield from entries_of(entry for entry in entries.items() if entry[0] not in unwanted))


@sliced(id="dict.without_none")
def without_none(entries: dict[Any, Any]) -> Steps[dict[Any, Any]]:
    """The entries whose value is not none.

    >>> without_none({"a": 0, "b": None})
    {'a': 0}
    """
    return (yield from entries_of(entry for entry in entries.items() if entry[1] is not None))


@sliced(id="dict.invert")
def invert(entries: dict[Any, Any]) -> Steps[dict[Any, Any]]:
    """The values as keys, with the keys as values. A value that comes twice is an error, or one that can't be a key.

    >>> invert({"a": 1, "b": 2})
    {1: 'a', 2: 'b'}
    """
    inverted: dict[Any, Any] = {}
    for number, (key, each) in enumerate(entries.items(), 1):
        value = expect.hashable("dict.invert", each)
        if value in inverted:
            told = f"{expect.short(inverted[value])} and {expect.short(key)} have the same value {expect.short(value)}"
            raise ValueError(f"dict.invert: {told}.")
        inverted[value] = key
        if not number % SLICE:
            yield TURN
    return inverted


@sliced(id="dict.sort")
def sort(
    entries: dict[Any, Any], by: Literal["key", "value"] = "key", descending: bool = False
) -> Steps[dict[Any, Any]]:
    """The entries in ascending order of their keys, or of their values; equal ones as they were.

    What can't be compared is an error, not-a-number too.

    >>> sort({"b": 1, "a": 2})
    {'a': 2, 'b': 1}
    """
    pairs = yield from gathered(batches(entries.items()))
    keys = yield from gathered(batches(entries if by == "key" else entries.values()))
    return (yield from entries_of((yield from sorted_by("dict.sort", pairs, keys, descending))))


@sliced(id="dict.tally")
def tally(items: list[Any]) -> Steps[dict[Any, int]]:
    """How often each item occurs, in the order in which they first do. An item that can't be a key is an error.

    >>> tally(["b", "a", "b"])
    {'b': 2, 'a': 1}
    """
    found: dict[Any, int] = {}
    for number, item in enumerate(items, 1):
        key = expect.hashable("dict.tally", item)
        found[key] = found.get(key, 0) + 1
        if not number % SLICE:
            yield TURN
    return found
