"""Text. Places count from 0; negative ones count from the end."""

from __future__ import annotations

import re
from typing import Any, Literal, NamedTuple, TypeVar

import trioflow as tf
from trioflow.nodes import _expect as expect
from trioflow.nodes._as_text import text_of
from trioflow.nodes._elsewhere import work
from trioflow.nodes._slices import SLICE, TURN, Steps, gathered, parts, sliced

T = TypeVar("T")
Side = Literal["both", "start", "end"]

_LONG = 100_000
"""Characters of a text whose methods are called here: what Python looks at one by one, it does in a millisecond."""

_QUICK_NUMBER = 4_000
"""Digits that Python reads whatever the host has set."""

_WHOLE = re.compile(r"[-+]?\d+(?:_\d+)*")


def _of(kind: type[T], method: str, value: str, *arguments: Any) -> Steps[T]:
    """What a method of a text gives, from another process if the text is long."""
    job = work("text", method, value, *arguments)
    found: T = (yield job) if len(value) > _LONG else job.here()
    return found


def _shown(node: str, value: object) -> Steps[str]:
    try:
        return (yield from text_of(value))
    except ValueError as error:
        raise ValueError(f"{node}: {error}.") from None


@tf.data_node(id="text.concat")
def concat(a: str, b: str) -> str:
    """One text after the other.

    >>> concat("tri", "o")
    'trio'
    """
    return a + b


@sliced(id="text.join")
def join(items: list[object], separator: str = ", ") -> Steps[str]:
    """The items as text, with the separator between.

    >>> join([1, "a"])
    '1, a'
    """
    texts: list[str] = []
    size = 0
    for number, item in enumerate(items, 1):
        texts.append(item if type(item) is str else (yield from _shown("text.join", item)))
        size += len(texts[-1]) + len(separator)
        if size > expect.MOST + len(separator):
            raise expect.too_large("text.join", "characters")
        if not number % SLICE:
            yield TURN
    return separator.join(texts)


@sliced(id="text.split")
def split(value: str, separator: str = ",") -> Steps[list[str]]:
    """The parts between the separators. An empty separator is an error.

    >>> split("a,b,,c")
    ['a', 'b', '', 'c']
    """
    if not separator:
        raise ValueError("text.split: empty separator; `text.characters` gives the characters.")
    return (yield from _of(list, "split", value, separator))


class Partition(NamedTuple):
    """A text around a separator."""

    before: str
    after: str
    found: bool


@sliced(id="text.partition")
def partition(value: str, separator: str, last: bool = False) -> Steps[Partition]:
    """What is before and what is after the first separator, or the last. Without one, all is before.

    An empty separator is an error.

    >>> partition("key=a=b", "=")
    Partition(before='key', after='a=b', found=True)
    """
    if not separator:
        raise ValueError("text.partition: empty separator.")
    place: int = yield from _of(int, "rfind" if last else "find", value, separator)
    if place < 0:
        return Partition(value, "", found=False)
    return Partition(value[:place], value[place + len(separator) :], found=True)


@sliced(id="text.lines")
def lines(value: str) -> Steps[list[str]]:
    r"""The lines, without their ends, which may be any that Unicode knows; no line for an empty text.

    >>> lines("a\nb\r\n")
    ['a', 'b']
    """
    return (yield from _of(list, "splitlines", value))


@sliced(id="text.words")
def words(value: str) -> Steps[list[str]]:
    r"""The parts between white space of any length; none for a blank text.

    >>> words(" to  be\tor not ")
    ['to', 'be', 'or', 'not']
    """
    return (yield from _of(list, "split", value))


@sliced(id="text.characters")
def characters(value: str) -> Steps[list[str]]:
    """The code points, each as a text.

    >>> characters("añb")
    ['a', 'ñ', 'b']
    """
    return (yield from gathered(list(part) for part in parts(value, SLICE * 5)))


@sliced(id="text.upper")
def upper(value: str) -> Steps[str]:
    """In capitals, by the rules of Unicode, whatever the language.

    >>> upper("straße")
    'STRASSE'
    """
    return (yield from _of(str, "upper", value))


@sliced(id="text.lower")
def lower(value: str) -> Steps[str]:
    """In small letters, by the rules of Unicode, whatever the language.

    >>> lower("ABC")
    'abc'
    """
    return (yield from _of(str, "lower", value))


@sliced(id="text.capitalize")
def capitalize(value: str) -> Steps[str]:
    """The first character as a capital, all others small.

    >>> capitalize("hELLO you")
    'Hello you'
    """
    return (yield from _of(str, "capitalize", value))


@sliced(id="text.title")
def title(value: str) -> Steps[str]:
    """Each word with a capital and small letters after it; words are what spaces separate, which stay.

    >>> title("hello  BIG world")
    'Hello  Big World'
    """
    words: list[str] = yield from _of(list, "split", value, " ")
    return " ".join((yield from gathered([word.capitalize() for word in part] for part in parts(words, SLICE // 2))))


@sliced(id="text.strip")
def strip(value: str) -> Steps[str]:
    r"""Without white space at both ends.

    >>> strip("  a \n")
    'a'
    """
    return (yield from _of(str, "strip", value))


@sliced(id="text.trim")
def trim(value: str, characters: str = " ", side: Side = "both") -> Steps[str]:
    """Without any of these characters at the start, the end or both. No characters: nothing is taken away.

    >>> trim("--a-b--", "-", "start")
    'a-b--'
    """
    method = {"both": "strip", "start": "lstrip", "end": "rstrip"}[side]
    return (yield from _of(str, method, value, characters))


@tf.data_node(id="text.remove_prefix")
def remove_prefix(value: str, prefix: str) -> str:
    """Without the prefix, once; as it is if it does not start with it.

    >>> remove_prefix("v1.2", "v")
    '1.2'
    """
    return value.removeprefix(prefix)


@tf.data_node(id="text.remove_suffix")
def remove_suffix(value: str, suffix: str) -> str:
    """Without the suffix, once; as it is if it does not end with it.

    >>> remove_suffix("a.txt", ".txt")
    'a'
    """
    return value.removesuffix(suffix)


@tf.data_node(id="text.pad")
def pad(value: str, length: int, character: str = " ", side: Side = "start") -> str:
    """Filled up to a length with a character, at the start, the end, or both (the end gets the odd one).

    A text that is long enough stays as it is. Anything but one character to fill with is an error.

    >>> pad("7", 3, "0")
    '007'
    """
    if len(character) != 1:
        raise ValueError(f"text.pad: expected one character to fill with, got {expect.short(character)}.")
    missing = max(expect.at_most("text.pad", length, "characters") - len(value), 0)
    before = {"start": missing, "end": 0, "both": missing // 2}[side]
    return character * before + value + character * (missing - before)


@tf.data_node(id="text.repeat")
def repeat(value: str, times: int, separator: str = "") -> str:
    """The text so many times, with the separator between; empty for none or a negative number.

    >>> repeat("ab", 3, "-")
    'ab-ab-ab'
    """
    expect.at_most("text.repeat", times * max(len(value) + len(separator), 1), "characters")
    return separator.join([value] * max(times, 0))


@sliced(id="text.reverse")
def reverse(value: str) -> Steps[str]:
    """The code points in the opposite order.

    >>> reverse("abc")
    'cba'
    """
    return "".join((yield from gathered((part[::-1],) for part in reversed([*parts(value, _LONG)]))))


@sliced(id="text.replace")
def replace(value: str, old: str, new: str) -> Steps[str]:
    """With every `old` replaced. An empty `old` is an error.

    >>> replace("banana", "an", "o")
    'booa'
    """
    if not old:
        raise ValueError("text.replace: `old` is empty; say what to replace.")
    count: int = yield from _of(int, "count", value, old)
    expect.at_most(
        "text.replace", len(value) + count * (len(new) - len(old)) if len(new) > len(old) else 0, "characters"
    )
    return (yield from _of(str, "replace", value, old, new))


@tf.data_node(id="text.insert")
def insert(value: str, index: int, inserted: str) -> str:
    """With another text before the character at a place; places beyond the ends are taken as the ends.

    >>> insert("ad", 1, "bc")
    'abcd'
    """
    return value[:index] + inserted + value[index:]


@tf.data_node(id="text.shorten")
def shorten(value: str, length: int, ellipsis: str = "…") -> str:
    """Cut to a length, the ellipsis at its end included; as it is if it is short enough.

    A length that has no room for the ellipsis is an error, if something has to be cut.

    >>> shorten("a long story", 7)
    'a long…'
    """
    if len(value) <= length:
        return value
    if length < len(ellipsis):
        raise ValueError(f"text.shorten: a length of {expect.short(length)} has no room for {expect.short(ellipsis)}.")
    return value[: length - len(ellipsis)] + ellipsis


@sliced(id="text.contains")
def contains(value: str, search: str) -> Steps[bool]:
    """Whether the text contains the other; the empty text is in every text.

    >>> contains("abc", "bc")
    True
    """
    found: int = yield from _of(int, "find", value, search)
    return found >= 0


@tf.data_node(id="text.starts_with")
def starts_with(value: str, prefix: str) -> bool:
    """Whether the text starts with the other.

    >>> starts_with("abc", "ab")
    True
    """
    return value.startswith(prefix)


@tf.data_node(id="text.ends_with")
def ends_with(value: str, suffix: str) -> bool:
    """Whether the text ends with the other.

    >>> ends_with("abc", "ab")
    False
    """
    return value.endswith(suffix)


@sliced(id="text.find")
def find(value: str, search: str, start: int = 0) -> Steps[int]:
    """The first place from `start` on where the other text is; -1 if there is none.

    >>> find("banana", "an", 2)
    3
    """
    return (yield from _of(int, "find", value, search, start))


@sliced(id="text.find_last")
def find_last(value: str, search: str) -> Steps[int]:
    """The last place where the other text is; -1 if there is none.

    >>> find_last("banana", "an")
    3
    """
    return (yield from _of(int, "rfind", value, search))


@sliced(id="text.count")
def count(value: str, search: str) -> Steps[int]:
    """How often the other text is in it, without overlaps. Counting the empty text is an error.

    >>> count("banana", "ana")
    1
    """
    if not search:
        raise ValueError("text.count: `search` is empty; say what to count.")
    return (yield from _of(int, "count", value, search))


@tf.data_node(id="text.length")
def length(value: str) -> int:
    """The number of code points.

    >>> length("é😀")
    2
    """
    return len(value)


@sliced(id="text.is_empty")
def is_empty(value: str, blank: bool = False) -> Steps[bool]:
    """Whether there is no character, or, with `blank`, none but white space.

    >>> is_empty("  ", True)
    True
    """
    return not ((yield from _of(str, "strip", value)) if blank else value)


@tf.data_node(id="text.slice")
def slice_(value: str, start: int = 0, stop: int | None = None) -> str:
    """From `start` up to, not including, `stop`; places beyond the ends are taken as the ends.

    >>> slice_("abcdef", -3, 99)
    'def'
    """
    return value[start:stop]


@sliced(id="text.to_text")
def to_text(value: object) -> Steps[str]:
    """The value as Python writes it for people. The members of a set are in any order: take `set.to_list` before.

    >>> to_text([1])
    '[1]'
    """
    return (yield from _shown("text.to_text", value))


@sliced(id="text.parse_int")
def parse_int(value: str) -> Steps[int]:
    """The whole number that the text writes in decimal digits. Anything else is an error.

    As in Python there may be white space around it, underscores between digits, and digits of any script, such as ٣;
    `convert.to_int` takes none of these.

    >>> parse_int("-12")
    -12
    """
    if len(value) > expect.LONGEST_NUMBER:
        raise ValueError(
            f"text.parse_int: expected {expect.LONGEST_NUMBER} digits at most, got {len(value)} characters."
        )
    digits = value.strip()
    if not _WHOLE.fullmatch(digits):
        raise ValueError(f"text.parse_int: expected a whole number in decimal digits, got {expect.short(value)}.")
    digits = digits.replace("_", "")
    number: int = int(digits) if len(digits) < _QUICK_NUMBER else (yield work("whole", digits))
    return number


@tf.data_node(id="text.parse_float")
def parse_float(value: str) -> float:
    """The number that the text writes, with a point, an exponent, `inf` or `nan`. Anything else is an error.

    As in Python there may be white space around it, underscores between digits, and digits of any script, such as ٣;
    `convert.to_float` takes none of these.

    >>> parse_float("1e3")
    1000.0
    """
    try:
        return float(value)
    except ValueError:
        raise ValueError(f"text.parse_float: expected a number such as '-1.5e3', got {expect.short(value)}.") from None
