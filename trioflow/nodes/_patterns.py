"""Which regular expressions are quick enough to be matched at once, whatever the text is.

Python's engine tries one way after the other, so some patterns take endless time for some texts, and nothing can stop
it meanwhile. Here the most steps that it could take are told from the pattern and the length of the text. What is not
sure to be quick is matched elsewhere: most of that would be quick as well, but a tenth of a millisecond is not much.
"""

from __future__ import annotations

import functools
import math
import re
from collections.abc import Callable
from importlib import import_module
from typing import Any

import attrs

# What `re` itself takes patterns apart with.
codes: Any = import_module("re._constants")
parser: Any = import_module("re._parser")

_STEPS = 50_000
"""Steps that are surely done within a millisecond or so."""

_LONGEST = 300
"""Characters of a pattern that is compiled here."""

_REPEATS = (codes.MAX_REPEAT, codes.MIN_REPEAT, codes.POSSESSIVE_REPEAT)
_SINGLE = (codes.LITERAL, codes.NOT_LITERAL, codes.ANY, codes.IN)


@attrs.frozen
class _Cost:
    """What matching at one place may cost."""

    repeats: int = 0
    """Repeats of any length whose end is uncertain: each multiplies the ways by the length of the text."""
    runs: int = 0
    """Repeats whose end is certain, since what follows can't be part of them: each passes over the text once."""
    ways: int = 1
    """Ways through what may be there or not, and alternatives."""
    items: int = 0
    """Single characters and the like on each way."""

    def then(self, other: _Cost) -> _Cost:
        return _Cost(
            self.repeats + other.repeats, self.runs + other.runs, self.ways * other.ways, self.items + other.items
        )

    @property
    def is_fixed(self) -> bool:
        return not self.repeats and not self.runs and self.ways == 1


class _Unknown(Exception):
    pass


def is_quick(pattern: str, flags: int, length: int) -> bool:
    """Whether searching a text of some length for a pattern is sure to end soon. Raises `re.error` for no pattern."""
    if len(pattern) > _LONGEST:
        return False
    cost = _cost(pattern, flags)
    if cost is None or length * cost.items > _STEPS:
        return False
    ways = math.comb(length + cost.repeats, cost.repeats) * cost.ways
    return (length + 1) * (cost.runs * length + ways) * (cost.items + 1) <= _STEPS


@functools.lru_cache(maxsize=1000)
def _cost(pattern: str, flags: int) -> _Cost | None:
    parsed = parser.parse(pattern, flags)
    # With these what a character may be is not what is written there.
    exact = not parsed.state.flags & (re.IGNORECASE | re.ASCII | re.LOCALE)
    try:
        return _sequence(parsed, follows=exact)
    except _Unknown:
        return None


def _sequence(items: Any, *, follows: bool) -> _Cost:
    cost = _Cost()
    for place, (code, argument) in enumerate(items):
        after = items[place + 1] if place + 1 < len(items) else None
        cost = cost.then(_item(code, argument, after, follows=follows))
    return cost


def _item(code: Any, argument: Any, after: Any, *, follows: bool) -> _Cost:
    if code in _SINGLE or code is codes.AT:
        return _Cost(items=1)
    if code is codes.SUBPATTERN:
        return _sequence(argument[3], follows=follows and not argument[1] and not argument[2])
    if code is codes.BRANCH:
        ways = [_sequence(each, follows=follows) for each in argument[1]]
        return _Cost(
            max(each.repeats for each in ways),
            max(each.runs for each in ways),
            sum(each.ways for each in ways),
            sum(each.items for each in ways),
        )
    if code in (codes.ASSERT, codes.ASSERT_NOT):
        return _sequence(argument[1], follows=follows)
    if code in _REPEATS:
        least, most, inner = argument
        body = _sequence(inner, follows=follows)
        if most == 1:
            return attrs.evolve(body, ways=body.ways + 1)
        if not body.is_fixed or (most is not codes.MAXREPEAT and most > 1000):
            raise _Unknown
        if least == most:
            return _Cost(items=max(body.items * most, 1))
        if follows and len(inner) == 1 and _ends(inner[0], after):
            return _Cost(runs=1, items=1)
        return _Cost(repeats=1, items=body.items + least)
    raise _Unknown


def _ends(repeated: Any, after: Any) -> bool:
    """Whether a single character that is repeated is sure not to be the one that has to follow."""
    code, argument = repeated
    return after is not None and after[0] is codes.LITERAL and _is_other(code, argument, chr(after[1]))


def _is_other(code: Any, argument: Any, character: str) -> bool:
    if code is codes.LITERAL:
        return chr(argument) != character
    if code is codes.NOT_LITERAL:
        return chr(argument) == character
    if code is codes.CATEGORY:
        known = _CATEGORIES.get(argument)
        return known is not None and not known(character)
    if code is codes.RANGE:
        return not argument[0] <= ord(character) <= argument[1]
    if code is codes.IN:
        if argument[0][0] is codes.NEGATE:
            # Without a negation inside only characters and ranges can be told to hold it.
            return any(
                (kind is codes.LITERAL and chr(each) == character)
                or (kind is codes.RANGE and each[0] <= ord(character) <= each[1])
                for kind, each in argument[1:]
            )
        return all(_is_other(kind, each, character) for kind, each in argument)
    return False


_CATEGORIES: dict[Any, Callable[[str], bool]] = {
    codes.CATEGORY_DIGIT: str.isdecimal,
    codes.CATEGORY_SPACE: str.isspace,
    codes.CATEGORY_WORD: lambda character: character.isalnum() or character == "_",
}
