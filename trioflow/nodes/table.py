"""Tables: lists of dictionaries, a row each, whose keys name the columns. Every operation makes a new table.

A row without a key has no value there, which is an error only where a node says so. An item that is no dictionary is
always an error. A value that is looked for is equal by the rule of `logic.equal`; where rows are told apart by a value,
it has to be able to be a key, and is equal as keys are.
"""

from __future__ import annotations

from typing import Any

from trioflow.nodes import _expect as expect
from trioflow.nodes._equality import equal_ones, first_place, sorted_by
from trioflow.nodes._slices import SLICE, TURN, Steps, batches, gathered, mapped, parts, sliced

Row = dict[Any, Any]


_ROWS = 500
"""Rows that are looked at, or made, in one go."""


def _rows(node: str, rows: list[Row]) -> Steps[list[Row]]:
    for place, row in enumerate(rows):
        if not isinstance(row, dict):
            raise TypeError(f"{node}: expected dictionaries, but row {place} is {expect.shown(row)}.")
        if place and not place % SLICE:
            yield TURN
    return rows


def _column(node: str, rows: list[Row], key: str) -> Steps[list[Any]]:
    found: list[Any] = []
    for place, row in enumerate((yield from _rows(node, rows))):
        if key not in row:
            raise KeyError(
                f"{node}: row {place} has no value for {expect.short(key)}; it has {expect.short([*row], 500)}."
            )
        found.append(row[key])
        if place and not place % SLICE:
            yield TURN
    return found


def _having(node: str, rows: list[Row], key: str) -> Steps[list[Row]]:
    """The rows that have a value in a column."""
    found = yield from _rows(node, rows)
    return (yield from gathered([row for row in part if key in row] for part in parts(found)))


def _keys(node: str, rows: list[Row], key: str) -> Steps[list[Any]]:
    values = yield from _column(node, rows, key)
    return (yield from mapped(lambda value: expect.hashable(node, value), values))


@sliced(id="table.from_rows")
def from_rows(columns: list[str], rows: list[list[Any]]) -> Steps[list[Row]]:
    """A table of rows that are lists, with names for their columns.

    A name twice, a row that is no list, and one with more or fewer values than there are names, are errors.

    >>> from_rows(["name", "age"], [["Ada", 36]])
    [{'name': 'Ada', 'age': 36}]
    """
    names = yield from expect.texts("table.from_rows", columns)
    if len(set(names)) < len(names):
        raise ValueError(f"table.from_rows: expected names of columns that differ, got {expect.short(names)}.")
    found: list[Row] = []
    for place, row in enumerate(rows):
        if not isinstance(row, list) or len(row) != len(names):
            raise ValueError(
                f"table.from_rows: expected lists of {len(names)} values, but row {place} is {expect.shown(row)}."
            )
        found.append(dict(zip(names, row, strict=True)))
        if not len(found) % _ROWS:
            yield TURN
    return found


@sliced(id="table.to_rows")
def to_rows(rows: list[Row], columns: list[str]) -> Steps[list[list[Any]]]:
    """The values of these columns, a list for each row; none where a row has no value.

    >>> to_rows([{"name": "Ada", "age": 36}, {"name": "Bo"}], ["age", "name"])
    [[36, 'Ada'], [None, 'Bo']]
    """
    names = yield from expect.texts("table.to_rows", columns)
    found = yield from _rows("table.to_rows", rows)

    def values(row: Row) -> list[Any]:
        return [row.get(name) for name in names]

    return (yield from mapped(values, found, _ROWS))


@sliced(id="table.columns")
def columns(rows: list[Row]) -> Steps[list[Any]]:
    """All keys that occur, in the order in which they first do.

    >>> columns([{"a": 1}, {"b": 2, "a": 3}])
    ['a', 'b']
    """
    found: dict[Any, None] = {}
    for part in parts((yield from _rows("table.columns", rows)), _ROWS):
        for row in part:
            found.update(dict.fromkeys(row))
        if len(part) == _ROWS:
            yield TURN
    return list(found)


@sliced(id="table.column")
def column(rows: list[Row], key: str) -> Steps[list[Any]]:
    """The values of a column. A row without a value is an error.

    >>> column([{"name": "Ada"}, {"name": "Bo"}], "name")
    ['Ada', 'Bo']
    """
    return (yield from _column("table.column", rows, key))


@sliced(id="table.set_column")
def set_column(rows: list[Row], key: str, values: list[Any]) -> Steps[list[Row]]:
    """With these values in a column, which comes last if it is new. Another number of values than rows is an error.

    >>> set_column([{"name": "Ada"}], "age", [36])
    [{'name': 'Ada', 'age': 36}]
    """
    if len(rows) != len(values):
        raise ValueError(f"table.set_column: {len(rows)} rows have {len(values)} values.")
    pairs = batches(zip((yield from _rows("table.set_column", rows)), values, strict=True), _ROWS)
    return (yield from gathered([{**row, key: value} for row, value in part] for part in pairs))


@sliced(id="table.fill")
def fill(rows: list[Row], key: str, value: object) -> Steps[list[Row]]:
    """With this value in every row that has none in a column, or whose value is none.

    >>> fill([{"a": 1}, {"a": None}, {}], "a", 0)
    [{'a': 1}, {'a': 0}, {'a': 0}]
    """
    found = yield from _rows("table.fill", rows)

    def filled(row: Row) -> Row:
        return {**row, key: value} if row.get(key) is None else row

    return (yield from mapped(filled, found, _ROWS))


@sliced(id="table.pick")
def pick(rows: list[Row], columns: list[str]) -> Steps[list[Row]]:
    """With these columns only, in their order; where a row has no value it stays without one.

    >>> pick([{"name": "Ada", "age": 36}], ["age"])
    [{'age': 36}]
    """
    names = yield from expect.texts("table.pick", columns)
    found = yield from _rows("table.pick", rows)

    def picked(row: Row) -> Row:
        return {name: row[name] for name in names if name in row}

    return (yield from mapped(picked, found, _ROWS))


@sliced(id="table.where")
def where(rows: list[Row], key: str, value: object) -> Steps[list[Row]]:
    """The rows with this value in a column; a row without a value is not among them.

    >>> where([{"a": 1, "b": 2}, {"a": 3}], "a", 1)
    [{'a': 1, 'b': 2}]
    """
    having: list[Row] = yield from _having("table.where", rows, key)
    equal = yield from equal_ones([row[key] for row in having], value)
    pairs = batches(zip(having, equal, strict=True))
    return (yield from gathered([row for row, is_equal in part if is_equal] for part in pairs))


@sliced(id="table.find")
def find(rows: list[Row], key: str, value: object) -> Steps[dict[Any, Any] | None]:
    """The first row with this value in a column; none if there is no such row.

    >>> find([{"id": 1, "name": "Ada"}, {"id": 2}], "id", 1)
    {'id': 1, 'name': 'Ada'}
    """
    having: list[Row] = yield from _having("table.find", rows, key)
    place: int = yield from first_place([row[key] for row in having], value)
    return having[place] if place >= 0 else None


@sliced(id="table.sort")
def sort(rows: list[Row], key: str, descending: bool = False) -> Steps[list[Row]]:
    """The rows in ascending order of a column, rows with equal values as they were.

    A row without a value, and values that can't be compared, not-a-number too, are errors.

    >>> sort([{"n": 2}, {"n": 1}], "n")
    [{'n': 1}, {'n': 2}]
    """
    keys = yield from _column("table.sort", rows, key)
    return (yield from sorted_by("table.sort", rows, keys, descending))


@sliced(id="table.unique")
def unique(rows: list[Row], key: str) -> Steps[list[Row]]:
    """The first row with each value of a column. A row without a value is an error, or one whose value can't be a key.

    >>> unique([{"a": 1, "b": 2}, {"a": 1, "b": 3}], "a")
    [{'a': 1, 'b': 2}]
    """
    first: dict[Any, Row] = {}
    for value, row in zip((yield from _keys("table.unique", rows, key)), rows, strict=True):
        first.setdefault(value, row)
    return (yield from gathered(batches(first.values())))


@sliced(id="table.group")
def group(rows: list[Row], key: str) -> Steps[dict[Any, Any]]:
    """The rows with each value of a column, by that value, in the order in which the values first occur.

    A row without a value is an error, and so is one whose value can't be a key.

    >>> group([{"a": 1, "b": 2}, {"a": 5}, {"a": 1}], "a")
    {1: [{'a': 1, 'b': 2}, {'a': 1}], 5: [{'a': 5}]}
    """
    groups: dict[Any, list[Row]] = {}
    for number, (value, row) in enumerate(zip((yield from _keys("table.group", rows, key)), rows, strict=True), 1):
        groups.setdefault(value, []).append(row)
        if not number % SLICE:
            yield TURN
    return groups


@sliced(id="table.index")
def index(rows: list[Row], key: str) -> Steps[dict[Any, Any]]:
    """The rows by their value in a column. A value twice is an error, or none, or one that can't be a key.

    >>> index([{"id": 7, "name": "Ada"}], "id")
    {7: {'id': 7, 'name': 'Ada'}}
    """
    found: dict[Any, Row] = {}
    for number, (value, row) in enumerate(zip((yield from _keys("table.index", rows, key)), rows, strict=True), 1):
        if value in found:
            raise ValueError(f"table.index: more than one row has {expect.short(value)} as {expect.short(key)}.")
        found[value] = row
        if not number % SLICE:
            yield TURN
    return found


@sliced(id="table.join")
def join(a: list[Row], b: list[Row], key: str, keep_all: bool = False) -> Steps[list[Row]]:
    """Each row of the first table merged with each of the second that has the same value in a column.

    Where both have another column, the second's value stays. Rows of the first without a partner are left out, or kept
    as they are. A row without a value is an error, and so is one whose value can't be a key.

    >>> join([{"id": 1, "name": "Ada"}], [{"id": 1, "age": 36}, {"id": 2, "age": 5}], "id")
    [{'id': 1, 'name': 'Ada', 'age': 36}]
    """
    partners: dict[Any, list[Row]] = {}
    for number, (value, row) in enumerate(zip((yield from _keys("table.join", b, key)), b, strict=True), 1):
        partners.setdefault(value, []).append(row)
        if not number % SLICE:
            yield TURN
    joined: list[Row] = []
    for number, (value, row) in enumerate(zip((yield from _keys("table.join", a, key)), a, strict=True), 1):
        found = partners.get(value, [{}] if keep_all else [])
        expect.at_most("table.join", len(joined) + len(found), "rows", expect.MOST_ITEMS)
        for part in parts(found, _ROWS):
            joined.extend({**row, **partner} for partner in part)
            if len(part) == _ROWS:
                yield TURN
        if not number % _ROWS:
            yield TURN
    return joined
