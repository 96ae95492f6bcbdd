"""Merge policies of variables that several strands wrote (F4).

`last`, `first` and `error` ask who wrote when, which the store knows; the others are functions of three values: what
the variable was at the fork, what the owner has, what the fork has. All are deterministic; forks come in order.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from trioflow.errors import MergeError

Merge = Callable[[Any, Any, Any], Any]


def _sum(base: Any, mine: Any, theirs: Any) -> Any:
    """Add what each side added: exact for int, subject to rounding for float."""
    return mine + theirs - base


def _append(base: Any, mine: Any, theirs: Any) -> Any:
    """What the owner has, then what the fork appended. For lists, tuples and text; the fork must only have appended."""
    if theirs[: len(base)] != base:
        raise ValueError("the fork changed what was there before, instead of appending to it")
    return mine + theirs[len(base) :]


def _union(base: Any, mine: Any, theirs: Any) -> Any:
    """What either side has: sets; lists and tuples without repeats, in order; dicts, where the fork's changes win."""
    if isinstance(mine, dict):
        changed = {key: value for key, value in theirs.items() if key not in base or base[key] != value}
        return {**mine, **changed}
    if isinstance(mine, list | tuple):
        return type(mine)([*mine, *(item for item in theirs if item not in mine)])
    return mine | theirs


def _min(base: Any, mine: Any, theirs: Any) -> Any:
    """The smaller of the two."""
    return min(mine, theirs)


def _max(base: Any, mine: Any, theirs: Any) -> Any:
    """The greater of the two."""
    return max(mine, theirs)


THREE_WAY: Mapping[str, Merge] = {"sum": _sum, "append": _append, "union": _union, "min": _min, "max": _max}

POLICIES = ("last", "first", "error", *THREE_WAY)
"""The policies that need no registration."""


def merge_variable(policy: str, custom: Mapping[str, Merge], variable: str, base: Any, mine: Any, theirs: Any) -> Any:
    """Merge with a three-way policy. Raises `MergeError` if the values do not suit it."""
    merge = custom.get(policy) or THREE_WAY[policy]
    try:
        return merge(base, mine, theirs)
    except Exception as error:
        # Policies may be the host's own functions; whatever they raise, the values did not merge.
        raise MergeError(
            f"Variable {variable!r} can't be merged by {policy!r}: {type(error).__name__}: {error}. At the fork it was "
            f"{base!r}, the owner has {mine!r}, the fork {theirs!r}. Start it with a value that the policy suits "
            "(0 for 'sum', [] for 'append'), or choose another policy."
        ) from error
