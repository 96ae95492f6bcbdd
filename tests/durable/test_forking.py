"""Runs out of runs (J16)."""

from __future__ import annotations

import pytest
from durable.graphs import WORLD, chain, go, resume
from durable.short_vectors import VECTOR_REQUESTS

import trioflow as tf
from trioflow.conformance.crashing import deterministic, run
from trioflow.durable.keys import path_of, path_part


def effects(*values):
    return chain(*(("durable.effect", {"value": value}) for value in values))


@pytest.mark.unmeasured
def test_every_prefix_is_a_consistent_cut():
    """J16: whatever the path, the fork comes to the same as the run that it was forked from."""
    cuts = 0
    for request in VECTOR_REQUESTS[1::25]:
        if not deterministic(request):
            continue
        journal = tf.MemoryJournal()
        came, _ = run(request, journal)
        for number, entry in enumerate(journal.entries("run")[:8]):
            tf.fork_run(journal, "run", f"fork{number}", at=path_of(path_part(entry.key)))
            assert run(request, journal, f"fork{number}")[0].loose == came.loose
            cuts += 1
    assert cuts > 10


def test_a_fork_does_again_what_comes_after():
    """And nothing of what came before; the run that it comes from stays as it was."""
    journal = tf.MemoryJournal()
    go(effects("a", "b", "c"), journal)
    info = tf.fork_run(journal, "a", "other", at=(0, 2))
    assert (info.new.parent, info.new.parent_path, info.status, info.state.entries) == ("a", "0.2", "running", 1)
    resume(None, journal, "other")
    assert WORLD == ["b", "c"]
    assert journal.show("a").state.entries == 3
    with pytest.raises(tf.JournalError, match="used already"):
        tf.fork_run(journal, "a", "other", at=(0, 2))
    with pytest.raises(tf.RunNotFound):
        tf.fork_run(journal, "x", "y", at=(0,))


def test_a_name_that_is_none():
    """The other run could not be resumed."""
    journal = tf.MemoryJournal()
    go(effects("a"), journal)
    with pytest.raises(tf.JournalError, match="needs a name"):
        tf.fork_run(journal, "a", "")


def test_with_other_variables():
    """Or with another graph, as far as it does the same before."""
    with tf.build() as g:
        g.variable("v", "int", default=1)
    journal = tf.MemoryJournal()
    go(effects("a", "b"), journal)
    tf.fork_run(journal, "a", "changed", at=(0, 2), graph=tf.dumps(effects("a", "x")))
    resume(None, journal, "changed")
    assert WORLD == ["x"]
    tf.fork_run(journal, "a", "set", at=(0, 1), variables={"v": 5})
    assert journal.show("set").new.variables == '{"v":5}'


def test_what_was_known():
    """What effects had written when the run came to a path."""
    journal = tf.MemoryJournal()
    go(effects("a", "b", "c"), journal)
    past = tf.past_of(journal, "a", (0, 3))
    assert past.outputs == {"effect.result": "a", "effect_2.result": "b"}
    assert (past.recorded, past.last) == (2, "0.2")
    with pytest.raises(tf.JournalError, match="Nothing was recorded of run 'a' before 0.1"):
        tf.past_of(journal, "a", (0, 1))
