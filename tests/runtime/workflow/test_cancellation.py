"""A workflow cancelled at every point at which a task goes on: nothing is left, and everything has closed (promise 1)."""

from __future__ import annotations

from collections import Counter

import pytest
import trio
import trio.testing

import trioflow as tf

pytestmark = pytest.mark.unmeasured

STARTS = {"NodeStarted": +1, "NodeCompleted": -1, "NodeFailed": -1, "NodeCancelled": -1}


@tf.exec_node
async def work(ctx: tf.Context, seconds: float = 0, fail: bool = False) -> int:
    """Take some time, awaited twice."""
    await trio.sleep(seconds)
    await trio.sleep(0)
    if fail:
        raise ValueError(ctx.node.id)
    return 1


@tf.exec_node
async def back() -> None:
    """Undo something, which takes time too."""
    await trio.sleep(1)


def everything():
    """Joins of all kinds, a loop, a scope, limits, a failure that is handled, and one at the end that is undone."""
    with tf.workflow(limit=3, groups={"g": 1}) as w:
        w.variable("n", "int", 0, merge="sum")
        a = w.add(work, "a", undo="undo")
        w.add(back, "undo")
        b = w.add(work, "b", seconds=2.0, group="g")
        c = w.add(work, "c", seconds=1.0, group="g", undo="undo")
        loop = w.add(work, "loop", most=2)
        failing, saved = w.add(work, "failing", fail=True), w.add(work, "saved")
        each = w.add(tf.nodes.ForEach, "each", items=[1, 2])
        w.configure(each, mode="concurrent")
        item, also = w.add(work, "item", seconds=1.0), w.add(work, "also")
        first, end = w.add(work, "first", join="first", rest="cancel"), w.add(work, "end", seconds=1.0, fail=True)
        w.after(a, b, c, loop, failing, each)
        w.connect(loop, loop)
        w.connect(loop, end, on="exhausted")
        w.connect(failing, saved, on="failed")
        w.connect(each, item, on="next")
        w.connect(each, also, on="next")
        w.connect(b, first)
        w.connect(c, first)
        for source in (first, saved, each.done):
            w.connect(source, end)
    return w.graph


class Cancels(trio.abc.Instrument):
    """Cancels a scope when tasks have gone on so many times."""

    def __init__(self, scope, steps):
        self.scope, self.left = scope, steps

    def before_task_step(self, task):
        self.left -= 1
        if self.left == 0:
            self.scope.cancel()


async def cancelled_after(plan, steps):
    """Whether the run was cut off; what it has told is checked."""
    told: list[tf.events.Event] = []
    with trio.CancelScope() as scope:
        cancels = Cancels(scope, steps)
        trio.lowlevel.add_instrument(cancels)
        try:
            await tf.run(plan, observers=[told.append])
        except ValueError as error:
            assert str(error) == "end"
        finally:
            trio.lowlevel.remove_instrument(cancels)
    balance = Counter()
    for event in told:
        balance[event.path.as_tuple()] += STARTS.get(type(event).__name__, 0)
    assert {path for path, count in balance.items() if count} == set()
    assert type(told[-1]).__name__ in ("RunCancelled", "RunFailed")
    return cancels.left <= 0


async def test_cancelled_at_every_point(autojump_clock):
    """Wherever it is cut off, all that has started has closed, and no task is left."""
    before = trio.lowlevel.current_statistics().tasks_living
    plan, steps = tf.make_plan(everything(), tf.Registry.standard(plugins=False)), 1
    while await cancelled_after(plan, steps):
        assert trio.lowlevel.current_statistics().tasks_living == before
        steps += 1
    assert steps > 40


@tf.exec_node
async def in_two_tasks() -> None:
    """Wait in two tasks of its own."""
    async with trio.open_nursery() as nursery:
        nursery.start_soon(trio.sleep, 5)
        nursery.start_soon(trio.sleep, 5)


async def test_the_rest_had_tasks_of_its_own(autojump_clock):
    """A firing that is cancelled as a join does not wait for it ends, also where its body is cancelled task by task (W8)."""
    with tf.workflow() as w:
        slow, quick = w.add(in_two_tasks, "slow"), w.add(tf.nodes.Start, "quick")
        first = w.add(tf.nodes.Print, "first", value=1, join="first", rest="cancel")
        w.connect(slow, first)
        w.connect(quick, first)
    with trio.fail_after(4):
        await tf.run(w.graph)
    assert trio.current_time() == 0
