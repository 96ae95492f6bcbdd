"""What a program does at its start."""

from __future__ import annotations

import pytest
import trio
from durable.graphs import REGISTRY, WORLD, chain, go, stop

import trioflow as tf


def effects(*values):
    return chain(*(("durable.effect", {"value": value}) for value in values))


@pytest.mark.parametrize("limit", [None, 1])
def test_all_that_have_not_ended(tmp_path, limit):
    """Each to its end, whatever becomes of the others; those that ended, or that somebody has, are left alone."""
    journal = tf.SqliteJournal(tmp_path / "runs.db")
    stop(effects("a", "b"), journal, "b", "first")
    stop(chain(("durable.effect", {"value": "c"}), "durable.failing"), journal, "fail None", "second")
    go(effects("x"), journal, "ended")
    stop(effects("a", "y"), journal, "y", "owned")
    session = journal.take("owned")
    WORLD.clear()
    came = trio.run(lambda: tf.recover(journal, registry=REGISTRY, limit=limit))
    session.close()
    assert sorted(WORLD) == ["b", "fail None"]
    assert list(came) == ["first", "second"]
    assert came["first"].output("effect_2") == "b"
    assert isinstance(came["second"], ValueError)
    assert [journal.show(each).status for each in ("first", "second", "owned")] == ["completed", "failed", "running"]


def test_graphs_that_no_journal_holds():
    """The program gives them."""
    journal = tf.MemoryJournal()
    with tf.build(REGISTRY) as g:
        node = g.add("durable.effect")
        g.connect(g.add("flow.start").then, node.enter)
        g.connect(g.add(lambda: 1).result, node.value)
    stop(g.graph, journal, 1)
    (failed,) = trio.run(lambda: tf.recover(journal, registry=REGISTRY)).values()
    assert isinstance(failed, tf.JournalError)
    (result,) = trio.run(lambda: tf.recover(journal, graph=lambda info: g.graph, registry=REGISTRY)).values()
    assert result.output("effect") == 1
