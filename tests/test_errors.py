"""Exceptions: what they say survives the way out of another process."""

from __future__ import annotations

import pickle

import pytest
import trio
from support import Deeper

import trioflow as tf
from trioflow.conformance.port import PortFailure
from trioflow.errors import MissingExtra
from trioflow.nodes._command import CommandFailed
from trioflow.nodes.http import HttpFailed

FAILURES = [
    tf.LimitExceeded("too many", limit="steps", value=3),
    tf.DepthExceeded("too deep", limit="depth", value=9),
    tf.DocumentError("graph.json", ["one", "two"]),
    MissingExtra("YAML", "yaml"),
    tf.InvalidGraph("nothing would run"),
    PortFailure("died", "it ended", "last words"),
    CommandFailed("node", "command", 3, "said"),
    HttpFailed("node", "http://localhost", 404, "Not Found"),
]


@pytest.mark.parametrize("failure", FAILURES, ids=lambda failure: type(failure).__name__)
def test_pickled(failure):
    """An exception that is pickled, as a pool of processes does, is the same afterwards, notes included."""
    failure.add_note("seen before")
    copied = pickle.loads(pickle.dumps(failure))
    assert (type(copied), str(copied), vars(copied)) == (type(failure), str(failure), vars(failure))


def test_pickled_out_of_a_run():
    """So is one that a run has raised (R8)."""
    with tf.build() as g:
        start, deep = g.add(tf.nodes.Start), g.add(Deeper)
        g.connect(start.then, deep.enter)
        g.connect(deep.body, deep.enter)
    with pytest.raises(tf.LimitExceeded) as caught:
        trio.run(lambda: tf.run(g.graph, options=tf.RunOptions(max_depth=2)))
    copied = pickle.loads(pickle.dumps(caught.value))
    assert (str(copied), copied.limit, copied.value) == (str(caught.value), "depth", 2)
    assert copied.__notes__ == caught.value.__notes__
