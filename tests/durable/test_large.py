"""Runs with large values: they go on with them, and their journals hold them once (J27)."""

from __future__ import annotations

import pytest
from durable.graphs import REGISTRY, WORLD, act, go, resume

import trioflow as tf

LARGE = "x" * 100_000


@tf.exec_node(id="large.fetch")
def fetch(name: str, size: int = 100_000) -> bytes:
    act(f"fetch {name}")
    return name.encode() * size


@tf.exec_node(id="large.crop")
def crop(picture: bytes) -> bytes:
    act("crop")
    return picture[:2]


@tf.exec_node(id="large.fail")
def fail(picture: bytes) -> None:
    act("fail")
    raise ValueError(picture.decode())


@pytest.fixture(scope="module", autouse=True)
def types():
    REGISTRY.add(fetch, crop, fail)


def pipeline(last="large.crop"):
    with tf.build(REGISTRY) as g:
        g.variable("kept", "bytes", default=b"")
        one, two, end = (
            g.add("large.fetch", "one", name="a"),
            g.add("variable.set", "two", name="kept"),
            g.add(last, "end"),
        )
        for source, target in (
            (g.add("flow.start").then, one.enter), (one.then, two.enter), (one.result, two.value),
            (two.then, end.enter), (one.result, end.picture),
        ):  # fmt: skip
            g.connect(source, target)
    return g.graph


@pytest.fixture(params=["memory", "file", "sqlite"])
def journal(request, tmp_path):
    return {
        "memory": tf.MemoryJournal,
        "file": lambda: tf.FileJournal(tmp_path / "runs"),
        "sqlite": lambda: tf.SqliteJournal(tmp_path / "runs.db"),
    }[request.param]()


def test_from_the_record(journal):
    """A run that is resumed, and one that has ended, have it; so has one that begins with what it came to."""
    go(pipeline(), journal)
    assert max(len(each[3]) for each in journal.entries("a")) < 500
    assert len(journal.show("a").state.outcome) < 1000
    for ask in (lambda: go(pipeline(), journal), lambda: go(pipeline(), journal, "b")):
        assert ask().variables["kept"] == b"a" * 100_000
        tf.fork_run(journal, "a", "b", at=(0, 3)) if "b" not in [each.id for each in journal.runs()] else None
    assert WORLD == ["crop"]
    assert tf.past_of(journal, "a", (0, 3)).outputs["one.result"] == b"a" * 100_000
    tf.fork_run(journal, "a", "c", migrate=lambda end: end if end.node != "one" else None)
    go(pipeline(), journal, "c")
    assert WORLD == ["fetch a"]


def test_a_large_failure(journal):
    """It is what it was, also for whoever asks later, and can be retried."""
    for _ in range(2):
        with pytest.raises(ValueError, match="a{100000}"):
            go(pipeline("large.fail"), journal)
    assert len(journal.show("a").state.outcome) < 1000
    with pytest.raises(ValueError, match="a{100000}"):
        resume(pipeline("large.fail"), journal, retry=True)
    assert WORLD == ["fail"]


def test_a_folder_that_can_not_be_written(tmp_path):
    """It is told, and the run goes on when it can."""
    journal = tf.FileJournal(tmp_path / "runs", durability="power")
    (tmp_path / "runs").mkdir()
    (tmp_path / "runs" / "blobs").touch()
    with pytest.raises(tf.JournalUnusable, match="can't be used"):
        go(pipeline(), journal)
    (tmp_path / "runs" / "blobs").unlink()
    assert go(pipeline(), journal).variables["kept"] == b"a" * 100_000
