"""Who did what to a run, and when: told by whoever does it, and kept (J28)."""

from __future__ import annotations

import pytest
import trio
from durable.graphs import REGISTRY, chain, go, resume, stop
from trio.testing import MockClock

import trioflow as tf
from trioflow.durable.archive import export_lines, import_lines


def told(journal, run_id="a"):
    return [(each.what, each.by, each.detail) for each in journal.audit(run_id)]


def test_from_its_beginning_to_its_end():
    """By whom it was started and resumed; who only asks what it came to does nothing."""
    journal = tf.MemoryJournal()
    graph = chain(("durable.effect", {"value": "one"}), ("durable.effect", {"value": "two"}))
    journal.by = "eve"
    stop(graph, journal, "two")
    journal.by = None
    resume(graph, journal, by="bob")
    go(graph, journal)
    assert told(journal) == [("started", "eve", ""), ("resumed", "bob", "after 1 records")]
    assert all("process" in each.process for each in journal.audit("a"))


def test_what_people_say():
    """Signals and answers, retries, what was settled."""
    journal = tf.MemoryJournal()
    with tf.build(REGISTRY) as g:
        wait, fails = g.add("flow.wait_signal", "wait", name="paid"), g.add("durable.failing", value=1)
        g.connect(g.add("flow.start").then, wait.enter)
        g.connect(wait.received, fails.enter)
    graph = g.graph
    with pytest.raises(tf.RunSuspended):
        go(graph, journal, suspend_after=1.0)
    tf.send_signal(journal, "a", "other", by="eve")
    tf.send_signal(journal, "a", "paid", by="bob", key="k")
    tf.send_signal(journal, "a", "paid", by="mallory", key="k")
    with pytest.raises(ValueError, match="1"):
        resume(graph, journal)
    resume(graph, journal, retry=True, skip=[(0, 2)], by="ann")
    assert told(journal) == [
        ("started", None, ""), ("put away", None, ""), ("signalled", "eve", "other"), ("answered", "bob", "paid"),
        ("resumed", None, ""), ("retried", "ann", "after 2 records, without 0.2"),
    ]  # fmt: skip


def test_other_runs_out_of_one():
    """Both runs know."""
    journal = tf.MemoryJournal()
    graph = chain(("durable.effect", {"value": "one"}))
    go(graph, journal)
    tf.fork_run(journal, "a", "b", at=(0, 1), by="eve")
    tf.fork_run(journal, "a", "c", migrate=lambda end: end)
    import_lines(journal, [*export_lines(journal, "a")], "d", by="bob")
    assert told(journal)[1:] == [("forked", "eve", "to 'b' before 0.1"), ("migrated", None, "to 'c'")]
    assert (told(journal, "b"), told(journal, "d")) == (
        [("forked", "eve", "from 'a' before 0.1")], [("imported", "bob", "")]
    )  # fmt: skip


def test_cancelled_and_put_away_by_hand():
    """A run that is cancelled has not ended."""
    journal = tf.MemoryJournal()
    graph = chain(("flow.sleep", {"duration": "60s"}))

    async def main():
        for way in ("cancel", "suspend"):
            async with tf.open_run(graph, journal=journal, run_id="a", registry=REGISTRY) as run:
                await trio.sleep(0.01)
                if way == "cancel":
                    run.cancel(by="eve")
                else:
                    await run.suspend("for the night", by="bob")
                with pytest.raises((tf.RunAborted, tf.RunSuspended)):
                    await run.result()

    trio.run(main, clock=MockClock(autojump_threshold=0))
    assert [each[:2] for each in told(journal)] == [
        ("started", None), ("cancelled", "eve"), ("resumed", None), ("put away", "bob"),
    ]  # fmt: skip
    assert told(journal)[-1][2] == "for the night"


def test_in_doubt(tmp_path):
    """Who said what came of it."""
    journal = tf.SqliteJournal(tmp_path / "runs.db")
    graph = chain(("durable.careful", {"value": "one"}))
    stop(graph, journal, "one")
    tf.settle(journal, "a", (0, 1), again=True, by="eve")
    assert told(journal)[1:] == [("settled", "eve", "0.1 was not done")]
