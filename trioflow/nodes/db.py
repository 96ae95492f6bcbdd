"""Databases: one statement of SQL, done as a whole. SQLite comes along, PostgreSQL by the extra `postgres`."""

from __future__ import annotations

import contextlib
import datetime
import sqlite3
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple, cast

import attrs
import trio

import trioflow as tf
from trioflow.errors import MissingExtra
from trioflow.nodes import _expect as expect

_WAITING = 0.05


class QueryFailed(Exception):
    """A database could not do what it was asked for, and says why. `code` is its SQLSTATE, if it has some."""

    def __init__(self, message: str, code: str | None = None) -> None:
        self.code = code
        super().__init__(message)

    __reduce__ = tf.TrioflowError.__reduce__


class TooManyRows(ValueError):
    """A query found more rows than it may."""


class _Found(NamedTuple):
    rows: list[dict[str, Any]]
    changed: int
    columns: list[str]


class Query(tf.Node, id="db.query", durable="recorded", capabilities={"files", "network"}):
    """Asks a database, or changes it: one SQL statement, which is done as a whole or not at all.

    `database` is the path of an SQLite file, which is made if it is not there, or `postgresql://user@host/name`; it may
    be `{"secret": "NAME"}`. `parameters` stand for the marks in the statement, and are never read as SQL: in SQLite `?`
    for a list and `:name` for a dictionary, in PostgreSQL `%s` and `%(name)s`. More than `most` rows are `TooManyRows`;
    what the database says is `QueryFailed`; what takes longer than `timeout`, also to wait for another who writes, is a
    `TimeoutError`. Then, and when it is cancelled, the statement is broken off and undone. Needs the extra `postgres`
    for PostgreSQL.

    >>> fire("db.query", database="notes.db", sql="select ? as a, 2 as b", parameters=["x"], virtual=False)
    [('then', {'result': [{'a': 'x', 'b': 2}], 'count': 1, 'columns': ['a', 'b']})]
    """

    enter = tf.ExecIn()
    database = tf.DataIn(str, secret=True, doc="the path of a file, or a URL")
    sql = tf.DataIn(str, doc="one statement")
    parameters: tf.DataIn[Any] = tf.DataIn(list[Any] | dict[str, Any], default=[], doc="values for its marks")
    read_only = tf.DataIn(bool, default=False, doc="whether a statement that changes something is an error")
    most = tf.DataIn(int, default=10_000, doc="rows at most")
    timeout = tf.DataIn(float, default=30.0, doc="seconds that it may take, on trio's clock")
    result = tf.DataOut(list[dict[str, Any]], doc="the rows, each with its values by the names of the columns")
    count = tf.DataOut(int, doc="how many rows were found, or changed")
    columns = tf.DataOut(list[str], doc="the names of the columns; of two of one name, the later one has the value")
    then = tf.ExecOut()

    async def execute(self, ctx: tf.Context) -> tf.ExecOut:
        database, sql = await ctx.get_input(self.database), await ctx.get_input(self.sql)
        seconds = expect.at_least_zero("db.query", "seconds", await ctx.get_input(self.timeout))
        most = await ctx.get_input(self.most)
        if most < 0:
            raise ValueError(f"db.query: it may find 0 rows or more, got {expect.short(most)}.")
        asked = _Asked(database, sql, await ctx.get_input(self.parameters), await ctx.get_input(self.read_only), most)
        work: _Work = _Postgres(asked) if database.startswith(("postgresql://", "postgres://")) else _Sqlite(asked)
        with trio.move_on_after(seconds):
            found = await _interruptible(work.run, work.stop)
            ctx.set_output(self.result, found.rows)
            ctx.set_output(self.count, found.changed)
            ctx.set_output(self.columns, found.columns)
            return self.then
        raise TimeoutError(f"db.query: it took longer than {seconds:g} s: {_shown(sql)}")


def _shown(sql: str) -> str:
    line = " ".join(sql.split())
    return line if len(line) <= 100 else f"{line[:97]}..."


async def _interruptible(run: Callable[[], _Found], stop: Callable[[], None]) -> _Found:
    """Run a function in a thread, which `stop` brings to an end when it is cancelled; it is always waited for."""
    found: list[_Found] = []
    failure: list[Exception] = []

    async def watch() -> None:
        try:
            await trio.sleep_forever()
        finally:
            stop()

    async with trio.open_nursery() as nursery:
        nursery.start_soon(watch)
        try:
            found.append(await trio.to_thread.run_sync(run))
        except Exception as error:
            await trio.lowlevel.checkpoint_if_cancelled()  # it was broken off: that is no failure
            failure.append(error)
        nursery.cancel_scope.cancel()
    if failure:
        raise failure[0]
    return found[0]


@attrs.frozen
class _Asked:
    database: str = attrs.field(repr=False)
    sql: str
    parameters: Sequence[Any] | Mapping[str, Any]
    read_only: bool
    most: int

    def too_many(self) -> TooManyRows:
        return TooManyRows(f"db.query: it found more than {self.most:,} rows: {_shown(self.sql)}")


class _Work:
    def __init__(self, asked: _Asked) -> None:
        self._asked = asked
        self._stopped = False

    def run(self) -> _Found:
        """Do it, in a thread."""
        raise NotImplementedError

    def stop(self) -> None:
        """Break it off, from another thread."""
        self._stopped = True


class _Sqlite(_Work):
    _connection: sqlite3.Connection | None = None

    def run(self) -> _Found:
        asked = self._asked
        uri = Path(asked.database).absolute().as_uri() + ("?mode=ro" if asked.read_only else "")
        given = asked.parameters
        parameters: Any = (
            {name: _for_sqlite(name, value) for name, value in given.items()}
            if isinstance(given, Mapping)
            else [_for_sqlite(place, value) for place, value in enumerate(given)]
        )
        try:
            with contextlib.closing(
                sqlite3.connect(uri, uri=True, timeout=0, check_same_thread=False, isolation_level=None)
            ) as connection:
                self._connection = connection
                while True:
                    try:
                        return self._execute(connection, parameters)
                    except sqlite3.OperationalError as error:
                        if error.sqlite_errorcode & 0xFF not in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
                            raise
                    if self._stopped:
                        raise QueryFailed("db.query: another one writes to the database.")
                    time.sleep(_WAITING)
        except (sqlite3.Error, sqlite3.Warning, OverflowError, UnicodeError) as error:
            raise QueryFailed(
                f"db.query: {str(error).rstrip('.')}: {_shown(asked.sql)}", getattr(error, "sqlite_errorname", None)
            ) from None

    def _execute(self, connection: sqlite3.Connection, parameters: Any) -> _Found:
        cursor = connection.execute(self._asked.sql, parameters)
        columns = [each[0] for each in cursor.description or ()]
        rows = cursor.fetchmany(self._asked.most + 1)
        if len(rows) > self._asked.most:
            raise self._asked.too_many()
        return _Found([dict(zip(columns, row, strict=True)) for row in rows], max(cursor.rowcount, len(rows)), columns)

    def stop(self) -> None:
        super().stop()
        with contextlib.suppress(sqlite3.ProgrammingError):  # it is closed already
            if self._connection is not None:
                self._connection.interrupt()


def _for_sqlite(name: str | int, value: Any) -> Any:
    if value is None or isinstance(value, int | float | str | bytes):
        return value
    if isinstance(value, datetime.datetime | datetime.date):
        return value.isoformat()
    raise TypeError(f"db.query: parameter {name!r} is {expect.shown(value)}, which SQLite does not know.")


class _Postgres(_Work):
    _connection: Any = None

    def run(self) -> _Found:
        try:
            import psycopg  # noqa: PLC0415 - an extra
            from psycopg.rows import tuple_row  # noqa: PLC0415 - as above
        except ImportError as error:
            raise MissingExtra("PostgreSQL in db.query", "postgres") from error
        asked = self._asked
        try:
            with psycopg.connect(asked.database, connect_timeout=10, row_factory=tuple_row) as connection:
                self._connection = connection
                connection.read_only = asked.read_only
                if self._stopped:
                    raise QueryFailed("db.query: it was broken off.")
                cursor = connection.execute(cast("Any", asked.sql), asked.parameters or None)
                columns = [each.name for each in cursor.description or ()]
                rows = cursor.fetchmany(asked.most + 1) if columns else []
                if len(rows) > asked.most:
                    raise asked.too_many()
                count = len(rows) if columns else max(cursor.rowcount, 0)
                return _Found([dict(zip(columns, row, strict=True)) for row in rows], count, columns)
        except psycopg.Error as error:
            said = " ".join(str(error).split()).rstrip(".")
            raise QueryFailed(f"db.query: {said}: {_shown(asked.sql)}", error.sqlstate) from None

    def stop(self) -> None:
        super().stop()
        if self._connection is not None:
            with contextlib.suppress(Exception):  # it may have ended meanwhile
                self._connection.cancel()
