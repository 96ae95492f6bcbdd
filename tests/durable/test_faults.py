"""Disks that are full, break, or forget: what was told to be kept is there, or a sentence says what is damaged.

`python tests/durable/test_faults.py` lets the disk be full at every byte.
"""

from __future__ import annotations

import contextlib
import errno
import os
import resource
import shutil
import sqlite3
import sys
import tempfile
from pathlib import Path

import pytest
from durable.graphs import WORLD, chain, go

import trioflow as tf
from trioflow.durable import file as file_store
from trioflow.durable.blob_files import unusable

VALUES = ["a" * 300, "b" * 70_000, "c", "d"]
MAKE = {
    "file": lambda folder: tf.FileJournal(folder / "runs"),
    "file, power": lambda folder: tf.FileJournal(folder / "runs", durability="power"),
    "sqlite": lambda folder: tf.SqliteJournal(folder / "runs.db"),
    "sqlite, power": lambda folder: tf.SqliteJournal(folder / "runs.db", durability="power"),
}


def graph():
    return chain(*(("durable.effect", {"value": value}) for value in VALUES))


def recorded(journal):
    """How many effects; 0 if the run was not even begun."""
    try:
        return sum(each.kind == "done" and each.node.startswith("effect") for each in journal.entries("a"))
    except (tf.RunNotFound, tf.JournalUnusable) as error:
        assert isinstance(error, tf.RunNotFound) or "There is no journal" in str(error), error
        return 0


@contextlib.contextmanager
def at_most(size):
    """No file gets longer: what would is written up to there, and fails."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def full_at(size, folder, kind):
    """A run on a disk that is full at that size, which then gets room; whether it was too small."""
    journal = MAKE[kind](folder)
    try:
        with at_most(size):
            go(graph(), journal)
    except tf.JournalUnusable as error:
        assert "can't be used" in str(error)  # noqa: PT017 - whether it fails depends on the size
        small = True
    else:
        small = False
    done = [*WORLD]
    kept = recorded(journal)
    assert done == VALUES[: len(done)]
    assert len(done) - kept in {0, 1}, "what was acknowledged is there, and nothing else"
    result = go(graph(), journal)
    assert WORLD == VALUES[kept:]
    assert result.output(f"effect_{len(VALUES)}") == VALUES[-1]
    return small


@pytest.mark.unmeasured
@pytest.mark.parametrize("kind", ["file", "sqlite"])
def test_a_disk_that_is_full(tmp_path, kind):
    """Wherever it is: the run ends with a sentence, and goes on when there is room (J3, J27)."""
    small = 0
    for number, size in enumerate((1, 700, 3000, 33_000, 69_000, 75_000, 110_000, 10_000_000)):
        (folder := tmp_path / str(number)).mkdir()
        small += full_at(size, folder, kind)
    assert 3 <= small <= 7


class Broken:
    """The functions of `os`, one call of one of which fails: it may have written the first half of what it should."""

    def __init__(self, name, number, *, torn=False):
        self._name, self._number, self._torn = name, number, torn
        self.failed = False

    def __getattr__(self, name):
        return self._fail if name == self._name else getattr(os, name)

    def _fail(self, *arguments):
        self._number -= 1
        if self._number == 0:
            self.failed = True
            if self._torn:
                file, data, place = arguments
                os.pwrite(file, data[: len(data) // 2], place)
            raise OSError(errno.EIO, "Input/output error")
        return getattr(os, self._name)(*arguments)


@pytest.mark.unmeasured
@pytest.mark.parametrize(("name", "torn"), [("pwrite", False), ("pwrite", True), ("fsync", False)])
def test_a_disk_that_breaks(tmp_path, monkeypatch, name, torn):
    """At writes, and where something is to be on the disk."""
    failed = 0
    for number in (*range(1, 16, 2), 100):
        (folder := tmp_path / str(number)).mkdir()
        journal = MAKE["file, power"](folder)
        broken = Broken(name, number, torn=torn)
        monkeypatch.setattr(file_store, "os", broken)
        try:
            go(graph(), journal)
        except (tf.JournalUnusable, OSError) as error:
            assert "Input/output error" in str(error)  # noqa: PT017 - whether it fails depends on the number
        monkeypatch.undo()
        failed += broken.failed
        done, kept = len(WORLD), recorded(journal)
        assert done - kept in {0, 1}
        go(graph(), journal)
        assert WORLD == VALUES[kept:]
    assert 1 < failed < 9


@pytest.mark.unmeasured
def test_a_log_that_is_cut(tmp_path):
    """A SQLite file whose log the machine has not written to its end: what is read is what came first, or is refused."""
    journal = MAKE["sqlite"](tmp_path)
    session_kept = {}
    take = journal.take

    def taking(run_id, new=None):
        session = take(run_id, new)

        def wrote():
            session_kept[len(session_kept)] = (tmp_path / "runs.db-wal").stat().st_size
            if len(session_kept) == len(VALUES):
                for name in ("runs.db", "runs.db-wal"):
                    shutil.copy(tmp_path / name, tmp_path / f"copy-{name}")

        append, end = session.append, session.end
        session.append = lambda entries: (append(entries), wrote())
        session.end = lambda *last: (end(*last), wrote())
        return session

    journal.take = taking
    go(graph(), journal)
    entries = journal.entries("a")
    log = (tmp_path / "copy-runs.db-wal").read_bytes()
    with contextlib.closing(sqlite3.connect(tmp_path / "runs.db")) as database:
        frame = 24 + database.execute("pragma page_size").fetchone()[0]
    ends = [32 + frame * number for number in range((len(log) - 32) // frame + 1)]
    cuts = {0, 1, 31, *ends, *(end - 1 for end in ends[1:]), *(end + 12 for end in ends[:-1]), len(log)}
    (other := tmp_path / "other").mkdir()
    read = set()
    for cut in sorted(cuts):
        shutil.copy(tmp_path / "copy-runs.db", other / "runs.db")
        (other / "runs.db-wal").write_bytes(log[:cut])
        (other / "runs.db-shm").unlink(missing_ok=True)
        copy = MAKE["sqlite"](other)
        try:
            found = copy.entries("a")
        except (tf.RunNotFound, tf.JournalUnusable):
            found = []
        assert [each[:4] for each in found] == [each[:4] for each in entries[: len(found)]]
        acknowledged = sum(size <= cut for size in session_kept.values())
        assert len(found) >= min(acknowledged, len(VALUES)), "what was in the log is there"
        read.add(len(found))
    assert len(read) > 3
    go(graph(), copy)
    assert WORLD == []


@pytest.mark.unmeasured
def test_a_large_value_that_the_disk_forgot(tmp_path):
    """It is told which run it is, and the run stays as it is (J27)."""
    journal = MAKE["file"](tmp_path)
    go(graph(), journal)
    (path,) = (tmp_path / "runs" / "blobs").glob("*/text")
    path.write_bytes(path.read_bytes()[:100])
    with pytest.raises(tf.JournalUnusable, match="a large value is not what was written"):
        go(graph(), journal)


def every_byte():
    """The same as above at every size that makes a difference."""
    for kind in ("file", "sqlite"):
        sizes = small = 0
        for size in range(1, 140_000, 1 if kind == "file" and "--all" in sys.argv else 97):
            with tempfile.TemporaryDirectory() as folder:
                small += full_at(size, Path(folder), kind)
            sizes += 1
        print(f"{kind}: full at {sizes} sizes, of which {small} were too small: nothing lost")


if __name__ == "__main__":
    every_byte()


@pytest.mark.parametrize(
    ("number", "cure"), [(errno.ENOSPC, "The disk is full: make room."), (errno.EIO, "Look at the disk that it is on.")]
)
def test_what_to_do(number, cure):
    """What can't be read or written is told with its cure."""
    told = str(unusable(Path("runs"), OSError(number, os.strerror(number))))
    assert f"The journal runs can't be used ([Errno {number}] {os.strerror(number)}). {cure} The run stays" in told
