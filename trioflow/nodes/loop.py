"""Loops, and how to leave them: `flow.break` ends a loop, `flow.continue` ends one round of it.

A loop says that it is one with `with Loop(ctx) as loop`, and puts each round into `with loop.round`. Which loops are
around a node is known by strand: a concurrent item or branch is in no loop of whoever started it, since it can't end
what goes on without it (F2). Loops in other packages take part in the same way.
"""

from __future__ import annotations

import itertools
from abc import abstractmethod
from collections.abc import Awaitable, Callable
from contextvars import ContextVar, Token
from functools import partial
from types import TracebackType
from typing import Any, ClassVar

import trio

import trioflow as tf
from trioflow.nodes import _expect as expect


class NoLoop(tf.GraphError):
    """`flow.break` or `flow.continue` is in no loop that it could leave."""

    code = "no-loop"


class _Leave(tf.Unwind):
    def __init__(self, loop: Loop) -> None:
        super().__init__(f"of loop {loop.node!r}")
        self.loop = loop


class _Break(_Leave):
    pass


class _Continue(_Leave):
    pass


class Loop:
    """The rounds of one loop in one activation, as a context manager around all of them; `round` is one around each.

        with Loop(ctx) as loop:
            for item in items:
                with loop.round:
                    await ctx.emit(self.item, item)

    Opened and closed by the body of the loop's node, in one task. What is not a break or continue of this very loop
    passes through.
    """

    def __init__(self, ctx: tf.Context) -> None:
        self.node = ctx.node.id
        self.round = _Round(self)
        self.task = trio.lowlevel.current_task()
        self.outer = _innermost.get()
        self._token: Token[Loop | None] | None = None

    async def emit_again(self, ctx: tf.Context) -> None:
        """Send what a source has sent before its run was resumed, each in a round of its own. In other runs nothing."""
        async for again in ctx.emitted():
            with self.round:
                await again()

    def __enter__(self) -> Loop:
        self._token = _innermost.set(self)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> bool:
        assert self._token is not None
        _innermost.reset(self._token)
        return _is_for(self, _Break, error)


class _Round:
    def __init__(self, loop: Loop) -> None:
        self._loop = loop

    def __enter__(self) -> None:
        pass

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> bool:
        return error is not None and _is_for(self._loop, _Continue, error)


# A chain of loops, not a tuple of them: in a graph that recurses through a loop there may be very many.
_innermost: ContextVar[Loop | None] = ContextVar("innermost loop", default=None)


def _is_for(loop: Loop, kind: type[_Leave], error: BaseException | None) -> bool:
    """Whether this leaves the loop. What failed meanwhile in a body in between is raised instead."""
    if isinstance(error, BaseExceptionGroup):  # it came through the nursery of such a body
        found, rest = error.split(lambda each: isinstance(each, kind) and each.loop is loop)
        if found is not None and rest is not None:
            raise rest
        return found is not None
    return isinstance(error, kind) and error.loop is loop


def _loop_to_leave(ctx: tf.Context, verb: str, name: str) -> Loop:
    """The innermost loop around, or the one of this name. Raises `NoLoop`."""
    around: list[str] = []
    loop = _innermost.get()
    here = f"{verb} at node {ctx.node.id!r}"
    while loop is not None:
        if not name or loop.node == name:
            if loop.task is not trio.lowlevel.current_task():
                raise NoLoop(
                    f"{here}: it runs in a concurrent strand inside the loop {loop.node!r}, which goes on without it "
                    "and can't be left from there. Run the loop's items one after the other, or set a variable here "
                    "and leave the loop by what it merges to."
                )
            return loop
        around.append(loop.node)
        loop = loop.outer
    if name:
        raise NoLoop(f"{here}: there is no loop {name!r} around it. Around it are: {', '.join(around) or 'none'}.")
    raise NoLoop(f"{here}: there is no loop around it. Wire it to something that a loop's body leads to.")


class Break(tf.Node, id="flow.break", durable="replayed"):
    """Ends the innermost loop around it, or the one that is named: that goes on at `done`.

    What the nodes in between would have done after this is left out; `cleanup` of a `flow.try` runs, `catch` does not.
    It is no failure: the activations in between end as cancelled. Without such a loop around it, or from a concurrent
    item or branch inside it, it is an error.

    >>> fire("flow.for", times=5, body="flow.break")
    [('body', {'index': 0}), ('done', {})]
    """

    enter = tf.ExecIn()
    loop = tf.DataIn(str, default="", doc="the id of the loop's node; empty for the innermost")

    async def execute(self, ctx: tf.Context) -> None:
        raise _Break(_loop_to_leave(ctx, "flow.break", await ctx.get_input(self.loop)))


class Continue(tf.Node, id="flow.continue", durable="replayed"):
    """Ends this round of the innermost loop around it, or of the one that is named, which goes on with the next.

    As for `flow.break`, cleanup runs, it is no failure, and without such a loop it is an error.

    >>> fire("flow.for", times=2, body="flow.continue")
    [('body', {'index': 0}), ('body', {'index': 1}), ('done', {})]
    """

    enter = tf.ExecIn()
    loop = tf.DataIn(str, default="", doc="the id of the loop's node; empty for the innermost")

    async def execute(self, ctx: tf.Context) -> None:
        raise _Continue(_loop_to_leave(ctx, "flow.continue", await ctx.get_input(self.loop)))


def _trigger(ctx: tf.Context) -> Callable[[tf.ExecOut], Awaitable[None]]:
    """Triggers a round of a loop that needs nothing to go on. In a run that is kept it can be begun there."""
    return partial(ctx.trigger_at, True) if ctx.is_kept else ctx.trigger


class _Counting(tf.Node, abstract=True):
    """Triggers `body` with one index after the other."""

    enter = tf.ExecIn()
    index = tf.DataOut(int, doc="the index of this round")
    body = tf.ExecOut(doc="one round")
    done = tf.ExecOut(doc="after the last round")

    async def execute(self, ctx: tf.Context) -> tf.ExecOut:
        if ctx.is_kept:
            return await self._count_kept(ctx)
        start, step, times = await self._rounds(ctx)
        with Loop(ctx) as loop:
            for index in range(start, start + times * step, step) if step else (start for _ in range(times)):
                # As `with loop.round` does, which would take a tenth of the round.
                try:
                    await ctx.trigger(self.body, {self.index: index})
                except BaseException as error:
                    if not _is_for(loop, _Continue, error):
                        raise
        return self.done

    async def _count_kept(self, ctx: tf.Context) -> tf.ExecOut:
        """The same in a run that is kept, which can be begun again at each round."""
        start, step, times = ctx.resumed(None) or await self._rounds(ctx)
        with Loop(ctx) as loop:
            for left in range(times, 0, -1):
                with loop.round:
                    await ctx.trigger_at((start, step, left), self.body, {self.index: start})
                start += step
        return self.done

    @abstractmethod
    async def _rounds(self, ctx: tf.Context) -> tuple[int, int, int]:
        """The first index, the step, and how many rounds there are."""


class ForLoop(_Counting, id="flow.for", durable="replayed"):
    """Triggers `body` for each index from `start`, in steps of `step`, `times` times; then goes on at `done`.

    `times` of 0 or less goes straight on. All three are read once, before the first round.

    >>> fire("flow.for", times=2)
    [('body', {'index': 0}), ('body', {'index': 1}), ('done', {})]
    """

    times = tf.DataIn(int, default=10, doc="number of rounds")
    start = tf.DataIn(int, default=0, doc="the first index")
    step = tf.DataIn(int, default=1, doc="what is added to the index after each round")

    async def _rounds(self, ctx: tf.Context) -> tuple[int, int, int]:
        start, step = await ctx.get_input(self.start), await ctx.get_input(self.step)
        return start, step, max(0, await ctx.get_input(self.times))


class ForStep(_Counting, id="flow.for_step", durable="replayed"):
    """Triggers `body` for each index from `start` up to, not including, `end`, in steps of `step`; then `done`.

    A negative step counts down. A step of 0 is an error; one that leads away from the end goes straight on. All three
    are read once, before the first round.

    >>> fire("flow.for_step", start=6, end=0, step=-3)
    [('body', {'index': 6}), ('body', {'index': 3}), ('done', {})]
    """

    start = tf.DataIn(int, default=0, doc="the first index")
    end = tf.DataIn(int, doc="where it stops; this index itself is left out")
    step = tf.DataIn(int, default=1, doc="what is added to the index after each round")

    async def _rounds(self, ctx: tf.Context) -> tuple[int, int, int]:
        start, end, step = [await ctx.get_input(each) for each in (self.start, self.end, self.step)]
        if step == 0:
            raise ValueError(
                f"flow.for_step: a step of 0 never leads from {expect.short(start)} to {expect.short(end)}."
            )
        return start, step, max(0, (end - start + step - (1 if step > 0 else -1)) // step)


class ForReverse(_Counting, id="flow.for_reverse", durable="replayed"):
    """Triggers `body` for each index below `end`, the greatest first, down to and with `start`; then `done`.

    The indices of a loop from `start` to `end`, in the opposite order; none if `end` is not greater. Both are read
    once, before the first round.

    >>> fire("flow.for_reverse", end=2)
    [('body', {'index': 1}), ('body', {'index': 0}), ('done', {})]
    """

    start = tf.DataIn(int, default=0, doc="the last index")
    end = tf.DataIn(int, doc="the first index is one less than this")

    async def _rounds(self, ctx: tf.Context) -> tuple[int, int, int]:
        start, end = await ctx.get_input(self.start), await ctx.get_input(self.end)
        return end - 1, -1, max(0, end - start)


class Repeat(tf.Node, id="flow.repeat", durable="replayed"):
    """Triggers `body` a number of times, then goes on at `done`. 0 or less goes straight on.

    >>> fire("flow.repeat", times=2)
    [('body', {'round': 1}), ('body', {'round': 2}), ('done', {})]
    """

    enter = tf.ExecIn()
    times = tf.DataIn(int, doc="number of rounds, read once")
    round = tf.DataOut(int, doc="the number of this round, from 1")
    body = tf.ExecOut(doc="one round")
    done = tf.ExecOut(doc="after the last round")

    async def execute(self, ctx: tf.Context) -> tf.ExecOut:
        if ctx.is_kept:
            return await self._repeat_kept(ctx)
        with Loop(ctx) as loop:
            for round_ in range(1, await ctx.get_input(self.times) + 1):
                with loop.round:
                    await ctx.trigger(self.body, {self.round: round_})
        return self.done

    async def _repeat_kept(self, ctx: tf.Context) -> tf.ExecOut:
        """The same in a run that is kept, which can be begun again at each round."""
        first, times = ctx.resumed(None) or (1, await ctx.get_input(self.times))
        with Loop(ctx) as loop:
            for round_ in range(first, times + 1):
                with loop.round:
                    await ctx.trigger_at((round_, times), self.body, {self.round: round_})
        return self.done


async def _emit_kept(
    ctx: tf.Context,
    limit: tf.DataIn[int],
    rows: Callable[[tf.Context], Awaitable[list[tuple[Any, ...]]]],
    item: tf.DataOut[Any],
    index: tf.DataOut[int],
    *others: tf.DataOut[Any],
) -> None:
    """Emit rows in a run that is kept, which can be begun again at each: of each row an item, and what others get."""
    first, made = ctx.resumed((0, None))
    if made is None:
        ctx.configure_stream(item, limit=await ctx.get_input(limit))
        made = await rows(ctx)
    with Loop(ctx) as loop:
        for place in range(first, len(made)):
            value, *further = made[place]
            with loop.round:
                await ctx.emit_at((place, made), item, value, {**dict(zip(others, further, strict=True)), index: place})


class ForEach(tf.Node, id="flow.for_each", durable="replayed"):
    """Sends each item of a list down `body`, then goes on at `done`.

    A stream: one item after the other, or concurrently if the node's settings in the graph say so
    (`"stream": {"mode": "concurrent", "limit": 8}`); then no item can end the loop with `flow.break`.

    >>> fire("flow.for_each", items=["a", "b"])
    [('body', {'item': 'a', 'index': 0}), ('body', {'item': 'b', 'index': 1}), ('done', {})]
    """

    enter = tf.ExecIn()
    items = tf.DataIn(list, doc="read once, before the first item")
    limit = tf.DataIn(int, default=0, doc="concurrent items in flight, 0 for any number; the settings' limit wins")
    item = tf.DataOut(object, doc="the item")
    index = tf.DataOut(int, doc="its place, from 0")
    body = tf.ExecOut(doc="one item")
    done = tf.ExecOut(doc="after the last item")
    each = tf.Stream(item, index, fires=body, done=done)

    async def execute(self, ctx: tf.Context) -> None:
        if ctx.is_kept:
            await _emit_kept(ctx, self.limit, self._rows, self.item, self.index)
            return
        ctx.configure_stream(self.item, limit=await ctx.get_input(self.limit))
        with Loop(ctx) as loop:
            for index, item in enumerate(await ctx.get_input(self.items)):
                with loop.round:
                    await ctx.emit(self.item, item, {self.index: index})

    async def _rows(self, ctx: tf.Context) -> list[tuple[Any, ...]]:
        return [(item,) for item in await ctx.get_input(self.items)]


class ForEachEntry(tf.Node, id="flow.for_each_dict", durable="replayed"):
    """Sends each key of a dict with its value down `body`, in the order of the dict; then goes on at `done`.

    A stream, as `flow.for_each` is.

    >>> fire("flow.for_each_dict", items={"a": 1})
    [('body', {'key': 'a', 'value': 1, 'index': 0}), ('done', {})]
    """

    enter = tf.ExecIn()
    items = tf.DataIn(dict, doc="read once, before the first item")
    limit = tf.DataIn(int, default=0, doc="concurrent items in flight, 0 for any number; the settings' limit wins")
    key = tf.DataOut(object, doc="the key")
    value = tf.DataOut(object, doc="what is under it")
    index = tf.DataOut(int, doc="its place, from 0")
    body = tf.ExecOut(doc="one item")
    done = tf.ExecOut(doc="after the last item")
    each = tf.Stream(key, value, index, fires=body, done=done)

    async def execute(self, ctx: tf.Context) -> None:
        if ctx.is_kept:
            await _emit_kept(ctx, self.limit, self._rows, self.key, self.index, self.value)
            return
        ctx.configure_stream(self.key, limit=await ctx.get_input(self.limit))
        entries: dict[Any, Any] = await ctx.get_input(self.items)
        with Loop(ctx) as loop:
            # The body may hold the same dict; what it does to it must not end the loop with an error.
            for index, (key, value) in enumerate(list(entries.items())):
                with loop.round:
                    await ctx.emit(self.key, key, {self.value: value, self.index: index})

    async def _rows(self, ctx: tf.Context) -> list[tuple[Any, ...]]:
        entries: dict[Any, Any] = await ctx.get_input(self.items)
        return [*entries.items()]


class ForEachBatch(tf.Node, id="flow.for_each_batch", durable="replayed"):
    """Sends the items of a list down `body` in lists of `size`, the last one perhaps shorter; then goes on at `done`.

    A size of 0 or less is an error. A stream, as `flow.for_each` is.

    >>> fire("flow.for_each_batch", items=[1, 2, 3], size=2)
    [('body', {'batch': [1, 2], 'index': 0}), ('body', {'batch': [3], 'index': 1}), ('done', {})]
    """

    enter = tf.ExecIn()
    items = tf.DataIn(list, doc="read once, before the first batch")
    size = tf.DataIn(int, doc="how many items at once")
    limit = tf.DataIn(int, default=0, doc="concurrent batches in flight, 0 for any number; the settings' limit wins")
    batch = tf.DataOut(list, doc="some items")
    index = tf.DataOut(int, doc="the number of the batch, from 0")
    body = tf.ExecOut(doc="one batch")
    done = tf.ExecOut(doc="after the last batch")
    each = tf.Stream(batch, index, fires=body, done=done)

    async def execute(self, ctx: tf.Context) -> None:
        if ctx.is_kept:
            await _emit_kept(ctx, self.limit, self._rows, self.batch, self.index)
            return
        ctx.configure_stream(self.batch, limit=await ctx.get_input(self.limit))
        items, size = await self._inputs(ctx)
        with Loop(ctx) as loop:
            for index, start in enumerate(range(0, len(items), size)):
                with loop.round:
                    await ctx.emit(self.batch, items[start : start + size], {self.index: index})

    async def _inputs(self, ctx: tf.Context) -> tuple[list[Any], int]:
        items, size = await ctx.get_input(self.items), await ctx.get_input(self.size)
        if size < 1:
            raise ValueError(f"flow.for_each_batch needs a size of 1 or more, got {expect.short(size)}.")
        return items, size

    async def _rows(self, ctx: tf.Context) -> list[tuple[Any, ...]]:
        items, size = await self._inputs(ctx)
        return [(items[start : start + size],) for start in range(0, len(items), size)]


class ForEachPair(tf.Node, id="flow.for_each_pair", durable="replayed"):
    """Sends the items of two lists down `body` in pairs, then goes on at `done`.

    Lists of different length are an error. A stream, as `flow.for_each` is.

    >>> fire("flow.for_each_pair", a=[1, 2], b=["x", "y"])
    [('body', {'first': 1, 'second': 'x', 'index': 0}), ('body', {'first': 2, 'second': 'y', 'index': 1}), ('done', {})]
    """

    enter = tf.ExecIn()
    a = tf.DataIn(list, doc="read once, before the first pair")
    b = tf.DataIn(list, doc="read once, before the first pair")
    limit = tf.DataIn(int, default=0, doc="concurrent pairs in flight, 0 for any number; the settings' limit wins")
    first = tf.DataOut(object, doc="the item of a")
    second = tf.DataOut(object, doc="the item of b at the same place")
    index = tf.DataOut(int, doc="their place, from 0")
    body = tf.ExecOut(doc="one pair")
    done = tf.ExecOut(doc="after the last pair")
    each = tf.Stream(first, second, index, fires=body, done=done)

    async def execute(self, ctx: tf.Context) -> None:
        if ctx.is_kept:
            await _emit_kept(ctx, self.limit, self._rows, self.first, self.index, self.second)
            return
        ctx.configure_stream(self.first, limit=await ctx.get_input(self.limit))
        with Loop(ctx) as loop:
            for index, (first, second) in enumerate(await self._rows(ctx)):
                with loop.round:
                    await ctx.emit(self.first, first, {self.second: second, self.index: index})

    async def _rows(self, ctx: tf.Context) -> list[tuple[Any, ...]]:
        a, b = await ctx.get_input(self.a), await ctx.get_input(self.b)
        if len(a) != len(b):
            raise ValueError(f"flow.for_each_pair: a has {len(a)} items and b has {len(b)}; they must be as many.")
        return [*zip(a, b, strict=True)]


class While(tf.Node, id="flow.while", durable="replayed"):
    """Triggers `body` as long as the condition holds, which is asked afresh before each round; then `done`.

    With `most` it goes on at `done` after so many rounds, too; the condition is not asked once more then. Raises
    `ValueError` for a negative number.

    >>> fire("flow.while", condition=True, most=2)
    [('body', {}), ('body', {}), ('done', {})]
    """

    enter = tf.ExecIn()
    condition = tf.DataIn(bool, lazy=True, doc="asked before each round")
    most = tf.DataIn(int, default=0, doc="rounds at most, read once; 0 for any number")
    body = tf.ExecOut(doc="one round")
    done = tf.ExecOut(doc="when the condition no longer holds, or after the most rounds")

    async def execute(self, ctx: tf.Context) -> tf.ExecOut:
        most = await ctx.get_input(self.most)
        if most or ctx.is_kept:
            return await self._count(ctx, most)
        with Loop(ctx) as loop:
            while await ctx.get_input(self.condition):
                with loop.round:
                    await ctx.trigger(self.body)
        return self.done

    async def _count(self, ctx: tf.Context, most: int) -> tf.ExecOut:
        """The same with rounds that are counted: they may end, or be begun again where the run is kept."""
        if most < 0:
            raise ValueError(f"flow.while needs 0 or more for `most`, got {most}.")
        round_ = int(ctx.resumed(0))
        goes_on = round_ > 0
        with Loop(ctx) as loop:
            while goes_on or ((not most or round_ < most) and await ctx.get_input(self.condition)):
                round_ += not goes_on
                goes_on = False
                with loop.round:
                    if ctx.is_kept:
                        await ctx.trigger_at(round_, self.body)
                    else:
                        await ctx.trigger(self.body)
        return self.done


class _AtLeastOnce(tf.Node, abstract=True):
    """Triggers `body`, and then asks whether once more."""

    again_if: ClassVar[bool]
    """The condition that asks for another round."""

    enter = tf.ExecIn()
    condition = tf.DataIn(bool, lazy=True, doc="asked after each round, also one that `flow.continue` ended")
    body = tf.ExecOut(doc="one round")
    done: tf.ExecOut

    async def execute(self, ctx: tf.Context) -> tf.ExecOut:
        trigger, _ = _trigger(ctx), ctx.resumed(default=False)  # which goes on in a round, as all begins with one
        with Loop(ctx) as loop:
            while True:
                with loop.round:
                    await trigger(self.body)
                if (await ctx.get_input(self.condition)) is not self.again_if:
                    break
        return self.done


class DoWhile(_AtLeastOnce, id="flow.do_while", durable="replayed"):
    """Triggers `body` at least once, and again as long as the condition holds, asked afresh after each round; `done`.

    >>> fire("flow.do_while", condition=False)
    [('body', {}), ('done', {})]
    """

    again_if = True
    done = tf.ExecOut(doc="when the condition no longer holds")


class RepeatUntil(_AtLeastOnce, id="flow.repeat_until", durable="replayed"):
    """Triggers `body` at least once, until the condition holds, which is asked afresh after each round; then `done`.

    >>> fire("flow.repeat_until", condition=True)
    [('body', {}), ('done', {})]
    """

    again_if = False
    done = tf.ExecOut(doc="when the condition holds")


class Forever(tf.Node, id="flow.forever", durable="replayed"):
    """Triggers `body` again and again, until `flow.break`, a failure or cancellation ends it; after a break `done`.

    >>> fire("flow.forever", body="flow.break")
    [('body', {'round': 1}), ('done', {})]
    """

    enter = tf.ExecIn()
    round = tf.DataOut(int, doc="the number of this round, from 1")
    body = tf.ExecOut(doc="one round", must_handle=True)
    done = tf.ExecOut(doc="after `flow.break`")

    async def execute(self, ctx: tf.Context) -> tf.ExecOut:
        if ctx.is_kept:
            return await self._go_round_kept(ctx)
        with Loop(ctx) as loop:
            for round_ in itertools.count(1):
                with loop.round:
                    await ctx.trigger(self.body, {self.round: round_})
        return self.done

    async def _go_round_kept(self, ctx: tf.Context) -> tf.ExecOut:
        """The same in a run that is kept, which can be begun again at each round."""
        with Loop(ctx) as loop:
            for round_ in itertools.count(ctx.resumed(1)):
                with loop.round:
                    await ctx.trigger_at(round_, self.body, {self.round: round_})
        return self.done


class Every(tf.Node, id="flow.every", durable="source"):
    """Sends a tick down `body` at once and then every so many seconds, `times` times or, with 0, for ever; then `done`.

    The times are those of a clock, not of the body: a body that takes a while delays nothing. A tick whose time has
    passed while the body still ran is left out, and counted in `missed`. Seconds of 0 or less are an error.

    A stream without an end: in concurrent mode the data of each tick's strand is dropped when its chain ends.
    Cancelled at once, also while it waits.

    >>> fire("flow.every", seconds=60, times=2)
    [('body', {'tick': 1, 'missed': 0}), ('body', {'tick': 2, 'missed': 0}), ('done', {})]
    """

    enter = tf.ExecIn()
    seconds = tf.DataIn(float, doc="from one tick to the next, on trio's clock")
    times = tf.DataIn(int, default=0, doc="number of ticks, 0 for no end")
    tick = tf.DataOut(int, doc="the number of this tick, from 1")
    missed = tf.DataOut(int, doc="how many ticks were left out so far")
    body = tf.ExecOut(doc="one tick")
    done = tf.ExecOut(doc="after the last tick")
    ticks = tf.Stream(tick, missed, fires=body, done=done, discard=True)

    async def execute(self, ctx: tf.Context) -> None:
        seconds, times = await ctx.get_input(self.seconds), await ctx.get_input(self.times)
        if not 0 < seconds < float("inf"):
            raise ValueError(f"flow.every needs more than 0 seconds, got {expect.short(seconds)}.")
        with Loop(ctx) as loop:
            await loop.emit_again(ctx)
            first, missed = ctx.resumed((1, 0))
            started, due = trio.current_time(), 0
            for tick in itertools.count(first):
                ctx.mark((tick + 1, missed))
                with loop.round:
                    await ctx.emit(self.tick, tick, {self.missed: missed})
                if tick == times:
                    break
                passed = int((trio.current_time() - started) / seconds)
                missed += max(0, passed - due)
                due = max(due, passed) + 1
                await trio.sleep_until(started + due * seconds)
