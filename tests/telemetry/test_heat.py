"""Heat: where strands were seen."""

from __future__ import annotations

import pytest
import trio
from telemetry.runs import looping

import trioflow as tf
from trioflow.telemetry import Heat


async def test_strands_are_seen_where_they_are(autojump_clock):
    """Of a run that sleeps in one node, all strands are seen there, as many as there are."""
    async with tf.open_run(looping(3, "concurrent")) as run:
        heat = Heat(every=0.01)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(heat.watch, run)
            await run.result()
    assert heat.looks > 100
    # Three naps of 1, 2 and 5 seconds within five: 1.6 at a time.
    assert [*heat.nodes] == ["nap", "loop"]
    assert heat.nodes["nap"] == pytest.approx(1.6, rel=0.2)
    assert heat.nodes["loop"] == pytest.approx(1, rel=0.05)


async def test_nothing_is_seen_of_what_is_over(autojump_clock):
    """Watching a run that has ended looks no more."""
    async with tf.open_run(looping(1)) as run:
        await run.result()
        heat = Heat()
        await heat.watch(run)
    assert (heat.looks, heat.nodes) == (0, {})


def test_how_often():
    """The time between two looks is more than nothing."""
    with pytest.raises(ValueError, match=r"must be more than 0 seconds, got 0"):
        Heat(every=0)
