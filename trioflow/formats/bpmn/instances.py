"""An activity several times: loops, and instances of it."""

from __future__ import annotations

from collections.abc import Iterable
from contextvars import ContextVar
from typing import Any

import attrs

import trioflow as tf
from trioflow.errors import NodeError
from trioflow.formats.bpmn.common import asked, set_known


class Loop(tf.Node, id="bpmn.loop", durable="replayed"):
    """A standard loop: the activity again and again, as long as the condition holds."""

    enter = tf.ExecIn()
    condition = tf.DataIn(str, default="", doc="an expression; without one it always holds")
    before = tf.DataIn(bool, default=False, doc="whether it is looked at before the first time")
    most = tf.DataIn(int, default=0, doc="how many times at most; 0 for any number")
    body = tf.ExecOut(doc="the activity")
    then = tf.ExecOut()

    async def execute(self, ctx: tf.Context) -> tf.ExecOut:
        condition, most = await ctx.get_input(self.condition), await ctx.get_input(self.most)
        before, count = await ctx.get_input(self.before), 0
        while not most or count < most:
            if (before or count) and condition and not asked(ctx, condition, {"loopCounter": count}):
                break
            count += 1
            set_known(ctx, {"loopCounter": count})
            await ctx.trigger(self.body)
        return self.then


class AdHoc(tf.Node, id="bpmn.ad_hoc", durable="replayed"):
    """The activities of an ad-hoc sub-process to which no flow leads, one after the other.

    Each by `body`, with its id as `element`, and all that is behind it; until the completion condition holds.
    """

    enter = tf.ExecIn()
    elements: tf.DataIn[Any] = tf.DataIn(list, default=[], doc="the ids of the activities")
    until = tf.DataIn(str, default="", doc="an expression")
    element = tf.DataOut(str, doc="the id of the one whose turn it is")
    body = tf.ExecOut(doc="what is inside")
    then = tf.ExecOut()

    async def execute(self, ctx: tf.Context) -> tf.ExecOut:
        until = await ctx.get_input(self.until)
        for each in await ctx.get_input(self.elements):
            await ctx.trigger(self.body, {self.element: each})
            if until and asked(ctx, until):
                break
        return self.then


@attrs.define(eq=False)
class _Instances:
    """The instances of an activity that are under way, and whether they have met the completion condition."""

    count: int
    until: str
    completed: int = 0
    stopped: bool = False
    forks: list[tf.Fork] = attrs.Factory(list[tf.Fork])
    """Where they are concurrent."""

    def numbers(self) -> dict[str, int]:
        """The counters of the standard, and as Camunda calls them."""
        active = self.count - self.completed
        return {
            "numberOfInstances": self.count, "nrOfInstances": self.count,
            "numberOfCompletedInstances": self.completed, "nrOfCompletedInstances": self.completed,
            "numberOfActiveInstances": active, "nrOfActiveInstances": active,
        }  # fmt: skip

    def complete(self, ctx: tf.Context, number: int) -> None:
        """One has completed: if no other is needed any more, cancel those that are concurrent."""
        self.completed += 1
        set_known(ctx, self.numbers())
        if self.until and not self.stopped and asked(ctx, self.until, self.numbers()):
            self.stopped = True
            for other, fork in enumerate(self.forks, 1):
                if other != number and not fork.done:
                    fork.cancel()


_instance: ContextVar[tuple[_Instances, int] | None] = ContextVar("trioflow_bpmn_instance", default=None)


class MultiInstance(tf.Node, id="bpmn.multi_instance", durable="replayed"):
    """An activity once for each item of a collection, or so many times: one after the other, or all at once.

    When the completion condition holds after one of them, those that are left are not started, or cancelled.
    """

    enter = tf.ExecIn()
    count = tf.DataIn(str, default="", doc="how many times: an expression")
    items = tf.DataIn(str, default="", doc="the collection: an expression")
    item = tf.DataIn(str, default="", doc="the variable that holds the item")
    results = tf.DataIn(str, default="", doc="the variable that gets the results, in the order of the items")
    sequential = tf.DataIn(bool, default=False)
    until = tf.DataIn(str, default="", doc="the completion condition: an expression")
    body = tf.ExecOut(concurrent=True, doc="one instance")
    then = tf.ExecOut()

    async def execute(self, ctx: tf.Context) -> tf.ExecOut:
        items = await self._items(ctx)
        item = await ctx.get_input(self.item)
        results = await ctx.get_input(self.results)
        if results:
            ctx.set_variable(results, [])
        instances = _Instances(len(items), await ctx.get_input(self.until))
        token = _instance.set(None)
        try:
            if await ctx.get_input(self.sequential):
                for number, each in enumerate(items, 1):
                    self._begin(ctx, instances, number, item, each)
                    await ctx.trigger(self.body)
                    if instances.stopped:
                        break
            else:
                async with ctx.branches() as branches:
                    for number, each in enumerate(items, 1):
                        self._begin(ctx, instances, number, item, each)
                        instances.forks.append(branches.start(self.body))
        finally:
            _instance.reset(token)
        return self.then

    async def _items(self, ctx: tf.Context) -> list[Any]:
        text = await ctx.get_input(self.items)
        if text:
            found = asked(ctx, text)
            if not isinstance(found, Iterable):
                raise NodeError(f"{ctx.node.id!r} goes through {text}, which is {found!r} and no collection.")
            return [*found]
        text = await ctx.get_input(self.count)
        found = asked(ctx, text)
        if not isinstance(found, int) or found < 0:
            raise NodeError(f"{ctx.node.id!r} is to be done {text} times, which is {found!r} and no number.")
        return [*range(found)]

    def _begin(self, ctx: tf.Context, instances: _Instances, number: int, item: str, value: Any) -> None:
        _instance.set((instances, number))
        set_known(ctx, {"loopCounter": number})
        if item:
            ctx.set_variable(item, value)


class InstanceEnd(tf.Node, id="bpmn.instance_end", durable="replayed"):
    """Behind an instance of an activity: whether it was the last that is needed, and what it leaves."""

    enter = tf.ExecIn()
    output = tf.DataIn(str, default="", doc="the variable in which an instance leaves its result")
    results = tf.DataIn(str, default="", doc="the variable that gets the results")

    async def execute(self, ctx: tf.Context) -> None:
        output, results = await ctx.get_input(self.output), await ctx.get_input(self.results)
        if output and results:
            ctx.set_variable(results, [*(ctx.get_variable(results) or ()), ctx.get_variable(output)])
        found = _instance.get()
        assert found is not None, "it is behind bpmn.multi_instance"
        instances, number = found
        instances.complete(ctx, number)
