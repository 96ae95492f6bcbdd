"""What is PostgreSQL's own: databases that are wrong, away, or another one, and answers that never come."""

from __future__ import annotations

import socket
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import trio
from postgres import NAMED, NEEDS_POSTGRES, Proxy, Server, fresh_address

import trioflow as tf
from trioflow.durable.records import Entry, NewRun, Signal, State

psycopg = pytest.importorskip("psycopg", reason="needs the extra postgres")
pytestmark = NEEDS_POSTGRES
NEW = NewRun(id="a", graph="digest", document="{}")
ENTRIES = [Entry(bytes([1, number]), "node", "done", "{}") for number in range(3)]


@pytest.fixture
def journal():
    with tf.PostgresJournal(fresh_address()) as made:
        yield made


def execute(journal, statement):
    journal.server.call(lambda connection, again: connection.execute(statement))


@tf.exec_node(id="pg.order", durable="transaction")
def order(db: tf.Transaction, name: str = "a") -> int:
    db.execute("create table if not exists orders(name text)")
    db.execute("insert into orders values(%s)", (name,))
    return len(db.execute("select * from orders"))


@tf.exec_node(id="pg.commit", durable="transaction")
def commit(db: tf.Transaction) -> None:
    db.execute("commit")


def one(node):
    with tf.build() as g:
        g.connect(g.add("flow.start").then, g.add(node, "node").enter)
    return g.graph


async def test_a_transaction_is_done_once(journal):
    """Its writes and its record are one commit (J5)."""
    for _ in range(2):
        assert (await tf.run(one(order), journal=journal, run_id="r")).output("node") == 1
    with pytest.raises(tf.JournalError, match="'commit' can't be run in it"):
        await tf.run(one(commit), journal=journal, run_id="s")


def test_a_connection_that_breaks_after_the_commit(journal, monkeypatch):
    """What was done already when its answer was lost is not done twice."""
    call = journal.server.call

    def twice(work):
        def both(connection, again):
            work(connection, False)
            return work(connection, True)

        return call(both)

    session = journal.take("a", NEW)
    monkeypatch.setattr(journal.server, "call", twice)
    session.append(ENTRIES)
    session.append([ENTRIES[0]._replace(data=f'"{"x" * 70_000}"')])
    assert journal.send("a", Signal(-1, "s", "1", "k", None, 1.5))
    session.transact(lambda transaction: ENTRIES[:1])
    session.set_state("failed", 1.0, "{}")
    session.rewrite(ENTRIES[:2], ENTRIES[2:])
    session.renew()
    journal.insert(NewRun(id="b", graph="d", document=""), State(), [])
    session.close()
    monkeypatch.undo()
    assert (journal.entries("a"), journal.history("a")) == (ENTRIES[:2], ENTRIES[2:])
    assert [each.id for each in journal.runs()] == ["a", "b"]


def test_a_transaction_whose_connection_broke_is_not_tried_again(journal, monkeypatch):
    """What its function does outside of the database can't be undone."""
    session = journal.take("a", NEW)
    call = journal.server.call
    monkeypatch.setattr(journal.server, "call", lambda work: call(lambda connection, _: work(connection, True)))
    with pytest.raises(tf.JournalUnusable, match="went away in a transaction, of which nothing is left"):
        session.transact(lambda transaction: ENTRIES)
    monkeypatch.undo()
    session.close()
    with pytest.raises(tf.JournalError, match="was closed"):
        session.append(ENTRIES)


def test_a_session_that_could_not_tell_that_it_is_closed(journal, monkeypatch):
    """It is ours, and nobody has it: it is taken again, and nobody has died."""
    session = journal.take("a", NEW)
    call = journal.server.call
    monkeypatch.setattr(
        journal.server, "call", lambda work: call(lambda *_: (_ for _ in ()).throw(tf.JournalUnusable("")))
    )
    session.close()
    monkeypatch.setattr(journal.server, "call", call)
    again = journal.take("a")
    assert again.info.state.fruitless == 0
    again.close()


def test_many_that_begin_at_once():
    """One of them makes the tables, and the others wait for it and see them."""
    for _ in range(3):
        address, start = fresh_address(), threading.Barrier(6)

        def begin(address=address, start=start):
            start.wait()
            with tf.PostgresJournal(address) as made:
                return [*made.runs()]

        with ThreadPoolExecutor(6) as pool:
            assert [each.result() for each in [pool.submit(begin) for _ in range(6)]] == [[]] * 6


def test_another_database(journal):
    """After a failover to an empty one, or an older copy, nothing is written; nor by a program that is too old."""
    address = journal.server.address
    journal.take("a", NEW).close()
    execute(journal, "update trioflow_journal set identity='other'")
    journal.close()
    with pytest.raises(tf.JournalUnusable, match="is another one than before: its runs would begin anew"):
        journal.runs()
    execute(tf.PostgresJournal(address), "drop table trioflow_journal, trioflow_run, trioflow_state")
    journal.close()
    with pytest.raises(tf.JournalUnusable, match="is another one than before"):
        journal.runs()


def test_versions_and_damage(journal):
    session = journal.take("a", NEW)
    session.append(ENTRIES)
    session.close()
    journal.send("a", Signal(-1, "s", "1", "k"))
    for statement, look in (
        ("update trioflow_signal set payload='2'", lambda: journal.signals("a")),
        ("delete from trioflow_entry where seq=1", lambda: journal.entries("a")),
        ("update trioflow_state set status='failed'", lambda: journal.runs()),
        ("update trioflow_run set new='[]'", lambda: journal.show("a")),
    ):
        execute(journal, statement)
        with pytest.raises(tf.JournalUnusable, match="is damaged"):
            look()
    for statement, problem in (
        ("update trioflow_journal set version=9", "newer version of trioflow"),
        ("delete from trioflow_journal", "its version is gone"),
    ):
        with psycopg.connect(journal.server.address, autocommit=True) as connection:
            connection.execute(statement)
        journal.close()
        with pytest.raises(tf.JournalUnusable, match=problem):
            journal.runs()


def test_tables_that_are_gone(journal):
    journal.runs()
    execute(journal, "drop table trioflow_run")
    with pytest.raises(tf.JournalUnusable, match="Its tables are gone"):
        journal.runs()


def test_addresses(monkeypatch):
    """What can't be read, or not be reached, and the package that is missing; a password is told to nobody."""
    with pytest.raises(ValueError, match="expected an address such as 'postgresql://user@host/database'"):
        tf.PostgresJournal("postgres//nowhere")
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # nobody listens there
        away = tf.PostgresJournal(f"postgresql://me:secret@127.0.0.1:{taken.getsockname()[1]}/x", patience=0.0)
        assert repr(away) == "PostgresJournal('127.0.0.1/x')"
        with pytest.raises(
            tf.JournalUnusable, match=r"at 127\.0\.0\.1/x can't be used .*efused.*Look at the server"
        ) as raised:
            away.runs()
        assert "secret" not in str(raised.value)
    wrong = tf.PostgresJournal(fresh_address().replace("/postgres?", "/nowhere?"), patience=0.0)
    with pytest.raises(tf.JournalUnusable, match="does not exist"):
        wrong.runs()
    monkeypatch.setitem(sys.modules, "psycopg", None)
    with pytest.raises(tf.MissingExtra, match=r"trioflow\[postgres\]"):
        tf.PostgresJournal("postgresql://host/x")


@pytest.mark.slow
@pytest.mark.skipif(NAMED is not None, reason="needs a server on a socket of this host")
def test_a_network_that_drops_everything(tmp_path):
    """Whoever waits in vain loses the connection after a while, and goes on with another one."""
    address = fresh_address()
    folder = Path(address.partition("host=")[2].partition("&")[0])
    proxy = Proxy(tmp_path, str(folder / ".s.PGSQL.5432"))
    journal = tf.PostgresJournal(address.replace(str(folder), str(tmp_path)), patience=0.4)
    session = journal.take("a", NEW)
    proxy.passes.clear()
    timer = threading.Timer(0.2, proxy.passes.set)
    timer.start()
    session.append(ENTRIES)  # the first try is broken off, the second gets through
    assert journal.entries("a") == ENTRIES
    proxy.passes.clear()
    with pytest.raises(tf.JournalUnusable, match="can't be used"):
        journal.runs()
    proxy.passes.set()
    session.close()
    journal.close()
    timer.join()
    proxy.close()


@pytest.mark.slow
def test_a_process_that_is_stopped_in_a_transaction():
    """The server lets go of what it held after a while; when it goes on, the transaction is done anew."""
    with tf.PostgresJournal(fresh_address(), patience=1.0) as journal:
        journal.take("a", NEW).close()
        did = []

        def work(connection, again):
            with connection.transaction():
                connection.execute("select * from trioflow_state for update")
                did.append(again)
                if len(did) < 2:
                    time.sleep(2)
                return connection.execute("select 1 as one").fetchone()["one"]

        assert (journal.server.call(work), did) == (1, [False, True])
        seconds = [2, 2, 2]

        def slow(connection, again):
            with connection.transaction():
                time.sleep(seconds.pop())
                connection.execute("select 1")

        with pytest.raises(tf.JournalUnusable, match=r"idle-in-transaction timeout.*or raise that"):
            journal.server.call(slow)


def test_a_limit_of_ones_own_is_kept():
    own = fresh_address() + "&options=-c%20idle_in_transaction_session_timeout%3D7s"
    with tf.PostgresJournal(own) as journal:
        shown = journal.server.call(
            lambda connection, again: connection.execute("show idle_in_transaction_session_timeout").fetchone()
        )
    assert [*shown.values()] == ["7s"]


@pytest.mark.slow
@pytest.mark.skipif(NAMED is not None, reason="needs a server that it may stop")
async def test_a_server_that_restarts():
    """A run goes on once it is there again, and nothing is done twice."""
    server = Server()
    done = []

    @tf.exec_node(id="pg.step")
    async def step(number: int) -> None:
        done.append(number)
        if number == 2:
            await trio.to_thread.run_sync(server.stop)
            await trio.to_thread.run_sync(server.start)

    with tf.build() as g:
        each = g.add("flow.for", times=5)
        work = g.add(step, number=each.index)
        g.connect(g.add("flow.start").then, each.enter)
        g.connect(each.body, work.enter)
    with tf.PostgresJournal(server.address) as journal:
        await tf.run(g.graph, journal=journal, run_id="r")
        assert (done, journal.show("r").status) == ([0, 1, 2, 3, 4], "completed")
    server.stop()
