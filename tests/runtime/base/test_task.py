"""What a strand reads of its task, and what stands in where trio does not have it."""

from __future__ import annotations

from contextlib import AsyncExitStack

import pytest
import trio
from support import Note

import trioflow as tf
from trioflow.runtime import dispatch
from trioflow.runtime.base import task


@pytest.fixture(params=["of trio", "stand-in"])
def _tasks(request, monkeypatch):
    if request.param == "stand-in":
        monkeypatch.setattr(task, "current_task", Bare)
        monkeypatch.setattr(dispatch, "hot_task", task.hot_task)


class Bare:
    """A task of a trio that has no such private attributes."""

    def __init__(self):
        self._real = trio.lowlevel.current_task()

    @property
    def child_nurseries(self):
        return self._real.child_nurseries


class Stops(tf.Node, id="task.stops"):
    """Cancels what it is in, then triggers."""

    enter = tf.ExecIn()
    then = tf.ExecOut()

    async def execute(self, ctx: tf.Context) -> None:
        with trio.CancelScope() as scope:
            await ctx.trigger(self.then)
            scope.cancel()
            await ctx.trigger(self.then)
        ctx.services.get("notes").append(scope.cancelled_caught)


class Nests(tf.Node, id="task.nests"):
    """Opens nurseries inside each other and triggers itself in the innermost."""

    enter = tf.ExecIn()
    again = tf.ExecOut()

    async def execute(self, ctx: tf.Context) -> None:
        async with AsyncExitStack() as stack:
            for _ in range(9):
                await stack.enter_async_context(trio.open_nursery())
            await ctx.trigger(self.again)


@pytest.mark.usefixtures("_tasks")
def test_a_dispatch_is_cancelled(bench):
    """The first dispatch after a cancellation does not happen (T2, R5)."""
    with tf.build() as g:
        start, stops, note = g.add(tf.nodes.Start), g.add(Stops), g.add(Note, value="dispatched")
        g.connect(start.then, stops.enter)
        g.connect(stops.then, note.enter)
    bench.run(g.graph)
    assert bench.notes == ["dispatched", True]


@pytest.mark.slow
@pytest.mark.usefixtures("_tasks")
def test_nurseries_of_bodies_are_counted(bench):
    """Bodies that open nurseries around their triggers are stopped long before trio would die of it (F8)."""
    with tf.build() as g:
        start, nests = g.add(tf.nodes.Start), g.add(Nests)
        g.connect(start.then, nests.enter)
        g.connect(nests.again, nests.enter)
    with pytest.raises(BaseExceptionGroup) as caught:
        bench.run(g.graph)
    error = caught.value
    depth = 0
    while isinstance(error, BaseExceptionGroup):
        (error,) = error.exceptions
        depth += 1
    assert isinstance(error, tf.DepthExceeded)
    assert 240 <= depth <= 272
