"""What is told of activations that nest too deep (T9, R8)."""

from __future__ import annotations

import pytest
from support import Deeper

import trioflow as tf


@pytest.mark.parametrize(
    ("limit", "nodes", "shown", "last"),
    [
        (9, 2, ": a -> b repeats", "b"),
        (10, 2, ": b -> a repeats", "a"),
        (30, 10, ": b -> c -> d -> e -> f -> g -> h -> i repeats", "i"),
        (7, 10, ": a -> b -> c -> d -> e -> f", "f"),
        (9, 10, ": a -> b -> c -> d -> e -> f -> g -> h", "h"),
        (10, 10, ": b -> c -> d -> e -> f -> g -> h -> i", "i"),
        (2, 10, ": a", "a"),
        (1, 10, "", None),
    ],
)
def test_nodes_that_repeat(bench, limit, nodes, shown, last):
    """The message shows the nodes that repeat, eight at most; if none does, the innermost (T9)."""
    with tf.build() as g:
        deep = [g.add(Deeper, name, levels=1000) for name in "abcdefghij"[:nodes]]
        g.connect(g.add(tf.nodes.Start).then, deep[0].enter)
        for above, below in zip(deep, [*deep[1:], deep[0]], strict=True):
            g.connect(above.body, below.enter)
    error = bench.fails(tf.DepthExceeded, g.graph, options=tf.RunOptions(max_depth=limit))
    assert str(error).startswith(f"Activations nest deeper than {limit}{shown}. Let the nodes return")
    (reached,) = (event for event in bench.log if isinstance(event, tf.events.LimitReached))
    assert (reached.node, reached.limit, reached.value) == (last, "depth", limit)
    assert reached.path.depth == limit
    failed = [event for event in bench.log if isinstance(event, tf.events.NodeFailed)]
    assert [event.error for event in failed] == [error] * (limit - 1)
