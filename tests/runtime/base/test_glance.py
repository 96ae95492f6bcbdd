"""Glances: an observer that watches for a moment now and then (E3, E4)."""

from __future__ import annotations

import pytest
import trio
from support import Fail, chain

import trioflow as tf
from trioflow.testing import EventLog


@tf.exec_node(id="glance.step")
async def step() -> None: ...


def loop_graph(times, nodes=5):
    with tf.build() as g:
        start, loop = g.add(tf.nodes.Start), g.add(tf.nodes.ForLoop, "loop", times=times)
        steps = [g.add(step, f"step{number}") for number in range(nodes)]
        g.connect(start.then, loop.enter)
        g.connect(loop.body, steps[0].enter)
        chain(g, *steps)
    return g.graph


async def test_all_nodes_are_seen_over_time():
    """Glances see each node of a loop, few of its steps, and no observer is left (E3)."""
    log = EventLog()
    with trio.fail_after(60):
        async with tf.open_run(loop_graph(10**9)) as run, trio.open_nursery() as nursery:
            nursery.start_soon(lambda: run.glance(log, window=0.001, every=0.01))
            while len({event.node for event in log}) < 6 or log.events[-1].time < 0.3:
                if len({event.node for event in log}) >= 5 and log.events[-1].time > 0.3:
                    break  # all but the loop, which is one long activation
                await trio.sleep(0.01)
            steps = run.statistics().steps
            nursery.cancel_scope.cancel()
            run.cancel()
    assert {event.node for event in log} >= {f"step{number}" for number in range(5)}
    assert 2 * steps > 3 * len(log.events)
    assert len({event.id for event in log}) == len(log.events)


@pytest.mark.parametrize("how", ["cancelled", "the run ends", "the run fails"])
async def test_no_observer_is_left(how, autojump_clock):
    """However a glance ends, it leaves no observer behind (E4)."""
    with tf.build() as g:
        last = g.add(Fail) if how == "the run fails" else g.add(step)
        chain(g, g.add(tf.nodes.Start), g.add("flow.delay", seconds=10), last)
    seen = []
    try:
        async with tf.open_run(g.graph) as run, trio.open_nursery() as nursery:
            nursery.start_soon(lambda: run.glance(seen.append, window=0.5, every=0.5))
            await trio.sleep(5)
            if how == "cancelled":
                nursery.cancel_scope.cancel()
                await trio.lowlevel.checkpoint_if_cancelled()
    except ValueError:
        assert how == "the run fails"
    assert run._state.observed.observers == []
    await run.glance(seen.append)  # the run is over


async def test_cancelled_in_a_window(autojump_clock):
    """A glance that is cancelled while it watches takes its observer with it; the host's own stays (E4)."""
    with tf.build() as g:
        chain(g, g.add(tf.nodes.Start), g.add("flow.delay", seconds=10))
    seen = []
    async with tf.open_run(g.graph, observers=[seen.append]) as run:
        with trio.move_on_after(3):
            await run.glance(seen.append, window=1000, every=0.001)
        assert len(run._state.observed.observers) == 1
    assert type(seen[-1]).__name__ == "RunCompleted"


async def test_an_observer_that_fails_ends_it(caplog):
    """A glance whose observer fails is over: it does not fail again and again (E4)."""

    def broken(event):
        raise ValueError("no")

    with trio.fail_after(60):
        async with tf.open_run(loop_graph(10**9)) as run:
            await run.glance(broken, window=0.01, every=0.001)
            run.cancel()
    assert len(caplog.records) == 1


@pytest.mark.parametrize("times", [{"window": 0}, {"every": 0}, {"every": -1}, {"window": float("nan")}])
async def test_times_that_make_no_sense(times):
    """Times that are not more than 0 are refused."""
    async with tf.open_run(loop_graph(1)) as run:
        with pytest.raises(ValueError, match="must be more than 0"):
            await run.glance(print, **times)
