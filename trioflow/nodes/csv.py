"""Tables as text, in the form of RFC 4180: fields with quotes around them may hold separators and line ends."""

from __future__ import annotations

import csv
import io
import itertools
import re
from collections.abc import Iterable, Iterator
from typing import Any

from trioflow.nodes import _expect as expect
from trioflow.nodes._as_text import text_of
from trioflow.nodes._slices import SLICE, TURN, Steps, joined, sliced


def _separator(node: str, separator: str) -> str:
    if len(separator) != 1 or separator in '"\r\n ':
        raise ValueError(
            f"{node}: expected one character as separator, other than quote, space and line end, "
            f"got {expect.short(separator)}."
        )
    return separator


def _read(node: str, text: str, separator: str) -> Steps[list[list[str]]]:
    """The rows: by Python's reader, but for those that are too long for it, or to be read in one go."""
    text = text.removeprefix("\ufeff")
    _separator(node, separator)
    rows: list[list[str]] = []
    place = 0
    while place < len(text):
        lines = _Lines(text, place)
        reader = csv.reader(lines, delimiter=separator, strict=True)
        try:
            for row in reader:
                if row:
                    rows.append(row)
                lines.begin = lines.place
                if lines.place - place > _LONG:
                    place = lines.place
                    yield TURN
            break
        except _TooLong:
            pass
        except csv.Error as error:
            if "field larger than" not in str(error):
                line = text.count("\n", 0, lines.place) + (not text.endswith("\n", 0, lines.place))
                raise ValueError(f"{node}: line {line}: {error}.") from None
        row, place = yield from _long_row(node, text, lines.begin, separator)
        rows.append(row)
    return rows


_LONG = 1 << 15
"""Characters that are read in one go."""


class _TooLong(Exception):
    pass


class _Lines:
    """The lines of a text with their ends, as a file would give them."""

    def __init__(self, text: str, place: int) -> None:
        self._text = text
        self.begin = place  # of the row
        self.place = place

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        if self.place >= len(self._text):
            raise StopIteration
        found = _END.search(self._text, self.place, self.place + _LONG)
        end = found.end() if found else len(self._text)
        if end - self.begin > _LONG:
            raise _TooLong
        line = self._text[self.place : end]
        self.place = end
        return line


_END = re.compile(r"\r\n|\n|\r")


def _long_row(node: str, text: str, start: int, separator: str) -> Steps[tuple[list[str], int]]:
    """The row that begins here, and where the next one does, by the rules of Python's reader."""
    row: list[str] = []
    rest = re.compile(rf"[^{re.escape(separator)}\r\n]*")
    place = start
    while True:
        if not len(row) % SLICE:
            yield TURN
        if text.startswith('"', place):
            field, place = yield from _quoted(node, text, place)
            if place < len(text) and text[place] not in (separator, "\r", "\n"):
                line = text.count("\n", 0, place) + 1
                raise ValueError(f"{node}: line {line}: {separator!r} expected after '\"'.")
        else:
            field = ""
            while found := rest.match(text, place, place + _LONG):
                field += found[0]
                place = found.end()
                if len(found[0]) < _LONG:
                    break
                yield TURN
        row.append(field)
        if not text.startswith(separator, place):
            break
        place += 1
    end = _END.match(text, place)
    return row, end.end() if end else place


def _quoted(node: str, text: str, start: int) -> Steps[tuple[str, int]]:
    """The field in quotes that begins here, and where it ends."""
    parts: list[str] = []
    place = start + 1
    while True:
        end = text.find('"', place)
        if end < 0:
            raise ValueError(f"{node}: line {text.count(chr(10), 0, start) + 1}: a quote that is not closed.")
        if not text.startswith('"', end + 1):
            return "".join((*parts, text[place:end])), end + 1
        parts.append(text[place : end + 1])
        place = end + 2
        if not len(parts) % SLICE:
            yield TURN


def _written(node: str, rows: Iterable[list[Any]], separator: str) -> Steps[str]:
    try:
        return (yield from _lines_of(rows, separator))
    except ValueError as error:
        raise ValueError(f"{node}: {error}.") from None


def _lines_of(rows: Iterable[list[Any]], separator: str) -> Steps[str]:
    lines: list[str] = []
    size = 0
    for row in rows:
        fields: list[Any] = []
        for value in row:
            fields.append("" if value is None else value if type(value) is str else (yield from text_of(value)))
            size += len(fields[-1]) + 20
            if size > _LONG:
                size = 0
                yield TURN
        line = io.StringIO(newline="")
        # What may end a row is put in quotes, so it has to be both characters here, though the result has one.
        csv.writer(line, delimiter=separator, lineterminator="\r\n").writerow(fields)
        lines.append(line.getvalue().removesuffix("\r\n"))
    lines.append("")
    return (yield from joined(lines, "\n"))


@sliced(id="csv.parse_rows")
def parse_rows(text: str, separator: str = ",") -> Steps[list[list[str]]]:
    r"""The rows, each a list of texts; empty lines are passed over, and so is a byte order mark.

    Quotes that are not closed are an error.

    >>> parse_rows('a,"b,c"\n1,2\n')
    [['a', 'b,c'], ['1', '2']]
    """
    return (yield from _read("csv.parse_rows", text, separator))


@sliced(id="csv.parse")
def parse(text: str, separator: str = ",") -> Steps[list[dict[str, str]]]:
    r"""The rows after the first as dictionaries, with the texts of the first row as keys; none for an empty text.

    A key twice, and a row with more or fewer fields than the first, are errors that say which.

    >>> parse("name,age\nAda,36\n")
    [{'name': 'Ada', 'age': '36'}]
    """
    rows = yield from _read("csv.parse", text, separator)
    keys = rows[0] if rows else []
    if len(set(keys)) < len(keys):
        raise ValueError(f"csv.parse: expected names of columns that differ, got {expect.short(keys)}.")
    found: list[dict[str, str]] = []
    for number, row in enumerate(rows, 1):
        if number == 1:
            continue
        if len(row) != len(keys):
            raise ValueError(f"csv.parse: row {number} has {len(row)} fields, and the first row names {len(keys)}.")
        found.append(dict(zip(keys, row, strict=True)))
        rows[number - 1] = keys  # so that not all of them are forgotten at once
        if not number % _ROWS:
            yield TURN
    return found


_ROWS = 500
"""Rows that are looked at in one go."""


@sliced(id="csv.write_rows")
def write_rows(rows: list[list[Any]], separator: str = ",") -> Steps[str]:
    r"""The rows as text; values as Python writes them for people, none as an empty field.

    A row that is no list is an error.

    >>> write_rows([["a", "b,c"], [1, None]])
    'a,"b,c"\n1,\n'
    """
    for number, row in enumerate(rows, 1):
        if not number % SLICE:
            yield TURN
        if not isinstance(row, list):
            raise TypeError(f"csv.write_rows: expected lists, but row {number} is {expect.shown(row)}.")
    return (yield from _written("csv.write_rows", rows, _separator("csv.write_rows", separator)))


@sliced(id="csv.write")
def write(records: list[dict[str, Any]], separator: str = ",") -> Steps[str]:
    r"""Dictionaries as text, with a first row of their keys in the order in which they first occur; empty for none.

    A key that a dictionary does not have is an empty field. An item that is no dictionary is an error.

    >>> write([{"name": "Ada", "age": 36}])
    'name,age\nAda,36\n'
    """
    keys: dict[str, None] = {}
    for number, record in enumerate(records, 1):
        if not isinstance(record, dict):
            raise TypeError(f"csv.write: expected dictionaries, but number {number} is {expect.shown(record)}.")
        keys.update(dict.fromkeys(record))
        if not number % _ROWS:
            yield TURN
    if not keys:
        return ""
    rows = ([record.get(key) for key in keys] for record in records)
    return (yield from _written("csv.write", itertools.chain(([*keys],), rows), _separator("csv.write", separator)))
