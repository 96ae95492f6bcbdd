"""Dictionaries. Every operation makes a new dictionary, in which entries stay in the order in which they were added.

A key is a value whose contents can't change: a text, a number, a date; a list is an error. As everywhere in Python 1,
1.0 and true are the same key.
"""

from __future__ import annotations

from typing import Any, Literal

import trioflow as tf
from trioflow.nodes import _expect as expect
from trioflow.nodes._equality import same

Number = int | float


def _missing(node: str, entries: dict[Any, Any], key: object) -> KeyError:
    keys = ", ".join(repr(known) for known in list(entries)[:10]) or "none"
    return KeyError(f"{node}: there is no key {key!r}. There are: {keys}{', ...' * (len(entries) > 10)}.")


@tf.data_node(id="dict.literal")
def literal(entries: dict[Any, Any]) -> dict[Any, Any]:
    """The dictionary itself, to write one down in the graph.

    >>> literal({"a": 1})
    {'a': 1}
    """
    return entries


@tf.data_node(id="dict.from_pairs")
def from_pairs(pairs: list[list[Any]]) -> dict[Any, Any]:
    """The dictionary that lists of key and value make; of a key that comes twice, the last value.

    An item that is no list of two, and a key that can't be one, are errors.

    >>> from_pairs([["a", 1], ["b", 2]])
    {'a': 1, 'b': 2}
    """
    for place, pair in enumerate(pairs):
        if not isinstance(pair, list) or len(pair) != 2:
            raise TypeError(f"dict.from_pairs: expected lists of two, but item {place} is {expect.shown(pair)}.")
    return {expect.hashable("dict.from_pairs", key): value for key, value in pairs}


@tf.data_node(id="dict.from_lists")
def from_lists(keys: list[Any], values: list[Any]) -> dict[Any, Any]:
    """The dictionary of these keys, each with the value at the same place; of a key that comes twice, the last value.

    Lists of different lengths, and a key that can't be one, are errors.

    >>> from_lists(["a", "b"], [1, 2])
    {'a': 1, 'b': 2}
    """
    if len(keys) != len(values):
        raise ValueError(f"dict.from_lists: {len(keys)} keys have {len(values)} values.")
    return {expect.hashable("dict.from_lists", key): value for key, value in zip(keys, values, strict=True)}


@tf.data_node(id="dict.fill")
def fill(keys: list[Any], value: object) -> dict[Any, Any]:
    """The dictionary of these keys, each with the same value. A key that can't be one is an error.

    >>> fill(["a", "b"], 0)
    {'a': 0, 'b': 0}
    """
    return {expect.hashable("dict.fill", key): value for key in keys}


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
    if expect.hashable("dict.get", key) not in entries:
        raise _missing("dict.get", entries, key)
    return entries[key]


@tf.data_node(id="dict.get_or")
async def get_or(entries: dict[Any, Any], key: object, otherwise: tf.Lazy[Any]) -> object:
    """The value of a key, or the other value if it is not there; the other is asked only then.

    >>> evaluate("dict.get_or", entries={"a": 1}, key="b", otherwise=0)
    0
    """
    return entries[key] if expect.hashable("dict.get_or", key) in entries else await otherwise()


@tf.data_node(id="dict.set")
def set_(entries: dict[Any, Any], key: object, value: object) -> dict[Any, Any]:
    """With this value for a key, which keeps its place, or comes last if it is new. A key has to be able to be one.

    >>> set_({"a": 1, "b": 2}, "a", 3)
    {'a': 3, 'b': 2}
    """
    return {**entries, expect.hashable("dict.set", key): value}


@tf.data_node(id="dict.increment")
def increment(entries: dict[Any, Any], key: object, by: Number = 1) -> dict[Any, Any]:
    """With the number of a key more by so much; a key that is not there counts as 0.

    A value that is no number is an error, and so is a key that can't be one.

    >>> increment({"a": 2}, "a")
    {'a': 3}
    """
    before = entries.get(expect.hashable("dict.increment", key), 0)
    if isinstance(before, bool) or not isinstance(before, int | float):
        raise TypeError(f"dict.increment: expected a number, but the value of {key!r} is {expect.shown(before)}.")
    return {**entries, key: before + by}


@tf.data_node(id="dict.append")
def append(entries: dict[Any, Any], key: object, item: object) -> dict[Any, Any]:
    """With one more item at the end of the list of a key; a key that is not there counts as an empty list.

    A value that is no list is an error, and so is a key that can't be one.

    >>> append({"a": [1]}, "a", 2)
    {'a': [1, 2]}
    """
    before = entries.get(expect.hashable("dict.append", key), [])
    if not isinstance(before, list):
        raise TypeError(f"dict.append: expected a list, but the value of {key!r} is {expect.shown(before)}.")
    return {**entries, key: [*before, item]}


@tf.data_node(id="dict.remove")
def remove(entries: dict[Any, Any], key: object) -> dict[Any, Any]:
    """Without the entry of a key; as it is if there is none. A key that can't be one is an error.

    >>> remove({"a": 1, "b": 2}, "a")
    {'b': 2}
    """
    rest = dict(entries)
    rest.pop(expect.hashable("dict.remove", key), None)
    return rest


@tf.data_node(id="dict.rename")
def rename(entries: dict[Any, Any], key: object, to: object) -> dict[Any, Any]:
    """With another key for a value, at the same place. The old one missing is an error, and so is the new one there.

    >>> rename({"a": 1, "b": 2}, "a", "c")
    {'c': 1, 'b': 2}
    """
    if expect.hashable("dict.rename", key) not in entries:
        raise _missing("dict.rename", entries, key)
    if key != expect.hashable("dict.rename", to) and to in entries:
        raise ValueError(f"dict.rename: there is a key {to!r} already.")
    return {to if known == key else known: value for known, value in entries.items()}


@tf.data_node(id="dict.keys")
def keys(entries: dict[Any, Any]) -> list[Any]:
    """The keys, in the order of the entries.

    >>> keys({"b": 1, "a": 2})
    ['b', 'a']
    """
    return list(entries)


@tf.data_node(id="dict.values")
def values(entries: dict[Any, Any]) -> list[Any]:
    """The values, in the order of the entries.

    >>> values({"b": 1, "a": 2})
    [1, 2]
    """
    return list(entries.values())


@tf.data_node(id="dict.pairs")
def pairs(entries: dict[Any, Any]) -> list[list[Any]]:
    """A list of key and value for each entry.

    >>> pairs({"b": 1, "a": 2})
    [['b', 1], ['a', 2]]
    """
    return [[key, value] for key, value in entries.items()]


@tf.data_node(id="dict.find")
def find(entries: dict[Any, Any], value: object) -> list[Any]:
    """The keys of all entries with this value, by the rule of `logic.equal`.

    >>> find({"a": 1, "b": 2, "c": 1}, 1)
    ['a', 'c']
    """
    return [key for key, each in entries.items() if same(each, value)]


@tf.data_node(id="dict.merge")
def merge(a: dict[Any, Any], b: dict[Any, Any]) -> dict[Any, Any]:
    """The entries of both; where both have a key, the value of the second.

    >>> merge({"a": 1, "b": 2}, {"b": 3, "c": 4})
    {'a': 1, 'b': 3, 'c': 4}
    """
    return {**a, **b}


@tf.data_node(id="dict.merge_deep")
def merge_deep(a: dict[Any, Any], b: dict[Any, Any]) -> dict[Any, Any]:
    """The entries of both; where both have a dictionary for a key these are merged, otherwise the second's value stays.

    Dictionaries nested more than 100 deep are an error.

    >>> merge_deep({"a": {"x": 1, "y": 2}}, {"a": {"y": 3}, "b": 4})
    {'a': {'x': 1, 'y': 3}, 'b': 4}
    """
    return _merged(a, b, 0)


def _merged(a: dict[Any, Any], b: dict[Any, Any], depth: int) -> dict[Any, Any]:
    if depth > 100:
        raise ValueError("dict.merge_deep: the dictionaries are nested more than 100 deep.")
    merged = {**a, **b}
    for key in a.keys() & b.keys():
        mine, theirs = a[key], b[key]
        if isinstance(mine, dict) and isinstance(theirs, dict):
            merged[key] = _merged(mine, theirs, depth + 1)
    return merged


@tf.data_node(id="dict.pick")
def pick(entries: dict[Any, Any], keys: list[Any]) -> dict[Any, Any]:
    """The entries of these keys, in their order; those that are not there are passed over.

    A key that can't be one is an error.

    >>> pick({"a": 1, "b": 2, "c": 3}, ["c", "a", "x"])
    {'c': 3, 'a': 1}
    """
    return {key: entries[key] for key in keys if expect.hashable("dict.pick", key) in entries}


@tf.data_node(id="dict.omit")
def omit(entries: dict[Any, Any], keys: list[Any]) -> dict[Any, Any]:
    """The entries without those of these keys. A key that can't be one is an error.

    >>> omit({"a": 1, "b": 2, "c": 3}, ["a", "x"])
    {'b': 2, 'c': 3}
    """
    unwanted = {expect.hashable("dict.omit", key) for key in keys}
    return {key: value for key, value in entries.items() if key not in unwanted}


@tf.data_node(id="dict.without_none")
def without_none(entries: dict[Any, Any]) -> dict[Any, Any]:
    """The entries whose value is not none.

    >>> without_none({"a": 0, "b": None})
    {'a': 0}
    """
    return {key: value for key, value in entries.items() if value is not None}


@tf.data_node(id="dict.invert")
def invert(entries: dict[Any, Any]) -> dict[Any, Any]:
    """The values as keys, with the keys as values. A value that comes twice is an error, or one that can't be a key.

    >>> invert({"a": 1, "b": 2})
    {1: 'a', 2: 'b'}
    """
    inverted: dict[Any, Any] = {}
    for key, value in entries.items():
        if expect.hashable("dict.invert", value) in inverted:
            raise ValueError(f"dict.invert: {inverted[value]!r} and {key!r} have the same value {value!r}.")
        inverted[value] = key
    return inverted


@tf.data_node(id="dict.sort")
def sort(entries: dict[Any, Any], by: Literal["key", "value"] = "key", descending: bool = False) -> dict[Any, Any]:
    """The entries in ascending order of their keys, or of their values; equal ones as they were.

    What can't be compared is an error, not-a-number too.

    >>> sort({"b": 1, "a": 2})
    {'a': 2, 'b': 1}
    """
    pairs = list(entries.items())
    return dict(expect.sorted_by("dict.sort", pairs, list(entries if by == "key" else entries.values()), descending))


@tf.data_node(id="dict.tally")
def tally(items: list[Any]) -> dict[Any, int]:
    """How often each item occurs, in the order in which they first do. An item that can't be a key is an error.

    >>> tally(["b", "a", "b"])
    {'b': 2, 'a': 1}
    """
    found: dict[Any, int] = {}
    for item in items:
        key = expect.hashable("dict.tally", item)
        found[key] = found.get(key, 0) + 1
    return found
