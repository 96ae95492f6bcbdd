"""A run that the page watches does what it does otherwise, whatever the schedule and whatever a person does meanwhile."""

from __future__ import annotations

import math

import pytest
import trio
from hypothesis import given, settings
from hypothesis import strategies as st

import trioflow as tf
from trioflow.studio import Session
from trioflow.testing import EventLog, ShuffledSchedule

from .pages import registry, square

pytestmark = pytest.mark.unmeasured


def concurrent():
    """Three items at once, each of which adds a square to a variable and passes a node after it."""
    with tf.build() as g:
        g.variable("total", "int", 0, merge="sum")
        start, each = g.add(tf.nodes.Start, "start"), g.add(tf.nodes.ForEach, "each", items=[1, 2, 3])
        g.configure(each, mode="concurrent")
        squared = g.add(square, "square", n=each.item)
        add = g.add(tf.nodes.UpdateVariable, "add", name="total", value=squared.result)
        after = g.add("debug.inspect", "after", value=squared.result)
        g.connect(start.then, each.enter)
        g.connect(each.body, add.enter)
        g.connect(add.then, after.enter)
    return tf.make_plan(g.graph, registry())


PLAN = concurrent()


def ran(seed, asked=None):
    """Its canonical trace, and its variables; with what is asked of the page meanwhile, if there is one."""
    log = EventLog()

    async def main():
        options = tf.RunOptions(turn_after=math.inf)
        async with tf.open_run(PLAN, options=options, middleware=[ShuffledSchedule(seed)], observers=[log]) as run:
            if asked is None:
                return (await run.result()).variables
            session = Session(PLAN.graph, PLAN.registry)
            session.attach(run)
            async with trio.open_nursery() as nursery:
                nursery.start_soon(session.make_frames)
                nursery.start_soon(session.show, run)
                for what in asked:
                    await trio.lowlevel.checkpoint()
                    await _do(session, run, what)
                run.gate.resume()
                variables = (await run.result()).variables
                nursery.cancel_scope.cancel()
            return variables

    variables = trio.run(main, clock=trio.testing.MockClock(autojump_threshold=0))
    return log.trace(), variables


async def _do(session, run, what):
    """What a page can ask for of a run that may have ended meanwhile."""
    if not session.is_running:
        return
    match what:
        case "pause":
            run.gate.pause()
            await run.gate.wait_parked()
        case "step":
            for each in run.gate.parked_at()[:1]:
                run.gate.step_into(each.path)
                await run.gate.wait_parked()
        case "look":
            for each in run.strands():
                run.peek(each.number, "add")
            session.tick(look=True)
        case _:
            session.watch(what)


@settings(max_examples=25)
@given(st.integers(0, 2**16), st.lists(st.sampled_from(["pause", "step", "look", "glance", "follow"]), max_size=8))
def test_the_page_changes_nothing(seed, asked):
    """Its canonical trace and its variables are the same."""
    assert ran(seed, asked) == ran(seed)
