"""Merge policies of variables that several strands wrote (F4).

`last`, `first` and `error` ask who wrote when, which the store knows; the others are functions of three values: what
the variable was at the fork, what the owner has, what the fork has. All are deterministic, none changes its arguments;
forks come in order. For bodies that only do what the policy is for (add, append, keep the smaller), the merged value is
the one that the same bodies leave behind one after the other.
"""

from __future__ import annotations

import reprlib
from collections.abc import Callable, Iterable, Mapping
from collections.abc import Set as AbstractSet
from functools import partial
from operator import is_
from typing import Any

from trioflow.errors import MergeError

Merge = Callable[[Any, Any, Any], Any]


def _sum(base: Any, mine: Any, theirs: Any) -> Any:
    """Add what each side added: exact for int, subject to rounding for float."""
    if bool in (type(base), type(mine), type(theirs)):
        raise _no_numbers()
    return mine + (theirs - base)  # a fork that added nothing changes nothing, also where floats round


def _no_numbers() -> TypeError:
    """Python counts with True and False; in graphs they are no numbers (D11)."""
    return TypeError("True and False are not numbers")


def _append(base: Any, mine: Any, theirs: Any) -> Any:
    """What the owner has, then what the fork appended. For lists, tuples and text; the fork must only have appended."""
    if not _begins(theirs, base):
        raise ValueError("the fork changed what was there before, instead of appending to it")
    return mine + theirs[len(base) :]


def _begins(theirs: Any, base: Any) -> bool:
    """Whether `base` is how `theirs` begins. As a rule it is with the very same items, which is seen fast."""
    start = theirs[: len(base)]  # of a list of the user's own class this may be a plain list
    if not any(isinstance(theirs, kind) and isinstance(base, kind) for kind in (list, tuple)):
        return bool(start == base)
    return len(start) == len(base) and (all(map(is_, start, base)) or all(map(_same, start, base)))


def _same(left: Any, right: Any) -> bool:
    """Whether two values are equal, and of the same types in lists, tuples and dicts at every depth: 1 is not True."""
    kind = type(left)
    if left is right or kind is not type(right):
        return left is right
    if kind is list or kind is tuple:
        return len(left) == len(right) and all(map(_same, left, right))
    if kind is dict:
        return left.keys() == right.keys() and all(_same(value, right[key]) for key, value in left.items())
    return bool(left == right)


def _union(base: Any, mine: Any, theirs: Any) -> Any:
    """What either side has.

    Sets; lists and tuples, each item once, the owner's first; dicts, where a key that the fork added or changed has the
    fork's value. A union takes nothing away: what one side removed and the other still has, stays.
    """
    if isinstance(mine, dict) and isinstance(theirs, dict):
        return {**mine, **_changed(base, theirs)}
    if isinstance(mine, list) and isinstance(theirs, list):
        return _each_once([*mine, *theirs])
    if isinstance(mine, tuple) and isinstance(theirs, tuple):
        return tuple(_each_once([*mine, *theirs]))
    if isinstance(mine, AbstractSet) and isinstance(theirs, AbstractSet):
        return mine | theirs
    raise TypeError(f"{type(mine).__name__} and {type(theirs).__name__} have no union")


def _changed(base: Any, theirs: dict[Any, Any]) -> dict[Any, Any]:
    return {key: value for key, value in theirs.items() if key not in base or not _same(base[key], value)}


def _each_once(items: Iterable[Any]) -> list[Any]:
    """Without repetitions; 1, 1.0 and True are three different items, as they are at a wire (D11)."""
    found: list[Any] = []
    alike: dict[int | None, list[Any]] = {}  # by hash; None: what can't be hashed
    for item in items:
        try:
            known = alike.setdefault(hash(item), [])
        except TypeError:
            known = alike.setdefault(None, [])
        if not any(_same(item, each) for each in known):
            known.append(item)
            found.append(item)
    return found


def _min(base: Any, mine: Any, theirs: Any) -> Any:
    """The smaller of the two."""
    if bool in (type(mine), type(theirs)):
        raise _no_numbers()
    return min(mine, theirs)


def _max(base: Any, mine: Any, theirs: Any) -> Any:
    """The greater of the two."""
    if bool in (type(mine), type(theirs)):
        raise _no_numbers()
    return max(mine, theirs)


THREE_WAY: Mapping[str, Merge] = {"sum": _sum, "append": _append, "union": _union, "min": _min, "max": _max}

GROWING = ("append", "union")
"""The policies of values that get longer with each fork."""

POLICIES = ("last", "first", "error", *THREE_WAY)
"""The policies that need no registration."""


_short = reprlib.Repr()
_short.maxstring = _short.maxother = _short.maxlong = 60


def merge_variable(policy: str, custom: Mapping[str, Merge], variable: str, base: Any, mine: Any, theirs: Any) -> Any:
    """Merge with a three-way policy. Raises `MergeError` if the values do not suit it."""
    merge = custom.get(policy) or THREE_WAY[policy]
    try:
        return merge(base, mine, theirs)
    except Exception as error:
        # Policies may be the host's own functions; whatever they raise, the values did not merge.
        raise MergeError(
            f"Variable {variable!r} can't be merged by {policy!r}: {type(error).__name__}: {error}. At the fork it was "
            f"{_short.repr(base)}, the owner has {_short.repr(mine)}, the fork {_short.repr(theirs)}. Start it with a "
            "value that the policy suits (0 for 'sum', [] for 'append'), or choose another policy."
        ) from error


def addition(policy: str, base: Any, mine: Any, theirs: Any) -> Callable[[], object] | None:
    """What `append` and `union` would do, as something to be done to `mine` itself; None if it must be made anew.

    For a value that the join has made itself and nobody has seen yet: with a copy for each fork, many forks that write
    to one list would take time that grows with the square of their number.
    """
    kind = type(mine)
    if type(theirs) is kind:
        try:
            if policy == "append" and kind is list and _begins(theirs, base):
                return partial(mine.extend, theirs[len(base) :])
            if policy == "union" and kind is dict:
                return partial(mine.update, _changed(base, theirs))
            if policy == "union" and kind is set:
                return partial(mine.update, theirs)
        except Exception:
            return None  # values that can't be compared: what is wrong with them is for `merge_variable` to say
    return None
