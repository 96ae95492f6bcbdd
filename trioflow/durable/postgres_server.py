"""A PostgreSQL server as a journal uses it: connections that are used again, and calls that outlast a restart of it.

psycopg blocks, so all of this is called in threads. A call that waits for its answer for longer than `patience` seconds
has lost its connection, whatever became of it: a firewall that drops everything tells nobody. Likewise the server waits
no longer for what a transaction does next: a process that is stopped in the middle of one holds up nobody for ever.
"""

from __future__ import annotations

import os
import socket
import threading
import time
import weakref
from collections.abc import Callable, Generator, Iterable
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any, TypeVar

from trioflow.errors import JournalUnusable, MissingExtra

if TYPE_CHECKING:
    import psycopg

Row = dict[str, Any]
T = TypeVar("T")

_IDLE_AT_MOST = 10
_OPTIONS = {"keepalives_idle": 10, "keepalives_interval": 5, "keepalives_count": 3}
_GONE = ("08", "57P", "25P03")
"""Errors after which another connection may do: it broke, or the server goes down, comes up, or has waited too long."""
_IDLE_IN_TRANSACTION = """
select set_config('idle_in_transaction_session_timeout', %s, false)
where current_setting('idle_in_transaction_session_timeout') = '0'
"""
"""Unless the address, the user or the database have a limit of their own."""

_CURES = {
    "53100": "The disk of the server is full: make room. The run stays as it was and can be resumed.",
    "28": "The server refuses this user or password: mend the address.",
    "3D000": "Create that database, or name another one.",
    "42501": "The user of the address needs the right to make and write tables there.",
    "25P03": "Nothing came in a transaction for longer than `patience`: do before it what takes long, or raise that.",
    "25006": "The server only reads, as a standby does: name the one that writes.",
    "42P01": "Its tables are gone: this is not the database that the runs were kept in. Restore it from a copy.",
    "53300": "It has no connection left: raise its `max_connections`, or let fewer workers run.",
}


class Server:
    """The connections of one journal. Safe to be used by any number of threads at the same time.

    `prepare` is called with each new connection, and may refuse it. Raises `MissingExtra` without psycopg, and
    `ValueError` for what is no address.
    """

    def __init__(self, address: str, patience: float, prepare: Callable[[psycopg.Connection[Row]], None]) -> None:
        try:
            import psycopg.conninfo  # noqa: PLC0415 - an extra
            import psycopg.rows  # noqa: PLC0415
        except ImportError as error:
            raise MissingExtra("A journal on PostgreSQL", "postgres") from error
        self._psycopg = psycopg
        try:
            parts = psycopg.conninfo.conninfo_to_dict(address)
        except psycopg.ProgrammingError as error:
            raise ValueError(
                f"expected an address such as 'postgresql://user@host/database', got one that can't be read: {error}"
            ) from error
        self.address = address
        self.shown = f"{parts.get('host') or parts.get('hostaddr') or 'localhost'}/{parts.get('dbname', '')}"
        """For messages, without a password."""
        options = {"connect_timeout": max(1, min(5, int(patience))), **_OPTIONS}
        self._options = {name: value for name, value in options.items() if name not in parts}
        self._patience = patience
        self._prepare = prepare
        self._idle: list[psycopg.Connection[Row]] = []
        # A journal that nobody closes goes with its connections.
        weakref.finalize(self, _close_all, self._idle)
        self._lock = threading.Lock()
        self._waiting: dict[psycopg.Connection[Row], float] = {}
        self._watching = False
        self._was_there = False

    def call(self, work: Callable[[psycopg.Connection[Row], bool], T]) -> T:
        """Call `work` with a connection, and once more with another one if that broke; gives what it gives.

        The second argument says whether that is not the first time, so that it may have been done already. Raises what
        `work` raises, and `JournalUnusable` for what the database raises, or if nothing answered for so long; at once
        if it never did.
        """
        gone: float | None = None  # since when
        while True:
            try:
                with self._connection() as connection:
                    return work(connection, gone is not None)
            except self._psycopg.Error as error:
                late = gone is not None and time.monotonic() - gone > self._patience
                if late or not self._was_there or not self._is_gone(error):
                    raise self.unusable(error) from error
            gone = gone or time.monotonic()
            time.sleep(min(0.1, self._patience))

    def connect(self) -> psycopg.Connection[Row]:
        """A connection of one's own, which the caller closes. Raises `psycopg.Error`."""
        connection = self._psycopg.Connection[Row].connect(
            self.address,
            autocommit=True,
            row_factory=self._psycopg.rows.dict_row,
            **self._options,  # type: ignore[arg-type]
        )
        try:
            with self._limited(connection):
                connection.execute(_IDLE_IN_TRANSACTION, (f"{max(1, round(1000 * self._patience))}ms",))
                self._prepare(connection)
            self._was_there = True
        except BaseException:
            connection.close()
            raise
        return connection

    def close(self) -> None:
        """Close what is idle. What is called afterwards connects again."""
        with self._lock:
            idle = [*self._idle]
            self._idle.clear()
        _close_all(idle)

    def unusable(self, error: Exception) -> JournalUnusable:
        """What the database raises, for people."""
        state = getattr(error, "sqlstate", None) or ""
        default = "Look at the server, and whether it can be reached from here."
        cure = next((text for code, text in _CURES.items() if state.startswith(code)), default)
        return JournalUnusable(f"The journal at {self.shown} can't be used ({' '.join(str(error).split())}). {cure}")

    @contextmanager
    def _connection(self) -> Generator[psycopg.Connection[Row]]:
        with self._lock:
            connection = self._idle.pop() if self._idle else None
        if connection is None:
            connection = self.connect()
        try:
            with self._limited(connection):
                yield connection
        except self._psycopg.Error as error:
            if self._is_gone(error):
                connection.close()
                self.close()  # the others have seen the same
            raise
        finally:
            with self._lock:
                kept = not connection.closed and len(self._idle) < _IDLE_AT_MOST
                if kept:
                    self._idle.append(connection)
            if not kept:
                connection.close()

    def _is_gone(self, error: psycopg.Error) -> bool:
        if error.sqlstate is None:
            return isinstance(error, self._psycopg.OperationalError | self._psycopg.InterfaceError)
        return error.sqlstate.startswith(_GONE)

    @contextmanager
    def _limited(self, connection: psycopg.Connection[Row]) -> Generator[None]:
        with self._lock:
            self._waiting[connection] = time.monotonic()
            if not self._watching:
                self._watching = True
                threading.Thread(target=self._watch, name="trioflow: PostgreSQL", daemon=True).start()
        try:
            yield
        finally:
            with self._lock:
                del self._waiting[connection]

    def _watch(self) -> None:
        """Break the connections that wait for too long. Ends once none has waited for a while."""
        quiet = 0
        while quiet < 10:
            time.sleep(min(1.0, self._patience / 4))
            with self._lock:
                quiet = 0 if self._waiting else quiet + 1
                late = time.monotonic() - self._patience
                for connection, since in self._waiting.items():
                    if since < late:
                        _break(connection)
                if quiet == 10:
                    self._watching = False


def _close_all(connections: Iterable[psycopg.Connection[Row]]) -> None:
    for connection in connections:
        connection.close()


def _break(connection: psycopg.Connection[Row]) -> None:
    """Let whoever waits for an answer of this connection get an error."""
    with suppress(OSError, Exception), socket.socket(fileno=os.dup(connection.fileno())) as same:
        same.shutdown(socket.SHUT_RDWR)
