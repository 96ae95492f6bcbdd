"""Text. Places count from 0; negative ones count from the end."""

from __future__ import annotations

from typing import Literal, NamedTuple

import trioflow as tf
from trioflow.nodes import _expect as expect

Side = Literal["both", "start", "end"]


@tf.data_node(id="text.concat")
def concat(a: str, b: str) -> str:
    """One text after the other.

    >>> concat("tri", "o")
    'trio'
    """
    return a + b


@tf.data_node(id="text.join")
def join(items: list[object], separator: str = ", ") -> str:
    """The items as text, with the separator between.

    >>> join([1, "a"])
    '1, a'
    """
    return separator.join(map(str, items))


@tf.data_node(id="text.split")
def split(value: str, separator: str = ",") -> list[str]:
    """The parts between the separators. An empty separator is an error.

    >>> split("a,b,,c")
    ['a', 'b', '', 'c']
    """
    if not separator:
        raise ValueError("text.split: empty separator; `text.characters` gives the characters.")
    return value.split(separator)


class Partition(NamedTuple):
    """A text around a separator."""

    before: str
    after: str
    found: bool


@tf.data_node(id="text.partition")
def partition(value: str, separator: str, last: bool = False) -> Partition:
    """What is before and what is after the first separator, or the last. Without one, all is before.

    An empty separator is an error.

    >>> partition("key=a=b", "=")
    Partition(before='key', after='a=b', found=True)
    """
    if not separator:
        raise ValueError("text.partition: empty separator.")
    place = value.rfind(separator) if last else value.find(separator)
    if place < 0:
        return Partition(value, "", found=False)
    return Partition(value[:place], value[place + len(separator) :], found=True)


@tf.data_node(id="text.lines")
def lines(value: str) -> list[str]:
    r"""The lines, without their ends, which may be any that Unicode knows; no line for an empty text.

    >>> lines("a\nb\r\n")
    ['a', 'b']
    """
    return value.splitlines()


@tf.data_node(id="text.words")
def words(value: str) -> list[str]:
    r"""The parts between white space of any length; none for a blank text.

    >>> words(" to  be\tor not ")
    ['to', 'be', 'or', 'not']
    """
    return value.split()


@tf.data_node(id="text.characters")
def characters(value: str) -> list[str]:
    """The code points, each as a text.

    >>> characters("añb")
    ['a', 'ñ', 'b']
    """
    return list(value)


@tf.data_node(id="text.upper")
def upper(value: str) -> str:
    """In capitals, by the rules of Unicode, whatever the language.

    >>> upper("straße")
    'STRASSE'
    """
    return value.upper()


@tf.data_node(id="text.lower")
def lower(value: str) -> str:
    """In small letters, by the rules of Unicode, whatever the language.

    >>> lower("ABC")
    'abc'
    """
    return value.lower()


@tf.data_node(id="text.capitalize")
def capitalize(value: str) -> str:
    """The first character as a capital, all others small.

    >>> capitalize("hELLO you")
    'Hello you'
    """
    return value.capitalize()


@tf.data_node(id="text.title")
def title(value: str) -> str:
    """Each word with a capital and small letters after it; words are what spaces separate, which stay.

    >>> title("hello  BIG world")
    'Hello  Big World'
    """
    return " ".join(word.capitalize() for word in value.split(" "))


@tf.data_node(id="text.strip")
def strip(value: str) -> str:
    r"""Without white space at both ends.

    >>> strip("  a \n")
    'a'
    """
    return value.strip()


@tf.data_node(id="text.trim")
def trim(value: str, characters: str = " ", side: Side = "both") -> str:
    """Without any of these characters at the start, the end or both. No characters: nothing is taken away.

    >>> trim("--a-b--", "-", "start")
    'a-b--'
    """
    if side == "both":
        return value.strip(characters)
    return value.lstrip(characters) if side == "start" else value.rstrip(characters)


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
        raise ValueError(f"text.pad: expected one character to fill with, got {character!r}.")
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


@tf.data_node(id="text.reverse")
def reverse(value: str) -> str:
    """The code points in the opposite order.

    >>> reverse("abc")
    'cba'
    """
    return value[::-1]


@tf.data_node(id="text.replace")
def replace(value: str, old: str, new: str) -> str:
    """With every `old` replaced. An empty `old` is an error.

    >>> replace("banana", "an", "o")
    'booa'
    """
    if not old:
        raise ValueError("text.replace: `old` is empty; say what to replace.")
    return value.replace(old, new)


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
        raise ValueError(f"text.shorten: a length of {length} has no room for {ellipsis!r}.")
    return value[: length - len(ellipsis)] + ellipsis


@tf.data_node(id="text.contains")
def contains(value: str, search: str) -> bool:
    """Whether the text contains the other; the empty text is in every text.

    >>> contains("abc", "bc")
    True
    """
    return search in value


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


@tf.data_node(id="text.find")
def find(value: str, search: str, start: int = 0) -> int:
    """The first place from `start` on where the other text is; -1 if there is none.

    >>> find("banana", "an", 2)
    3
    """
    return value.find(search, start)


@tf.data_node(id="text.find_last")
def find_last(value: str, search: str) -> int:
    """The last place where the other text is; -1 if there is none.

    >>> find_last("banana", "an")
    3
    """
    return value.rfind(search)


@tf.data_node(id="text.count")
def count(value: str, search: str) -> int:
    """How often the other text is in it, without overlaps. Counting the empty text is an error.

    >>> count("banana", "ana")
    1
    """
    if not search:
        raise ValueError("text.count: `search` is empty; say what to count.")
    return value.count(search)


@tf.data_node(id="text.length")
def length(value: str) -> int:
    """The number of code points.

    >>> length("é😀")
    2
    """
    return len(value)


@tf.data_node(id="text.is_empty")
def is_empty(value: str, blank: bool = False) -> bool:
    """Whether there is no character, or, with `blank`, none but white space.

    >>> is_empty("  ", True)
    True
    """
    return not (value.strip() if blank else value)


@tf.data_node(id="text.slice")
def slice_(value: str, start: int = 0, stop: int | None = None) -> str:
    """From `start` up to, not including, `stop`; places beyond the ends are taken as the ends.

    >>> slice_("abcdef", -3, 99)
    'def'
    """
    return value[start:stop]


@tf.data_node(id="text.to_text")
def to_text(value: object) -> str:
    """The value as Python writes it for people. The members of a set are in any order: take `set.to_list` before.

    >>> to_text([1])
    '[1]'
    """
    return str(value)


@tf.data_node(id="text.parse_int")
def parse_int(value: str) -> int:
    """The whole number that the text writes in decimal digits. Anything else is an error.

    As in Python there may be white space around it, and underscores between digits.

    >>> parse_int("-12")
    -12
    """
    try:
        return int(value)
    except ValueError as error:
        raise ValueError(f"text.parse_int: {error}.") from None


@tf.data_node(id="text.parse_float")
def parse_float(value: str) -> float:
    """The number that the text writes, with a point, an exponent, `inf` or `nan`. Anything else is an error.

    As in Python there may be white space around it, and underscores between digits.

    >>> parse_float("1e3")
    1000.0
    """
    try:
        return float(value)
    except ValueError as error:
        raise ValueError(f"text.parse_float: {error}.") from None
