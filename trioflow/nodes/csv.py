"""Tables as text, in the form of RFC 4180: fields with quotes around them may hold separators and line ends."""

from __future__ import annotations

import csv
import io
from typing import Any

import trioflow as tf
from trioflow.nodes import _expect as expect


def _separator(node: str, separator: str) -> str:
    if len(separator) != 1 or separator in '"\r\n ':
        raise ValueError(
            f"{node}: expected one character as separator, other than quote, space and line end, got {separator!r}."
        )
    return separator


def _read(node: str, text: str, separator: str) -> list[list[str]]:
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=_separator(node, separator), strict=True)
    try:
        return [row for row in reader if row]
    except csv.Error as error:
        raise ValueError(f"{node}: line {reader.line_num}: {error}.") from None


def _written(node: str, rows: list[list[Any]], separator: str) -> str:
    lines: list[str] = []
    for row in rows:
        line = io.StringIO(newline="")
        # What may end a row is put in quotes, so it has to be both characters here, though the result has one.
        csv.writer(line, delimiter=_separator(node, separator), lineterminator="\r\n").writerow(row)
        lines.append(line.getvalue().removesuffix("\r\n"))
    return "".join(f"{line}\n" for line in lines)


@tf.data_node(id="csv.parse_rows")
def parse_rows(text: str, separator: str = ",") -> list[list[str]]:
    r"""The rows, each a list of texts; empty lines are passed over. Quotes that are not closed are an error.

    >>> parse_rows('a,"b,c"\n1,2\n')
    [['a', 'b,c'], ['1', '2']]
    """
    return _read("csv.parse_rows", text, separator)


@tf.data_node(id="csv.parse")
def parse(text: str, separator: str = ",") -> list[dict[str, str]]:
    r"""The rows after the first as dictionaries, with the texts of the first row as keys; none for an empty text.

    A key twice, and a row with more or fewer fields than the first, are errors that say which.

    >>> parse("name,age\nAda,36\n")
    [{'name': 'Ada', 'age': '36'}]
    """
    rows = _read("csv.parse", text, separator)
    keys = rows[0] if rows else []
    if len(set(keys)) < len(keys):
        raise ValueError(f"csv.parse: expected names of columns that differ, got {keys}.")
    for number, row in enumerate(rows[1:], 2):
        if len(row) != len(keys):
            raise ValueError(f"csv.parse: row {number} has {len(row)} fields, and the first row names {len(keys)}.")
    return [dict(zip(keys, row, strict=True)) for row in rows[1:]]


@tf.data_node(id="csv.write_rows")
def write_rows(rows: list[list[Any]], separator: str = ",") -> str:
    r"""The rows as text; values as Python writes them for people, none as an empty field.

    A row that is no list is an error.

    >>> write_rows([["a", "b,c"], [1, None]])
    'a,"b,c"\n1,\n'
    """
    for number, row in enumerate(rows, 1):
        if not isinstance(row, list):
            raise TypeError(f"csv.write_rows: expected lists, but row {number} is {expect.shown(row)}.")
    return _written("csv.write_rows", rows, separator)


@tf.data_node(id="csv.write")
def write(records: list[dict[str, Any]], separator: str = ",") -> str:
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
    if not keys:
        return ""
    return _written("csv.write", [[*keys], *([record.get(key) for key in keys] for record in records)], separator)
