"""Regular expressions, in Python's syntax. A pattern that is none is an error that says where it goes wrong.

Flags stand in the pattern: `(?i)` ignores case, `(?m)` lets ^ and $ match at lines, `(?s)` lets the point match line
ends. Matching can't be cancelled, and some patterns take endless time for some texts, such as `(a+)+b` for many a: take
patterns only from people whom you trust.
"""

from __future__ import annotations

import re

import trioflow as tf


def _compiled(node: str, pattern: str) -> re.Pattern[str]:
    try:
        return re.compile(pattern)
    except (re.error, OverflowError, RecursionError) as error:
        raise ValueError(f"{node}: {pattern!r} is not a regular expression: {error}.") from error


def _groups(match: re.Match[str]) -> list[str]:
    """The groups, or what matched if there are none; a group that took no part is empty."""
    return [group or "" for group in match.groups()] or [match[0]]


@tf.data_node(id="regex.matches")
def matches(value: str, pattern: str) -> bool:
    r"""Whether the pattern matches the whole text.

    >>> matches("2026-02", r"\d{4}-\d{2}")
    True
    """
    return _compiled("regex.matches", pattern).fullmatch(value) is not None


@tf.data_node(id="regex.contains")
def contains(value: str, pattern: str) -> bool:
    r"""Whether the pattern matches anywhere in the text.

    >>> contains("room 12", r"\d")
    True
    """
    return _compiled("regex.contains", pattern).search(value) is not None


@tf.data_node(id="regex.find")
def find(value: str, pattern: str) -> str | None:
    r"""The first part of the text that matches; none if there is no such part.

    >>> find("rooms 12 and 7", r"\d+")
    '12'
    """
    match = _compiled("regex.find", pattern).search(value)
    return match and match[0]


@tf.data_node(id="regex.find_all")
def find_all(value: str, pattern: str) -> list[str]:
    r"""All parts of the text that match, which don't overlap.

    >>> find_all("rooms 12 and 7", r"\d+")
    ['12', '7']
    """
    return [match[0] for match in _compiled("regex.find_all", pattern).finditer(value)]


@tf.data_node(id="regex.index_of")
def index_of(value: str, pattern: str) -> int:
    r"""The place of the first part of the text that matches; -1 if there is none.

    >>> index_of("room 12", r"\d")
    5
    """
    match = _compiled("regex.index_of", pattern).search(value)
    return match.start() if match else -1


@tf.data_node(id="regex.groups")
def groups(value: str, pattern: str) -> list[str]:
    r"""The groups of the first match, or all of the match if the pattern has no groups; empty if nothing matches.

    A group that took no part in the match is an empty text.

    >>> groups("key = 12", r"(\w+) *= *(\w+)")
    ['key', '12']
    """
    match = _compiled("regex.groups", pattern).search(value)
    return _groups(match) if match else []


@tf.data_node(id="regex.all_groups")
def all_groups(value: str, pattern: str) -> list[list[str]]:
    r"""The groups of every match, as `regex.groups` gives those of the first.

    >>> all_groups("a=1 b=2", r"(\w)=(\w)")
    [['a', '1'], ['b', '2']]
    """
    return [_groups(match) for match in _compiled("regex.all_groups", pattern).finditer(value)]


@tf.data_node(id="regex.named_groups")
def named_groups(value: str, pattern: str) -> dict[str, str]:
    r"""The groups with names of the first match, by name; empty if nothing matches.

    A group that took no part in the match is an empty text.

    >>> named_groups("2026-02", r"(?P<year>\d+)-(?P<month>\d+)")
    {'year': '2026', 'month': '02'}
    """
    match = _compiled("regex.named_groups", pattern).search(value)
    return match.groupdict("") if match else {}


@tf.data_node(id="regex.replace")
def replace(value: str, pattern: str, replacement: str, most: int = 0) -> str:
    r"""With every part that matches replaced, or only so many of them, from the first on.

    In the replacement `\1` or `\g<name>` stands for a group; one that the pattern does not have is an error.

    >>> replace("2026-02", r"(\d+)-(\d+)", r"\2/\1")
    '02/2026'
    """
    if most < 0:
        raise ValueError(f"regex.replace: expected how many to replace at most, or 0 for all, got {most}.")
    try:
        return _compiled("regex.replace", pattern).sub(replacement, value, count=min(most, len(value) + 1))
    except (re.error, IndexError) as error:
        raise ValueError(f"regex.replace: the replacement {replacement!r} does not fit: {error}.") from error


@tf.data_node(id="regex.split")
def split(value: str, pattern: str) -> list[str]:
    r"""The parts between what matches; groups in the pattern are not among them.

    >>> split("a, b;c", r"[,;]\s*")
    ['a', 'b', 'c']
    """
    ends = [match.span() for match in _compiled("regex.split", pattern).finditer(value)]
    starts, stops = [0, *(end for _, end in ends)], [*(start for start, _ in ends), len(value)]
    return [value[start:stop] for start, stop in zip(starts, stops, strict=True)]


@tf.data_node(id="regex.escape")
def escape(value: str) -> str:
    r"""A pattern that matches exactly this text.

    >>> escape("1+1")
    '1\\+1'
    """
    return re.escape(value)
