"""What is read is what was written, or is refused with a cure (J19); and what else may be wrong with a file."""

from __future__ import annotations

import os
import random
import sqlite3
import stat

import pytest
from durable.graphs import WORLD, chain, go

import trioflow as tf


def effects(*values):
    return chain(*(("durable.effect", {"value": value}) for value in values))


def finished(journal):
    go(effects("a", "b"), journal)
    return journal


@pytest.mark.parametrize("kind", ["sqlite", "file"])
def test_a_flipped_bit(tmp_path, kind):
    """J19: anywhere in a file it is refused, or makes no difference."""
    make = {"sqlite": lambda: tf.SqliteJournal(tmp_path / "runs.db"), "file": lambda: tf.FileJournal(tmp_path / "runs")}
    expected = finished(make[kind]())
    expected = (expected.show("a"), expected.entries("a"))
    (path,) = [tmp_path / "runs.db"] if kind == "sqlite" else (tmp_path / "runs").glob("*.run.jsonl")
    whole = path.read_bytes()
    rng = random.Random(kind)
    refused = 0
    for _ in range(150):
        place = rng.randrange(len(whole))
        flipped = bytearray(whole)
        flipped[place] ^= 1 << rng.randrange(8)
        path.write_bytes(flipped)
        try:
            found = (make[kind]().show("a"), make[kind]().entries("a"))
        except (tf.JournalUnusable, tf.RunNotFound):
            refused += 1
        else:
            assert found == expected or found[1] == expected[1][: len(found[1])] and kind == "file"
    assert refused > (1 if kind == "sqlite" else 100)


def test_a_line_that_was_not_finished(tmp_path):
    """A file that a dying process has written is read up to there, and written on from there."""
    journal = finished(tf.FileJournal(tmp_path))
    (path,) = tmp_path.glob("*.run.jsonl")
    whole = path.read_bytes()
    lines = whole.splitlines(keepends=True)
    for end in range(len(b"".join(lines[:2])), len(whole), 5):
        path.write_bytes(whole[:end])
        entries = journal.entries("a")
        assert len(entries) == min(2, whole[:end].count(b"\n") - 2)
    path.write_bytes(b"".join(lines[:3]) + lines[3][:-5])
    go(effects("a", "b"), journal)
    assert WORLD == ["b"]


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"not a database, but long enough to be looked at" * 40, "not a journal: name another file"),
        (None, "database of another program"),
    ],
)
def test_other_files(tmp_path, content, says):
    """A file that is no journal is left as it is."""
    path = tmp_path / "x.db"
    if content is None:
        database = sqlite3.connect(path)
        database.execute("pragma user_version=7")
        database.execute("create table t(a)")
        database.close()
    else:
        path.write_bytes(content)
    before = path.read_bytes()
    for ask in (lambda: go(effects("a"), tf.SqliteJournal(path)), lambda: tf.SqliteJournal(path).runs()):
        with pytest.raises(tf.JournalUnusable, match=says):
            ask()
    assert path.read_bytes() == before


def test_newer_versions(tmp_path):
    """Are not guessed at."""
    journal = finished(tf.SqliteJournal(tmp_path / "runs.db"))
    database = sqlite3.connect(journal.path)
    database.execute("pragma user_version=99")
    database.close()
    with pytest.raises(tf.JournalUnusable, match="written by a newer version of trioflow"):
        journal.runs()


def test_no_such_file_or_folder(tmp_path):
    """Looking makes no file."""
    with pytest.raises(tf.JournalUnusable, match="There is no journal"):
        tf.SqliteJournal(tmp_path / "none.db").runs()
    with pytest.raises(tf.JournalUnusable, match="Its folder must be there"):
        go(effects("a"), tf.SqliteJournal(tmp_path / "none" / "x.db"))
    assert [*tmp_path.iterdir()] == []
    with pytest.raises(ValueError, match="'process' or 'power'"):
        tf.SqliteJournal("x", durability="never")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_file_that_can_not_be_written(tmp_path):
    """With a cure."""
    journal = finished(tf.SqliteJournal(tmp_path / "runs.db"))
    journal.path.chmod(stat.S_IRUSR)
    with pytest.raises(tf.JournalUnusable, match="can't be written"):
        go(effects("a"), journal, "b")


def test_a_full_disk(tmp_path):
    """The run ends at once with a cure, and goes on when there is room."""
    journal = tf.SqliteJournal(tmp_path / "runs.db")
    take = journal.take

    def full(run_id, new=None):
        session = take(run_id, new)
        (pages,) = session._database.execute("pragma page_count").fetchone()
        session._database.execute(f"pragma max_page_count={pages}")
        return session

    journal.take = full
    graph = effects(*("x" * 3000 for _ in range(12)))
    with pytest.raises(tf.JournalUnusable, match="The disk is full: make room"):
        go(graph, journal)
    done = len(WORLD)
    journal.take = take
    assert journal.show("a").status == "running"
    recorded = len(journal.entries("a"))
    assert done - recorded <= 1
    go(graph, journal)
    assert len(WORLD) == 12 - recorded
