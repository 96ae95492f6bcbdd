"""The contract of all stores: a store for another database is one more line in `MAKE`."""

from __future__ import annotations

import sqlite3

import pytest
from postgres import NEEDS_POSTGRES, fresh_journal

import trioflow as tf
from trioflow.durable.archive import export_lines, import_lines
from trioflow.durable.records import Entry, NewRun, State, Waiting, chain_of
from trioflow.durable.signals import make_signal

MAKE = {
    "memory": lambda folder: tf.MemoryJournal(),
    "file": lambda folder: tf.FileJournal(folder / "runs"),
    "file, power": lambda folder: tf.FileJournal(folder / "runs", durability="power"),
    "sqlite": lambda folder: tf.SqliteJournal(folder / "runs.db"),
    "sqlite, power": lambda folder: tf.SqliteJournal(folder / "runs.db", durability="power"),
    "postgres": lambda folder: fresh_journal(),
}
POSTGRES = pytest.param("postgres", marks=NEEDS_POSTGRES)


def making(request, folder):
    made = MAKE[request.param](folder)
    yield made
    if request.param == "postgres":
        made.close()


@pytest.fixture(params=[*([each for each in MAKE if each != "postgres"]), POSTGRES])
def store(request, tmp_path):
    yield from making(request, tmp_path)


@pytest.fixture(params=["sqlite", "memory", POSTGRES])
def fenced(request, tmp_path):
    yield from making(request, tmp_path)


def expire(store, run_id):
    """As after a pause longer than the lease."""
    if isinstance(store, tf.MemoryJournal):
        store.steal(run_id)
    elif isinstance(store, tf.PostgresJournal):
        store.server.call(
            lambda connection, again: connection.execute("update trioflow_state set lease=now()") and None
        )
    else:
        with sqlite3.connect(store.path) as database:
            database.execute("update trioflow_state set lease=0")
        database.close()


def new(run_id="a", **fields):
    return NewRun(**{"id": run_id, "graph": "digest", "document": "{}", "created": 1.5, **fields})


def entry(number, data="{}"):
    return Entry(bytes([1, number]), f"node é {number}", "done", data)


ENTRIES = [entry(1), entry(2, '{"o":"\u2028 \\ud800"}'), entry(3)]


def test_a_run_from_its_beginning(store):
    """It is made where it is taken; what was appended is there for whoever takes it next."""
    session = store.take("a", new(seed=7, variables='{"x":1}'))
    assert (session.info.new, session.info.status, session.entries) == (new(seed=7, variables='{"x":1}'), "running", [])
    session.append(ENTRIES[:2])
    session.append(ENTRIES[2:])
    session.renew()
    session.close()
    session.close()
    again = store.take("a", new("a", seed=9))
    assert again.info.new.seed == 7
    assert again.entries == ENTRIES == store.entries("a")
    assert again.info.state.entries == 3
    again.close()


def test_one_at_a_time(store):
    """J14: who takes a run that somebody has is told who."""
    session = store.take("a", new())
    with pytest.raises(tf.RunOwned, match="'a' is being run"):
        store.take("a", new())
    assert store.show("a").owner is not None
    session.close()
    assert store.show("a").owner is None
    store.take("a").close()


def test_what_is_not_there(store):
    """With the nearest name."""
    store.take("order-17", new("order-17")).close()
    for ask in (store.show, store.entries, store.history, store.take, store.prune):
        with pytest.raises(tf.RunNotFound, match=r"no run 'order-71' in this journal. Did you mean 'order-17'\?"):
            ask("order-71")


def test_states(store):
    """How far a run is is kept, and runs are listed in the order in which they were begun."""
    for number, run_id in enumerate(("b", "a/ü ?", "c")):
        session = store.take(run_id, new(run_id, created=float(number)))
        session.append(ENTRIES[:number])
        if number:
            session.set_state("completed", 12.5, '{"v":{}}')
        session.close()
    assert [each.id for each in store.runs()] == ["b", "a/ü ?", "c"]
    assert [each.id for each in store.runs("completed")] == ["a/ü ?", "c"]
    state = store.show("c").state
    assert (state.ended, state.outcome, state.entries, state.chain) == (12.5, '{"v":{}}', 2, chain_of(ENTRIES[:2]))


def test_what_is_put_away_becomes_ready(store):
    """J22: when a timer is due, or a signal that it waits for has arrived after it looked."""
    waits = {"timer": Waiting(100.0), "signal": Waiting(None, ("paid", "shipped"), 0), "ever": Waiting(), "both": None}
    for number, (run_id, waiting) in enumerate(waits.items()):
        session = store.take(run_id, new(run_id, created=float(number)))
        session.append(ENTRIES[:1])
        store.send(run_id, make_signal("paid", None, key=None, by=None, at=1.0))
        session.set_state("suspended", waiting=waiting)
        session.close()
        assert store.show(run_id).state.waiting == waiting
    assert [each.id for each in store.runs("suspended")] == ["timer", "signal", "ever", "both"]
    assert [each.id for each in store.ready(99.0)] == ["both"]
    for name in ("other", "shipped"):
        store.send("signal", make_signal(name, None, key=None, by=None, at=1.0))
        assert [each.id for each in store.ready(100.0)] == ["timer", *(["signal"] * (name == "shipped")), "both"]
    session = store.take("timer")
    session.set_state("running")
    session.append(ENTRIES[1:])
    session.close()
    state = store.show("timer").state
    assert (state.status, state.waiting, state.entries) == ("running", None, 3)


def test_rewriting(store):
    """J20: what is superseded goes to the history, and all is as if the rest had been there alone."""
    session = store.take("a", new())
    session.append(ENTRIES)
    session.rewrite([ENTRIES[0], ENTRIES[2]], [ENTRIES[1]])
    session.append([entry(4)])
    session.rewrite([entry(4)], [ENTRIES[0], ENTRIES[2]])
    session.close()
    assert store.entries("a") == [entry(4)]
    assert store.history("a") == [ENTRIES[1], ENTRIES[0], ENTRIES[2]]
    assert store.take("a").entries == [entry(4)]


def test_pruning(store):
    """Only ended runs; the name stays, and is never used again (J18)."""
    session = store.take("a", new())
    session.append(ENTRIES)
    with pytest.raises(tf.RunOwned):
        store.prune("a")
    session.close()
    with pytest.raises(tf.JournalError, match="is running, and only runs that have ended"):
        store.prune("a")
    session = store.take("a")
    session.set_state("completed", 1.0, "{}")
    session.close()
    store.prune("a")
    assert store.show("a").status == "pruned"
    assert (store.entries("a"), store.history("a")) == ([], [])
    with pytest.raises(tf.JournalError, match="used already"):
        store.insert(new(), State(), [])


def test_from_one_journal_to_another(store):
    """As lines of text, which are refused if anything in them has changed."""
    session = store.take("a", new())
    session.append(ENTRIES)
    session.close()
    lines = [*export_lines(store, "a")]
    info = import_lines(store, lines, "b")
    assert (info.id, store.entries("b")) == ("b", ENTRIES)
    assert store.show("b").state == store.show("a").state
    with pytest.raises(tf.JournalUnusable, match="line 2: that is not what was written"):
        import_lines(store, [lines[0], lines[1].replace("done", "dome"), *lines[2:]], "c")
    with pytest.raises(tf.JournalUnusable, match="cut off"):
        import_lines(store, lines[:-1], "c")
    for nothing in ([], ["00000000 [1]"], ["c1ccf3a2 {}"]):
        with pytest.raises(tf.JournalUnusable):
            import_lines(store, nothing, "c")
    assert [each.id for each in store.runs()] == ["a", "b"]


def test_whoever_lost_the_run_writes_nothing(fenced):
    """J14: each write asks whether the run is still one's own, in the transaction that writes."""
    store = fenced
    session = store.take("a", new())
    session.append(ENTRIES[:1])
    expire(store, "a")
    other = store.take("a")
    assert other.info.state.fruitless == 1
    for write in (
        lambda: session.append(ENTRIES[1:]),
        lambda: session.set_state("completed"),
        lambda: session.rewrite([], []),
        session.renew,
    ):
        with pytest.raises(tf.RunOwned, match="taken over"):
            write()
    session.close()
    other.append(ENTRIES[1:2])
    assert store.entries("a") == ENTRIES[:2]
    other.close()


def test_taking_over(fenced):
    """A run is had whoever has it, if what is asked in the same transaction says so."""
    session = fenced.take("a", new())
    session.append(ENTRIES[:1])

    def refuse(transaction):
        raise tf.RunOwned("not yours")

    with pytest.raises(tf.RunOwned, match="not yours"):
        fenced.take_over("a", new(), refuse)
    session.append(ENTRIES[1:2])
    other = fenced.take_over("a", new(), lambda transaction: None)
    with pytest.raises(tf.RunOwned, match="taken over"):
        session.append(ENTRIES[2:])
    other.append(ENTRIES[2:])
    session.close()
    other.close()
    assert fenced.entries("a") == ENTRIES
    fenced.take_over("b", new("b"), lambda transaction: None).close()
    assert [each.id for each in fenced.runs()] == ["a", "b"]


def test_text_files_keep_no_jobs(tmp_path):
    with pytest.raises(tf.JournalError, match="can keep runs, but no jobs"):
        tf.FileJournal(tmp_path / "runs").take_over("a", new(), lambda transaction: None)
