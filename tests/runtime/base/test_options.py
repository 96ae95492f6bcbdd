"""What a run is told, and what it tells (R1, R8)."""

from __future__ import annotations

import asyncio

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


@pytest.mark.parametrize(
    "name", ["max_steps", "max_depth", "max_strands", "max_nesting", "timeout", "grace", "turn_after"]
)
@pytest.mark.parametrize("value", ["1", True, [1]])
def test_numbers_are_numbers(name, value):
    """A text from a command line or a configuration is refused with the name of the option, and so is a truth value."""
    with pytest.raises(TypeError, match=f"RunOptions.{name} must be a number, got "):
        tf.RunOptions(**{name: value})


def test_other_options_have_types_too():
    """Flags, the seed, settings of streams."""
    with pytest.raises(TypeError, match="RunOptions.stay_open must be True or False, got str 'yes'."):
        tf.RunOptions(stay_open="yes")
    with pytest.raises(TypeError, match="RunOptions.seed must be a whole number, got float 1.5."):
        tf.RunOptions(seed=1.5)
    for wrong in ("each", {"each": {"mode": "concurrent"}}):
        with pytest.raises(TypeError, match="RunOptions.streams must be a mapping of names to StreamSettings"):
            tf.RunOptions(streams=wrong)


def test_asyncio_is_not_trio(result):
    """Whoever runs a graph outside of trio is told how it is done, before anything happens."""

    async def opened():
        async with tf.open_run(graph):
            pass

    async def streamed():
        async for _ in tf.stream(graph):
            pass

    graph = tf.Graph(nodes=[tf.GraphNode("start", "flow.start")])
    for main in (lambda: tf.run(graph), opened, streamed):
        with pytest.raises(RuntimeError, match="trioflow runs on trio.*Write trio.run"):
            asyncio.run(main())
