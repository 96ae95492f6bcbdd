"""Sets: every member once, in no order. Every operation makes a new set, which nobody can change.

A member is a value whose contents can't change: a text, a number, a date; a list is an error. As everywhere in Python
1, 1.0 and true are the same member. Where members come one after the other, numbers come first, in ascending order,
then texts, then everything else.
"""

from __future__ import annotations

import itertools
from typing import Any

import trioflow as tf
from trioflow.nodes import _expect as expect
from trioflow.nodes._equality import in_order_steps
from trioflow.nodes._slices import Steps, entries, sliced

Members = frozenset[Any] | set[Any]


@sliced(id="set.from_list")
def from_list(items: list[Any]) -> Steps[frozenset[Any]]:
    """The set of these items. An item that can't be a member is an error.

    >>> to_list(from_list([3, 1, 3]))
    [1, 3]
    """
    return frozenset((yield from entries((expect.hashable("set.from_list", item), None) for item in items)))


@sliced(id="set.to_list")
def to_list(members: Members) -> Steps[list[Any]]:
    """The members: numbers in ascending order, then texts, then everything else by its type and its written form.

    >>> to_list(from_list(["b", 2, "a", 1]))
    [1, 2, 'a', 'b']
    """
    return (yield from in_order_steps(members))


@tf.data_node(id="set.length")
def length(members: Members) -> int:
    """The number of members.

    >>> length(from_list([3, 1, 3]))
    2
    """
    return len(members)


@tf.data_node(id="set.contains")
def contains(members: Members, member: object) -> bool:
    """Whether a value is a member. One that can't be a member is an error.

    >>> contains(from_list(["a"]), "b")
    False
    """
    return expect.hashable("set.contains", member) in members


@tf.data_node(id="set.add")
def add(members: Members, member: object) -> frozenset[Any]:
    """With one more member. A value that can't be a member is an error.

    >>> to_list(add(from_list([1]), 2))
    [1, 2]
    """
    return frozenset(members) | {expect.hashable("set.add", member)}


@tf.data_node(id="set.remove")
def remove(members: Members, member: object) -> frozenset[Any]:
    """Without a member; as it is if it is none. A value that can't be a member is an error.

    >>> to_list(remove(from_list([1, 2]), 1))
    [2]
    """
    return frozenset(members) - {expect.hashable("set.remove", member)}


@sliced(id="set.union")
def union(a: Members, b: Members) -> Steps[frozenset[Any]]:
    """What is in at least one of two sets.

    >>> to_list(union(from_list([1, 2]), from_list([2, 3])))
    [1, 2, 3]
    """
    return frozenset((yield from entries((each, None) for each in itertools.chain(a, b))))


@sliced(id="set.intersection")
def intersection(a: Members, b: Members) -> Steps[frozenset[Any]]:
    """What is in both sets.

    >>> to_list(intersection(from_list([1, 2]), from_list([2, 3])))
    [2]
    """
    few, many = (a, b) if len(a) <= len(b) else (b, a)
    return frozenset((yield from entries((each, None) for each in few if each in many)))


@sliced(id="set.difference")
def difference(a: Members, b: Members) -> Steps[frozenset[Any]]:
    """What is in the first set and not in the second.

    >>> to_list(difference(from_list([1, 2]), from_list([2, 3])))
    [1]
    """
    return frozenset((yield from entries((each, None) for each in a if each not in b)))


@sliced(id="set.symmetric_difference")
def symmetric_difference(a: Members, b: Members) -> Steps[frozenset[Any]]:
    """What is in exactly one of two sets.

    >>> to_list(symmetric_difference(from_list([1, 2]), from_list([2, 3])))
    [1, 3]
    """
    only_a = ((each, None) for each in a if each not in b)
    only_b = ((each, None) for each in b if each not in a)
    return frozenset((yield from entries(itertools.chain(only_a, only_b))))


@tf.data_node(id="set.is_subset")
def is_subset(a: Members, b: Members) -> bool:
    """Whether all members of the first set are in the second; of an empty one they are.

    >>> is_subset(from_list([1]), from_list([1, 2]))
    True
    """
    return a <= b


@tf.data_node(id="set.is_disjoint")
def is_disjoint(a: Members, b: Members) -> bool:
    """Whether two sets have no member in common.

    >>> is_disjoint(from_list([1]), from_list([2]))
    True
    """
    return a.isdisjoint(b)
