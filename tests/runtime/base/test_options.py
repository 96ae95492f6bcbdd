"""What a run is told, and what it tells (R1, R8)."""

from __future__ import annotations

import pytest
from support import Items, chain

import trioflow as tf


@pytest.fixture
def result(bench):
    with tf.build() as g:
        start, items = g.add(tf.nodes.Start), g.add(Items, "items", count=1)
        chain(g, start, items)
    return bench.run(g.graph)


def test_output(result):
    """An output of a node is its last value; of one that was not written the nearest is named (R1)."""
    assert result.output("items", "item") == 0
    for node, socket, near in (("items", "itme", " Did you mean 'items.item'?"), ("nobody", "x", "")):
        with pytest.raises(tf.UnknownName) as caught:
            result.output(node, socket)
        assert str(caught.value) == (
            f"Nothing was written to {node}.{socket}.{near} Only outputs of exec nodes are kept, and only if they were "
            "written."
        )
