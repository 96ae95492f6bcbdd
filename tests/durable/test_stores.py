"""The contract of all stores: a store for another database is one more line in `MAKE`."""

from __future__ import annotations

import sqlite3

import pytest
from postgres import NEEDS_POSTGRES, fresh_journal

import trioflow as tf
from trioflow.durable.archive import export_lines, import_lines
from trioflow.durable.blobs import outcome_of
from trioflow.durable.codec import dump
from trioflow.durable.port import Right
from trioflow.durable.records import Deed, Entry, NewRun, State, Waiting, chain_of
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


def large(letter, size=70_000):
    return letter * size


def holding(number, *values):
    """An entry with values as a body's outputs are."""
    return entry(number, dump({"o": {f"out{place}": value for place, value in enumerate(values)}}))


def blobs_in(store):
    """What is kept beside the entries: how many large values."""
    if isinstance(store, tf.MemoryJournal):
        return len(store._blobs)
    if isinstance(store, tf.FileJournal):
        return len([*(store.folder / "blobs").glob("*/text")])
    return store._reading(lambda database: database.execute("select count(*) as n from trioflow_blob").fetchone()["n"])


def test_large_values_are_kept_once(store):
    """J27: by digest, whichever entries and runs hold them; whoever asks for the entry gets them."""
    entries = [
        holding(1, large("a"), "small"),
        holding(2, large("a"), {"$t": [1, [large("b"), 2]]}),
        holding(3, list(range(40_000))),
        entry(4, dump(large("é\ud800"))),
    ]
    for run_id in "ab":
        session = store.take(run_id, new(run_id))
        session.append(entries[:1])
        session.append(entries[1:])
        session.set_state("completed", 1.0, dump({"v": {"x": large("a")}, "o": {}}))
        session.close()
        found = store.entries(run_id)
        assert [(*each[:3], each.data) for each in found] == [tuple(each) for each in entries]
        assert max(len(each[3]) for each in found) < 200
        info = store.show(run_id)
        assert (outcome_of(info), len(info.state.outcome) < 200) == (dump({"v": {"x": large("a")}, "o": {}}), True)
    assert blobs_in(store) == 4
    store.prune("a")
    assert blobs_in(store) == 4
    store.prune("b")
    assert blobs_in(store) == 0


def test_large_values_that_are_superseded(store):
    """J27: they go with the last entry that holds them, in the history, too."""
    session = store.take("a", new())
    session.append([holding(1, large("a")), holding(2, large("b"))])
    entries = store.entries("a")
    session.rewrite(entries[1:], entries[:1])
    assert blobs_in(store) == 2
    assert [each.data for each in store.history("a")] == [holding(1, large("a")).data]
    session.rewrite([holding(3, large("c"))], [])
    assert blobs_in(store) == 2
    session.append([holding(4, large("b"))])
    session.close()
    session = store.take("a")
    assert [each.data for each in session.entries] == [holding(3, large("c")).data, holding(4, large("b")).data]
    session.rewrite(session.entries[:1], [])
    session.close()
    store.vacuum()
    assert blobs_in(store) == 2


def test_large_values_in_other_runs(store):
    """J27: what is forked or imported has them, too, whatever becomes of the run that it is from."""
    session = store.take("a", new())
    session.append([holding(1, large("a"))])
    session.set_state("completed", 1.0, dump({"v": {}, "o": {"n": {"x": large("o")}}}))
    session.close()
    lines = [*export_lines(store, "a")]
    entries = store.entries("a")
    store.insert(new("b"), State(entries=1, chain=chain_of(entries)), entries)
    store.prune("a")
    import_lines(store, lines, "c")
    assert [store.entries(each)[0].data for each in "bc"] == [holding(1, large("a")).data] * 2
    store.vacuum()
    assert blobs_in(store) == 2
    missing = Entry(b"k", "n", "done", '{"$blob":"' + "0" * 64 + '"}')
    with pytest.raises(tf.JournalUnusable, match="a large value is missing"):
        store.insert(new("d"), State(entries=1, chain=chain_of([missing])), [missing])
    with pytest.raises(tf.JournalUnusable, match="a large value is not what was written"):
        store.insert(new("d"), State(), [], {"0" * 64: "x"})
    assert [each.id for each in store.runs()] == ["a", "b", "c"]


def test_large_values_that_are_damaged(store):
    """J19, J27: found out where one is asked for, and the rest can be read."""
    session = store.take("a", new())
    session.append([holding(1, large("a")), entry(2)])
    session.close()
    if isinstance(store, tf.MemoryJournal):
        (digest,) = store._blobs
        store._blobs[digest] = "x"
    elif isinstance(store, tf.FileJournal):
        (path,) = (store.folder / "blobs").glob("*/text")
        path.write_text("x")
    else:
        store._writing(lambda database, again: database.execute("update trioflow_blob set data='x'") and None)
    first, second = store.entries("a")
    assert second.data == "{}"
    with pytest.raises(tf.JournalUnusable, match="a large value is not what was written"):
        first.data  # noqa: B018 - it is read there


def test_who_did_what(store):
    """J28: in order, whoever has the run, and after it was pruned."""
    session = store.take("a", new())
    store.note("a", Deed("started", 1.5, "eve", "process 1 on here"))
    store.send("a", make_signal("paid", None, key="k", by="bob", at=2.5))
    store.send("a", make_signal("paid", None, key="k", by="mallory", at=3.5))
    session.set_state("completed", 4.0, "{}")
    session.close()
    store.prune("a")
    store.note("a", Deed("pruned", 5.5, None, "process 2 on here", "é"))
    assert [(each.what, each.at, each.by, each.detail) for each in store.audit("a")] == [
        ("started", 1.5, "eve", ""), ("signalled", 2.5, "bob", "paid"), ("pruned", 5.5, None, "é"),
    ]  # fmt: skip
    for ask in (store.audit, lambda run_id: store.note(run_id, Deed("seen", 1.0, None, ""))):
        with pytest.raises(tf.RunNotFound):
            ask("b")
    if isinstance(store, tf.FileJournal):
        (path,) = store.folder.glob("*.audit.jsonl")
        with path.open("a") as file:
            file.write("cut o")
        assert len(store.audit("a")) == 3
        path.write_text(path.read_text().replace("bob", "bib"))
    elif isinstance(store, tf.SqliteJournal | tf.PostgresJournal):
        store._writing(
            lambda database, again: database.execute("update trioflow_deed set by='bib' where by='bob'") and None
        )
    else:
        return
    with pytest.raises(tf.JournalUnusable, match="is not what was written"):
        store.audit("a")


@pytest.mark.parametrize("size", [1, 100_000])
def test_the_end_of_a_run(store, size):
    """Its last records, which may be large, and what it has come to; then it is nobody's."""
    last, outcome = entry(2, dump("x" * size)), dump({"v": "y" * size})
    session = store.take("a", new())
    session.append(ENTRIES[:1])
    session.end([last], "completed", 2.5, outcome)
    session.close()
    info = store.show("a")
    assert (info.status, info.state.ended, info.owner, outcome_of(info)) == ("completed", 2.5, None, outcome)
    assert [each.data for each in store.entries("a")] == [ENTRIES[0].data, last.data]
    store.take("a").close()


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
        lambda: session.end(ENTRIES[1:], "completed", 2.5, "{}"),
        lambda: session.end([], "completed", 2.5, "{}"),
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


@pytest.mark.parametrize("kind", ["sqlite", POSTGRES])
def test_a_right_beside_runs(kind, tmp_path):
    """It is asked for where a run is made, of which it is noted that it was begun; without it nothing is made."""
    made = MAKE[kind](tmp_path)
    begun = Deed("started", 1.5, "me", "this process")
    name = ":name" if kind == "sqlite" else "%(name)s"
    made.transaction(lambda database: database.execute("create table allowed(name text)"))
    made.transaction(lambda database: database.execute("insert into allowed values('a')"))
    right, wrong = (
        Right(f"update allowed set name=name where name={name} returning name", {"name": each}, "not yours")
        for each in "ab"
    )
    with pytest.raises(tf.RunOwned, match="not yours"):
        made.take_over("b", new("b"), wrong, begun)
    assert made.runs() == []
    session = made.take_over("a", new(), right, begun)
    assert session.noted
    assert made.audit("a") == [begun]
    session.append(ENTRIES[:1])
    other = made.take_over("a", new(), right, begun)
    assert (other.noted, other.entries) == (False, ENTRIES[:1])
    with pytest.raises(tf.RunOwned, match="taken over"):
        session.append(ENTRIES[1:])
    session.close()
    other.close()
    assert made.audit("a") == [begun]
    if kind == "postgres":
        made.close()


def test_text_files_keep_no_jobs(tmp_path):
    with pytest.raises(tf.JournalError, match="can keep runs, but no jobs"):
        tf.FileJournal(tmp_path / "runs").take_over("a", new(), lambda transaction: None)
