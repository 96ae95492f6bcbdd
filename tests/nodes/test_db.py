"""Databases: SQLite in a file, and PostgreSQL in a server of the tests' own, where there is one to start."""

from __future__ import annotations

import contextlib
import datetime
import os
import pwd
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import time
from functools import partial
from pathlib import Path

import pytest
import trio

import trioflow as tf
from trioflow.nodes import db
from trioflow.nodes.db import QueryFailed, TooManyRows
from trioflow.testing import fire


@pytest.fixture
def ask(tmp_path):
    """Asks a database of the test's own."""

    def ask(sql, parameters=(), **given):
        given = {"database": str(tmp_path / "notes.db"), **given}
        ((_, values),) = fire(
            "db.query", sql=sql, parameters=parameters if isinstance(parameters, dict) else [*parameters],
            virtual=False, **given,
        )  # fmt: skip
        return values

    return ask


def test_rows_counts_and_columns(ask):
    assert ask("create table notes (id integer primary key, at text, n)") == {"result": [], "count": 0, "columns": []}
    when = datetime.datetime(2026, 1, 2, 3, 4, 5, tzinfo=datetime.UTC)
    assert ask("insert into notes (at, n) values (?, ?), (?, ?)", [when, b"\0", "x", None])["count"] == 2
    assert ask("update notes set n = :n where id = :id", {"id": 1, "n": 2.5, "more": 1})["count"] == 1
    assert ask("select * from notes order by id") == {
        "result": [
            {"id": 1, "at": "2026-01-02T03:04:05+00:00", "n": 2.5},
            {"id": 2, "at": "x", "n": None},
        ],
        "count": 2,
        "columns": ["id", "at", "n"],
    }
    assert ask("select 1 as a, 2 as a")["columns"] == ["a", "a"]
    assert ask("delete from notes where id = ? returning id", [1])["result"] == [{"id": 1}]


def test_what_stands_for_a_mark_is_never_read_as_sql(ask):
    ask("create table notes (text)")
    ask("insert into notes values (?)", ["'); drop table notes; --"])
    assert ask("select text from notes")["result"] == [{"text": "'); drop table notes; --"}]


def test_what_a_database_says(ask, tmp_path):
    ask("create table notes (id integer primary key)")
    ask("insert into notes values (1)")
    for sql, parameters, message, code in (
        ("selec 1", [], 'near "selec": syntax error: selec 1', "SQLITE_ERROR"),
        ("insert into notes values (?)", [1], "UNIQUE constraint failed: notes.id", "SQLITE_CONSTRAINT_PRIMARYKEY"),
        ("select ?", [], "Incorrect number of bindings", None),
        ("select 1; select 2", [], "You can only execute one statement at a time", None),
        ("select ?", [1 << 80], "too large to convert", None),
    ):
        with pytest.raises(QueryFailed) as caught:
            ask(sql, parameters)
        assert str(caught.value).startswith("db.query: ")
        assert (message in str(caught.value), caught.value.code) == (True, code)
    with pytest.raises(QueryFailed, match="attempt to write a readonly database"):
        ask("delete from notes", read_only=True)
    with pytest.raises(QueryFailed, match="unable to open database file"):
        ask("select 1", database=str(tmp_path / "no" / "folder.db"))
    with pytest.raises(TypeError, match=r"parameter 'a' is list \[1\], which SQLite does not know"):
        ask("select :a", {"a": [1]})
    with pytest.raises(ValueError, match="it may find 0 rows or more, got -1"):
        ask("select 1", most=-1)


COUNTING = "with recursive n(i) as (select 1 union all select i + 1 from n) select "


def test_limits(ask):
    """Of rows and of time; a statement that takes too long is broken off."""
    assert ask(f"{COUNTING} i from n limit 3", most=3)["count"] == 3
    with pytest.raises(TooManyRows, match="db.query: it found more than 2 rows: with recursive"):
        ask(f"{COUNTING} i from n", most=2)
    with pytest.raises(TimeoutError, match=r"it took longer than 0.1 s: with .*there\.\.\."):
        ask(f"{COUNTING} count(*) as how_many_there_are_although_it_never_ends from n where i > 0", timeout=0.1)


def test_another_one_who_writes_is_waited_for(ask, tmp_path):
    ask("create table notes (n)")
    with sqlite3.connect(tmp_path / "notes.db", isolation_level=None) as other:
        other.execute("begin immediate")
        with pytest.raises(TimeoutError):
            ask("insert into notes values (1)", timeout=0.15)
        assert ask("select n from notes")["result"] == []
        other.execute("rollback")
    other.close()
    assert ask("insert into notes values (1)")["count"] == 1


async def test_cancelled_in_the_middle(tmp_path):
    """What it had changed is undone, and the file is free again."""
    path = tmp_path / "notes.db"
    with sqlite3.connect(path) as other:
        other.execute("create table notes (n)")
        with tf.build() as g:
            start = g.add("flow.start")
            query = g.add("db.query", database=str(path), sql=f"insert into notes {COUNTING} i from n")
            g.connect(start.then, query.enter)
        with trio.move_on_after(0.1) as scope:
            await tf.run(g.graph)
        assert scope.cancelled_caught
        assert other.execute("select count(*) from notes").fetchone() == (0,)
    other.close()


def test_stopped_before_it_has_begun_and_after_it_has_ended(tmp_path):
    asked = db._Asked(str(tmp_path / "x.db"), "select 1", [], False, 1)
    work = db._Sqlite(asked)
    assert work.run().rows == [{"1": 1}]
    work.stop()  # its connection is closed already
    assert db._Sqlite(asked)._connection is None


def test_a_secret_is_not_shown(tmp_path):
    with tf.build() as g:
        start = g.add("flow.start")
        query = g.add("db.query", database={"secret": "db"}, sql="select nothing")
        g.connect(start.then, query.enter)
    with pytest.raises(QueryFailed) as caught:
        trio.run(partial(tf.run, g.graph, secrets={"db": str(tmp_path / "hidden.db")}))
    assert "hidden" not in "".join([str(caught.value), *caught.value.__notes__])


# --- PostgreSQL ------------------------------------------------------------------------------------------------------


def test_without_psycopg(monkeypatch):
    monkeypatch.setitem(sys.modules, "psycopg", None)
    with pytest.raises(
        tf.MissingExtra,
        match=r"PostgreSQL in db.query needs an optional package. Install it with: .* 'trioflow\[postgres\]'",
    ):
        fire("db.query", database="postgresql://localhost", sql="select 1", virtual=False)


@pytest.fixture(scope="module")
def postgres():
    """The URL of a server that listens to a socket in a folder, and to nobody else."""
    pytest.importorskip("psycopg")
    initdb = shutil.which("initdb") or "/usr/lib/postgresql/15/bin/initdb"
    program = shutil.which("postgres")
    if program is None or not os.path.exists(initdb):
        pytest.skip("there is no PostgreSQL to start")
    folder = Path(tempfile.mkdtemp(prefix="trioflow-postgres-"))
    user = {}
    if os.geteuid() == 0:  # it does not run as root
        nobody = pwd.getpwnam("nobody")
        os.chown(folder, nobody.pw_uid, nobody.pw_gid)
        user = {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "cwd": folder, **user}
    data = folder / "data"
    subprocess.run(
        [initdb, "-D", data, "-U", "ada", "--auth=trust", "--no-sync", "--no-locale", "-E", "UTF8"], check=True, **quiet
    )
    options = {"listen_addresses": "", "unix_socket_directories": folder, "fsync": "off", "shared_buffers": "1MB"}
    arguments = [part for name, value in options.items() for part in ("-c", f"{name}={value}")]
    server = subprocess.Popen([program, "-D", data, *arguments], **quiet)
    try:
        deadline = time.monotonic() + 20
        while "ready" not in _status(data) and time.monotonic() < deadline:
            time.sleep(0.02)
        yield f"postgresql://ada@/postgres?host={folder}"
    finally:
        server.terminate()
        server.wait(20)
        shutil.rmtree(folder)


def _status(data):
    """What the server has written about itself."""
    with contextlib.suppress(OSError):
        return (data / "postmaster.pid").read_text()
    return ""


@pytest.mark.slow
def test_postgres(postgres):
    """The same there: rows, counts, marks, limits, and what it says."""

    def ask(sql, parameters=(), database=postgres, **given):
        ((_, values),) = fire(
            "db.query", database=database, sql=sql, virtual=False,
            parameters=parameters if isinstance(parameters, dict) else [*parameters], **given,
        )  # fmt: skip
        return values

    made = ask("create table notes (id serial primary key, text text)")
    assert made == {"result": [], "count": 0, "columns": []}
    assert ask("insert into notes (text) values (%s), (%s)", ["a", "'; drop table notes; --"])["count"] == 2
    assert ask("select * from notes where id = %(id)s", {"id": 2}) == {
        "result": [{"id": 2, "text": "'; drop table notes; --"}],
        "count": 1,
        "columns": ["id", "text"],
    }
    assert ask("select '%' as percent")["result"] == [{"percent": "%"}]
    with pytest.raises(TooManyRows, match="more than 1 rows"):
        ask("select * from notes", most=1)
    with pytest.raises(QueryFailed, match="relation .nowhere. does not exist") as caught:
        ask("select * from nowhere")
    assert caught.value.code == "42P01"
    with pytest.raises(QueryFailed, match="read-only transaction"):
        ask("delete from notes", read_only=True)
    began = time.monotonic()
    with pytest.raises(TimeoutError, match=r"it took longer than 0.2 s: select pg_sleep\(100\)"):
        ask("select pg_sleep(100)", timeout=0.2)
    assert time.monotonic() - began < 10
    work = db._Postgres(db._Asked(postgres, "select 1 as n", [], False, 1))
    work.stop()
    with pytest.raises(QueryFailed, match="it was broken off"):
        work.run()
    work.stop()  # it has ended
    with pytest.raises(QueryFailed, match="db.query: .*No such file or directory"):
        ask("select 1", database="postgresql:///x?host=/nowhere")
