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
from typing import Any

from trioflow.errors import MergeError

Merge = Callable[[Any, Any, Any], Any]


def _sum(base: Any, mine: Any, theirs: Any) -> Any:
    """Add what each side added: exact for int, subject to rounding for float."""
    return mine + (theirs - base)  # a fork that added nothing changes nothing, also where floats round


def _append(base: Any, mine: Any, theirs: Any) -> Any:
    """What the owner has, then what the fork appended. For lists, tuples and text; the fork must only have appended."""
    if theirs[: len(base)] != base:
        raise ValueError("the fork changed what was there before, instead of appending to it")
    return mine + theirs[len(base) :]


def _union(base: Any, mine: Any, theirs: Any) -> Any:
    """What either side has.

    Sets; lists and tuples, each item once, the owner's first; dicts, where a key that the fork added or changed has the
    fork's value. A union takes nothing away: what one side removed and the other still has, stays.
    """
    if isinstance(mine, dict) and isinstance(theirs, dict):
        changed = {key: value for key, value in theirs.items() if key not in base or base[key] != value}
        return {**mine, **changed}
    if isinstance(mine, list) and isinstance(theirs, list):
        return _each_once([*mine, *theirs])
    if isinstance(mine, tuple) and isinstance(theirs, tuple):
        return tuple(_each_once([*mine, *theirs]))
    if isinstance(mine, AbstractSet) and isinstance(theirs, AbstractSet):
        return mine | theirs
    raise TypeError(f"{type(mine).__name__} and {type(theirs).__name__} have no union")


def _each_once(items: Iterable[Any]) -> list[Any]:
    """Without repetitions; 1, 1.0 and True are three different items, as they are at a wire (D11)."""
    items = list(items)
    try:
        return list({(type(item), item): item for item in items}.values())
    except TypeError:  # not all of them can be hashed
        found: list[Any] = []
        for item in items:
            if not any(type(item) is type(other) and item == other for other in found):
                found.append(item)
        return found


def _min(base: Any, mine: Any, theirs: Any) -> Any:
    """The smaller of the two."""
    return min(mine, theirs)


def _max(base: Any, mine: Any, theirs: Any) -> Any:
    """The greater of the two."""
    return max(mine, theirs)


THREE_WAY: Mapping[str, Merge] = {"sum": _sum, "append": _append, "union": _union, "min": _min, "max": _max}

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
