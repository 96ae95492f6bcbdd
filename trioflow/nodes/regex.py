"""Regular expressions, in Python's syntax. A pattern that is none is an error that says where it goes wrong.

Flags stand in the pattern, or in `flags`: `i` ignores case, `m` lets ^ and $ match at lines, `s` lets the point match
line ends, `x` lets white space and comments stand in the pattern, `a` lets `\\w` and the like mean ASCII only. Some
patterns take endless time for some texts, such as `(a+)+b` for many a. What is not sure to be quick is matched in
another process, so that others have their turn meanwhile, and a time limit ends it.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, TypeVar

from trioflow.nodes import _expect as expect
from trioflow.nodes._elsewhere import work
from trioflow.nodes._patterns import is_quick
from trioflow.nodes._slices import SLICE, TURN, Steps, gathered, parts, sliced

T = TypeVar("T")
Regs = tuple[tuple[int, int], ...]

_FLAGS = {"i": re.IGNORECASE, "m": re.MULTILINE, "s": re.DOTALL, "x": re.VERBOSE, "a": re.ASCII}


def _asked(node: str, what: str, value: str, pattern: str, flags: str, *more: Any) -> Steps[Any]:
    """What the work of that name gives, for a pattern and a text."""
    number = 0
    for flag in flags:
        if flag not in _FLAGS:
            raise ValueError(f"{node}: flags are {', '.join(_FLAGS)}, got {expect.shown(flags)}.")
        number |= int(_FLAGS[flag])
    job = work(what, pattern, number, value, *more)
    try:
        quick = is_quick(pattern, number, len(value))
    except (re.error, ValueError, OverflowError, RecursionError):
        quick = len(pattern) < SLICE  # who compiles it tells what is wrong
    try:
        return job.here() if quick else (yield job)
    except ValueError as error:
        raise ValueError(f"{node}: {error}.") from None


def _groups(value: str, match: Regs) -> list[str]:
    """The groups, or what matched if there are none; a group that took no part is empty."""
    return [value[start:end] if start >= 0 else "" for start, end in match[1:]] or [value[slice(*match[0])]]


def _from_all(node: str, value: str, pattern: str, flags: str, made: Callable[[Regs], T]) -> Steps[list[T]]:
    found: list[Regs] = yield from _asked(node, "search_all", value, pattern, flags)
    return (yield from gathered(map(made, part) for part in parts(found)))


@sliced(id="regex.matches")
def matches(value: str, pattern: str, flags: str = "") -> Steps[bool]:
    r"""Whether the pattern matches the whole text.

    >>> matches("2026-02", r"\d{4}-\d{2}")
    True
    """
    found: bool = yield from _asked("regex.matches", "matches", value, pattern, flags)
    return found


@sliced(id="regex.contains")
def contains(value: str, pattern: str, flags: str = "") -> Steps[bool]:
    r"""Whether the pattern matches anywhere in the text.

    >>> contains("room 12", r"\d")
    True
    """
    return (yield from _asked("regex.contains", "search", value, pattern, flags)) is not None


@sliced(id="regex.find")
def find(value: str, pattern: str, flags: str = "") -> Steps[str | None]:
    r"""The first part of the text that matches; none if there is no such part.

    >>> find("rooms 12 and 7", r"\d+")
    '12'
    """
    match: Regs | None = yield from _asked("regex.find", "search", value, pattern, flags)
    return value[slice(*match[0])] if match is not None else None


@sliced(id="regex.find_all")
def find_all(value: str, pattern: str, flags: str = "") -> Steps[list[str]]:
    r"""All parts of the text that match, which don't overlap.

    >>> find_all("rooms 12 and 7", r"\d+")
    ['12', '7']
    """
    return (yield from _from_all("regex.find_all", value, pattern, flags, lambda match: value[slice(*match[0])]))


@sliced(id="regex.index_of")
def index_of(value: str, pattern: str, flags: str = "") -> Steps[int]:
    r"""The place of the first part of the text that matches; -1 if there is none.

    >>> index_of("room 12", r"\d")
    5
    """
    match: Regs | None = yield from _asked("regex.index_of", "search", value, pattern, flags)
    return match[0][0] if match else -1


@sliced(id="regex.groups")
def groups(value: str, pattern: str, flags: str = "") -> Steps[list[str]]:
    r"""The groups of the first match, or all of the match if the pattern has no groups; empty if nothing matches.

    A group that took no part in the match is an empty text.

    >>> groups("key = 12", r"(\w+) *= *(\w+)")
    ['key', '12']
    """
    match: Regs | None = yield from _asked("regex.groups", "search", value, pattern, flags)
    return _groups(value, match) if match else []


@sliced(id="regex.all_groups")
def all_groups(value: str, pattern: str, flags: str = "") -> Steps[list[list[str]]]:
    r"""The groups of every match, as `regex.groups` gives those of the first.

    >>> all_groups("a=1 b=2", r"(\w)=(\w)")
    [['a', '1'], ['b', '2']]
    """
    return (yield from _from_all("regex.all_groups", value, pattern, flags, lambda match: _groups(value, match)))


@sliced(id="regex.named_groups")
def named_groups(value: str, pattern: str, flags: str = "") -> Steps[dict[str, str]]:
    r"""The groups with names of the first match, by name; empty if nothing matches.

    A group that took no part in the match is an empty text.

    >>> named_groups("2026-02", r"(?P<year>\d+)-(?P<month>\d+)")
    {'year': '2026', 'month': '02'}
    """
    found: dict[str, str] | None = yield from _asked("regex.named_groups", "search_names", value, pattern, flags)
    return found or {}


@sliced(id="regex.replace")
def replace(value: str, pattern: str, replacement: str, most: int = 0, flags: str = "") -> Steps[str]:
    r"""With every part that matches replaced, or only so many of them, from the first on.

    In the replacement `\1` or `\g<name>` stands for a group; one that the pattern does not have is an error.

    >>> replace("2026-02", r"(\d+)-(\d+)", r"\2/\1")
    '02/2026'
    """
    if most < 0:
        raise ValueError(
            f"regex.replace: expected how many to replace at most, or 0 for all, got {expect.short(most)}."
        )
    count = min(most, len(value) + 1)
    try:
        replaced: str = yield from _asked(
            "regex.replace", "substitute", value, pattern, flags, replacement, count, expect.MOST
        )
    except OverflowError:
        raise expect.too_large("regex.replace", "characters") from None
    return replaced


@sliced(id="regex.split")
def split(value: str, pattern: str, flags: str = "") -> Steps[list[str]]:
    r"""The parts between what matches; groups in the pattern are not among them.

    >>> split("a, b;c", r"[,;]\s*")
    ['a', 'b', 'c']
    """
    ends: list[tuple[int, int]] = yield from _from_all("regex.split", value, pattern, flags, lambda match: match[0])
    found: list[str] = []
    begin = 0
    for number, (start, end) in enumerate(ends):
        if number and not number % SLICE:
            yield TURN
        found.append(value[begin:start])
        begin = end
    found.append(value[begin:])
    return found


@sliced(id="regex.escape")
def escape(value: str) -> Steps[str]:
    r"""A pattern that matches exactly this text.

    >>> escape("1+1")
    '1\\+1'
    """
    return "".join((yield from gathered((re.escape(part),) for part in parts(value, SLICE * 10))))
