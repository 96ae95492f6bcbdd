"""Tables: lists of dictionaries, a row each, whose keys name the columns. Every operation makes a new table.

A row without a key has no value there, which is an error only where a node says so. An item that is no dictionary is
always an error. A value that is looked for is equal by the rule of `logic.equal`; where rows are told apart by a value,
it has to be able to be a key, and is equal as keys are.
"""

from __future__ import annotations

from typing import Any

import trioflow as tf
from trioflow.nodes import _expect as expect
from trioflow.nodes._equality import same

Row = dict[Any, Any]


def _rows(node: str, rows: list[Row]) -> list[Row]:
    for place, row in enumerate(rows):
        if not isinstance(row, dict):
            raise TypeError(f"{node}: expected dictionaries, but row {place} is {expect.shown(row)}.")
    return rows


def _column(node: str, rows: list[Row], key: str) -> list[Any]:
    for place, row in enumerate(_rows(node, rows)):
        if key not in row:
            raise KeyError(f"{node}: row {place} has no value for {key!r}; it has {[*row]}.")
    return [row[key] for row in rows]


def _keys(node: str, rows: list[Row], key: str) -> list[Any]:
    return [expect.hashable(node, value) for value in _column(node, rows, key)]


@tf.data_node(id="table.from_rows")
def from_rows(columns: list[str], rows: list[list[Any]]) -> list[Row]:
    """A table of rows that are lists, with names for their columns.

    A name twice, a row that is no list, and one with more or fewer values than there are names, are errors.

    >>> from_rows(["name", "age"], [["Ada", 36]])
    [{'name': 'Ada', 'age': 36}]
    """
    names = expect.texts("table.from_rows", columns)
    if len(set(names)) < len(names):
        raise ValueError(f"table.from_rows: expected names of columns that differ, got {names}.")
    for place, row in enumerate(rows):
        if not isinstance(row, list) or len(row) != len(names):
            raise ValueError(
                f"table.from_rows: expected lists of {len(names)} values, but row {place} is {expect.shown(row)}."
            )
    return [dict(zip(names, row, strict=True)) for row in rows]


@tf.data_node(id="table.to_rows")
def to_rows(rows: list[Row], columns: list[str]) -> list[list[Any]]:
    """The values of these columns, a list for each row; none where a row has no value.

    >>> to_rows([{"name": "Ada", "age": 36}, {"name": "Bo"}], ["age", "name"])
    [[36, 'Ada'], [None, 'Bo']]
    """
    names = expect.texts("table.to_rows", columns)
    return [[row.get(name) for name in names] for row in _rows("table.to_rows", rows)]


@tf.data_node(id="table.columns")
def columns(rows: list[Row]) -> list[Any]:
    """All keys that occur, in the order in which they first do.

    >>> columns([{"a": 1}, {"b": 2, "a": 3}])
    ['a', 'b']
    """
    return list(dict.fromkeys(key for row in _rows("table.columns", rows) for key in row))


@tf.data_node(id="table.column")
def column(rows: list[Row], key: str) -> list[Any]:
    """The values of a column. A row without a value is an error.

    >>> column([{"name": "Ada"}, {"name": "Bo"}], "name")
    ['Ada', 'Bo']
    """
    return _column("table.column", rows, key)


@tf.data_node(id="table.set_column")
def set_column(rows: list[Row], key: str, values: list[Any]) -> list[Row]:
    """With these values in a column, which comes last if it is new. Another number of values than rows is an error.

    >>> set_column([{"name": "Ada"}], "age", [36])
    [{'name': 'Ada', 'age': 36}]
    """
    if len(rows) != len(values):
        raise ValueError(f"table.set_column: {len(rows)} rows have {len(values)} values.")
    return [{**row, key: value} for row, value in zip(_rows("table.set_column", rows), values, strict=True)]


@tf.data_node(id="table.fill")
def fill(rows: list[Row], key: str, value: object) -> list[Row]:
    """With this value in every row that has none in a column, or whose value is none.

    >>> fill([{"a": 1}, {"a": None}, {}], "a", 0)
    [{'a': 1}, {'a': 0}, {'a': 0}]
    """
    return [{**row, key: value} if row.get(key) is None else row for row in _rows("table.fill", rows)]


@tf.data_node(id="table.pick")
def pick(rows: list[Row], columns: list[str]) -> list[Row]:
    """With these columns only, in their order; where a row has no value it stays without one.

    >>> pick([{"name": "Ada", "age": 36}], ["age"])
    [{'age': 36}]
    """
    names = expect.texts("table.pick", columns)
    return [{name: row[name] for name in names if name in row} for row in _rows("table.pick", rows)]


@tf.data_node(id="table.where")
def where(rows: list[Row], key: str, value: object) -> list[Row]:
    """The rows with this value in a column; a row without a value is not among them.

    >>> where([{"a": 1, "b": 2}, {"a": 3}], "a", 1)
    [{'a': 1, 'b': 2}]
    """
    return [row for row in _rows("table.where", rows) if key in row and same(row[key], value)]


@tf.data_node(id="table.find")
def find(rows: list[Row], key: str, value: object) -> dict[Any, Any] | None:
    """The first row with this value in a column; none if there is no such row.

    >>> find([{"id": 1, "name": "Ada"}, {"id": 2}], "id", 1)
    {'id': 1, 'name': 'Ada'}
    """
    return next((row for row in _rows("table.find", rows) if key in row and same(row[key], value)), None)


@tf.data_node(id="table.sort")
def sort(rows: list[Row], key: str, descending: bool = False) -> list[Row]:
    """The rows in ascending order of a column, rows with equal values as they were.

    A row without a value, and values that can't be compared, not-a-number too, are errors.

    >>> sort([{"n": 2}, {"n": 1}], "n")
    [{'n': 1}, {'n': 2}]
    """
    return expect.sorted_by("table.sort", rows, _column("table.sort", rows, key), descending)


@tf.data_node(id="table.unique")
def unique(rows: list[Row], key: str) -> list[Row]:
    """The first row with each value of a column. A row without a value is an error, or one whose value can't be a key.

    >>> unique([{"a": 1, "b": 2}, {"a": 1, "b": 3}], "a")
    [{'a': 1, 'b': 2}]
    """
    first: dict[Any, Row] = {}
    for value, row in zip(_keys("table.unique", rows, key), rows, strict=True):
        first.setdefault(value, row)
    return list(first.values())


@tf.data_node(id="table.group")
def group(rows: list[Row], key: str) -> dict[Any, Any]:
    """The rows with each value of a column, by that value, in the order in which the values first occur.

    A row without a value is an error, and so is one whose value can't be a key.

    >>> group([{"a": 1, "b": 2}, {"a": 5}, {"a": 1}], "a")
    {1: [{'a': 1, 'b': 2}, {'a': 1}], 5: [{'a': 5}]}
    """
    groups: dict[Any, list[Row]] = {}
    for value, row in zip(_keys("table.group", rows, key), rows, strict=True):
        groups.setdefault(value, []).append(row)
    return groups


@tf.data_node(id="table.index")
def index(rows: list[Row], key: str) -> dict[Any, Any]:
    """The rows by their value in a column. A value twice is an error, or none, or one that can't be a key.

    >>> index([{"id": 7, "name": "Ada"}], "id")
    {7: {'id': 7, 'name': 'Ada'}}
    """
    found: dict[Any, Row] = {}
    for value, row in zip(_keys("table.index", rows, key), rows, strict=True):
        if value in found:
            raise ValueError(f"table.index: more than one row has {value!r} as {key!r}.")
        found[value] = row
    return found


@tf.data_node(id="table.join")
def join(a: list[Row], b: list[Row], key: str, keep_all: bool = False) -> list[Row]:
    """Each row of the first table merged with each of the second that has the same value in a column.

    Where both have another column, the second's value stays. Rows of the first without a partner are left out, or kept
    as they are. A row without a value is an error, and so is one whose value can't be a key.

    >>> join([{"id": 1, "name": "Ada"}], [{"id": 1, "age": 36}, {"id": 2, "age": 5}], "id")
    [{'id': 1, 'name': 'Ada', 'age': 36}]
    """
    partners: dict[Any, list[Row]] = {}
    for value, row in zip(_keys("table.join", b, key), b, strict=True):
        partners.setdefault(value, []).append(row)
    joined: list[Row] = []
    for value, row in zip(_keys("table.join", a, key), a, strict=True):
        found = partners.get(value, [{}] if keep_all else [])
        joined.extend({**row, **partner} for partner in found)
    return joined
