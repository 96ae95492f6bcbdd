"""Concurrent strands and streams: F1-F8, S1-S6."""

from __future__ import annotations

import contextlib
import contextvars
import functools
import gc
import math
import time
import weakref

import pytest
import trio
import trio.testing
from support import Add, Fail, Items, Note, Wait, chain

import trioflow as tf
from trioflow import StreamSettings
from trioflow.runtime.base.failure import leaves
from trioflow.runtime.strands.forks import StrandFork
from trioflow.semantics.merge import merge_variable
from trioflow.testing import EventLog, ShuffledSchedule


def items_into(*body_nodes, count=3, settings=None, done=None, variables=()):
    """start -> items, each item through the given nodes."""
    with tf.build() as g:
        for variable in variables:
            g.variable(**variable)
        start, items = g.add(tf.nodes.Start), g.add(Items, "items", count=count)
        g.connect(start.then, items.enter)
        nodes = [
            g.add(node_type, f"body{place}", **{k: items.item if v is ... else v for k, v in inputs.items()})
            for place, (node_type, inputs) in enumerate(body_nodes)
        ]
        if nodes:
            g.connect(items.body, nodes[0].enter)
            chain(g, *nodes)
        if done:
            after = g.add(done, "after", value="done")
            g.connect(items.done, after.enter)
        if settings:
            g.configure(items, **settings)
    return g.graph


def test_each_item_reads_its_own(bench):
    """Items are bound to their emit: a later emit never changes what an earlier item's chain reads (S2, F1)."""
    bench.run(items_into((Wait, {"seconds": 1.0}), (Note, {"value": ...})))
    assert sorted(note for note in bench.notes if isinstance(note, int)) == [0, 1, 2]


@pytest.mark.parametrize("limit", [1, 2, 3, 7, None])
def test_limit_is_back_pressure(bench, limit):
    """At the limit emit waits; results do not depend on the limit, only time does (S3)."""
    graph = items_into(
        (Add, {"by": ..., "after": 1.0}),
        count=6,
        settings={"limit": limit},
        variables=[{"name": "total", "type": "int", "default": 0, "merge": "sum"}],
    )
    result = bench.run(graph)
    assert result.variables == {"total": 15}
    assert result.statistics.elapsed == -(-6 // (limit or 6))
    assert bench.log.rows("joined") == [("joined", "items", f"0.1.{i}") for i in range(6)]  # F3: in order


def test_the_run_overrides_the_graph(bench):
    """The mode is set per node, and the run's settings come first (S2)."""
    graph = items_into((Wait, {}), (Note, {"value": ...}), settings={"mode": "concurrent", "limit": 2})
    sequential = tf.RunOptions(streams={"items": StreamSettings(mode="sequential")})
    result = bench.run(graph, options=sequential)
    assert (result.statistics.elapsed, result.statistics.forks) == (3.0, 0)
    result = bench.run(graph, options=tf.RunOptions(streams={"items": StreamSettings(limit=0)}))
    assert (result.statistics.elapsed, result.statistics.forks) == (1.0, 3)


def test_modes_leave_the_same_behind(bench):
    """For bodies that do not read each other's writes, both modes leave the same store and the same paths (F3, T8)."""

    class Writes(tf.Node, id="writes"):
        enter = tf.ExecIn()
        value = tf.DataIn(int)
        out = tf.DataOut(object)

        async def execute(self, ctx: tf.Context) -> None:
            value = await ctx.get_input(self.value)
            if value != 2:
                ctx.set_output(self.out, (value, ctx.random.random()))
            ctx.state[f"seen {value % 2}"] = value

    class Reads(tf.Node, id="reads state"):
        enter = tf.ExecIn()
        value = tf.DataIn(object)

        async def execute(self, ctx: tf.Context) -> None:
            ctx.services.get("notes").append(await ctx.get_input(self.value))

    with tf.build() as g:
        start, items = g.add(tf.nodes.Start), g.add(Items, "items")
        writes = g.add(Writes, value=items.item)
        reads = g.add(Reads, value=writes.out)
        g.connect(start.then, items.enter)
        g.connect(items.body, writes.enter)
        g.connect(items.done, reads.enter)
    seen = []
    for mode in ("sequential", "concurrent"):
        result = bench.run(g.graph, options=tf.RunOptions(streams={"items": StreamSettings(mode=mode)}))
        seen.append((result.outputs, list(bench.notes), bench.log.trace().activations))
    assert seen[0] == seen[1]
    assert seen[0][1][0][0] == 1  # the last item that wrote


def test_owner_writes_after_the_fork_win(bench):
    """What the owner, or a later fork, wrote after the fork wins (F3)."""

    class Owner(tf.Node, id="owner", initiator=True):
        out = tf.DataOut(str)
        branch = tf.ExecOut()

        async def execute(self, ctx: tf.Context) -> None:
            ctx.set_variable("before", "owner")
            async with ctx.branches() as branches:
                branches.start(self.branch)
                ctx.set_variable("after", "owner")

    class Writer(tf.Node, id="writer"):
        enter = tf.ExecIn()

        async def execute(self, ctx: tf.Context) -> None:
            ctx.services.get("notes").append((ctx.get_variable("before"), ctx.get_variable("after")))
            ctx.set_variable("before", "fork")
            ctx.set_variable("after", "fork")

    with tf.build() as g:
        g.variable("before", "str", "")
        g.variable("after", "str", "")
        owner, writer = g.add(Owner), g.add(Writer)
        g.connect(owner.branch, writer.enter)
    result = bench.run(g.graph)
    assert result.variables == {"before": "fork", "after": "owner"}
    assert bench.notes == [("owner", "")]  # F1: neither sees the other's later writes
    assert [(e.variable, e.kept, e.lost) for e in bench.log if isinstance(e, tf.events.MergeConflict)] == [
        ("after", "owner", "fork")
    ]


@pytest.mark.parametrize(
    ("policy", "default", "expected", "conflicts"),
    [
        ("last", 0, 3, 2),
        ("first", 0, 1, 0),
        ("sum", 10, 16, 0),
        ("min", 100, 1, 0),
        ("max", -1, 3, 0),
    ],
)
def test_merge_policies(bench, policy, default, expected, conflicts):
    """Variables written by more than one side are merged by their policy (F4)."""

    class Set(tf.Node, id="set"):
        enter = tf.ExecIn()
        by = tf.DataIn(int)

        async def execute(self, ctx: tf.Context) -> None:
            number = await ctx.get_input(self.by) + 1
            old = ctx.get_variable("v") if policy == "sum" else 0
            ctx.set_variable("v", old + number)

    graph = items_into(
        (Set, {"by": ...}), variables=[{"name": "v", "type": "int", "default": default, "merge": policy}]
    )
    for seed in range(5):
        result = bench.run(graph, middleware=[ShuffledSchedule(seed)])
        assert result.variables == {"v": expected}
        assert len(bench.log.rows("MergeConflict")) == conflicts


def test_append_keeps_the_order_of_the_forks(bench):
    """Appending in concurrent items leaves what sequential items leave, whoever ends first (F3, F4)."""

    class Append(tf.Node, id="append"):
        enter = tf.ExecIn()
        value = tf.DataIn(int)

        async def execute(self, ctx: tf.Context) -> None:
            value = await ctx.get_input(self.value)
            await trio.sleep(10 - value)
            ctx.set_variable("v", [*ctx.get_variable("v"), value])

    graph = items_into(
        (Append, {"value": ...}), variables=[{"name": "v", "type": "list", "default": [], "merge": "append"}]
    )
    assert bench.run(graph).variables == {"v": [0, 1, 2]}


def test_error_policy(bench):
    """The policy `error` refuses, and names variable and values (F4)."""
    graph = items_into(
        (tf.nodes.SetVariable, {"name": "v", "value": ...}),
        variables=[{"name": "v", "type": "int", "default": 0, "merge": "error"}],
    )
    assert str(bench.fails(tf.MergeError, graph)) == (
        "Variable 'v' was written by more than one concurrent strand (0 and 1), and its merge policy is 'error'. Write it "
        "in one strand only, or give it a policy such as 'last', 'sum' or 'append'."
    )


def test_registered_policy(bench):
    """A policy registered by name gets base, mine and theirs (F4)."""
    registry = tf.Registry.standard(plugins=False)
    registry.add_merge("triples", lambda base, mine, theirs: f"({base},{mine},{theirs})")
    graph = items_into(
        (tf.nodes.SetVariable, {"name": "v", "value": "x"}),
        count=2,
        variables=[{"name": "v", "type": "str", "default": "b", "merge": "triples"}],
    )
    assert bench.run(graph, registry=registry).variables == {"v": "(b,x,x)"}


def test_failing_item_cancels_the_others(bench):
    """An item that fails cancels the other items and the owner's body, and arrives as itself (F2, S4, R4)."""

    class FailSecond(tf.Node, id="fail second"):
        enter = tf.ExecIn()
        value = tf.DataIn(int)

        async def execute(self, ctx: tf.Context) -> None:
            value = await ctx.get_input(self.value)
            if value == 1:
                await trio.sleep(1)
                raise ValueError("item 1")
            await trio.sleep(5)

    graph = items_into((FailSecond, {"value": ...}), done=Note)
    error = bench.fails(ValueError, graph)
    assert (str(error), error.__notes__) == (
        "item 1",
        ["in node 'body0' (fail second), activation 0.1.1.0", "with value = 1"],
    )
    assert bench.notes == []  # S5: the done socket does not fire if the stream failed
    assert sorted(bench.log.rows("failed", "cancelled")) == [
        ("cancelled", "body0", "0.1.0.0"),
        ("cancelled", "body0", "0.1.2.0"),
        ("failed", "body0", "0.1.1.0"),
        ("failed", "items", "0.1"),
    ]
    origins = {e.node: str(e.origin) for e in bench.log if isinstance(e, tf.events.NodeFailed)}
    assert origins == {"body0": "0.1.1.0", "items": "0.1.1.0"}  # E2


@pytest.mark.parametrize("mode", ["sequential", "concurrent"])
def test_collecting_stream(bench, mode):
    """A collecting stream lets the others go on, and its failures can be read afterwards, in order (S4)."""

    class Collects(tf.Node, id="collects", initiator=True):
        item = tf.DataOut(int)
        body = tf.ExecOut()
        done = tf.ExecOut()
        stream = tf.Stream(item, fires=body, done=done, mode=mode, on_error="collect")

        async def execute(self, ctx: tf.Context) -> None:
            for number in range(4):
                await ctx.emit(self.item, number)
            await ctx.join()
            ctx.services.get("notes").append([str(error) for error in ctx.failures()])

    class FailOdd(tf.Node, id="fail odd"):
        enter = tf.ExecIn()
        value = tf.DataIn(int)

        async def execute(self, ctx: tf.Context) -> None:
            value = await ctx.get_input(self.value)
            await trio.sleep(5 - value)
            if value % 2:
                raise ValueError(f"item {value}")

    with tf.build() as g:
        collects = g.add(Collects)
        body, done = g.add(FailOdd, value=collects.item), g.add(Note, value="done")
        g.connect(collects.body, body.enter)
        g.connect(collects.done, done.enter)
    bench.run(g.graph)
    assert bench.notes == [["item 1", "item 3"], "done"]
    assert len(bench.log.rows("failed")) == 2


@pytest.mark.parametrize("count", [0, 1, 3])
def test_done_fires_once(bench, count):
    """The done socket fires once, after every item's chain ended, also for zero items (S5)."""
    result = bench.run(items_into((Wait, {"seconds": 2.0}), count=count, done=Note))
    assert bench.notes[-1] == "done"
    assert bench.notes.count("done") == 1
    assert result.statistics.elapsed == (2.0 if count else 0.0)


def test_body_may_fire_done_itself(bench):
    """A body that triggers its done socket joins first, and it does not fire again (S5, F5)."""

    class Own(tf.Node, id="own done", initiator=True):
        item = tf.DataOut(int)
        body = tf.ExecOut()
        done = tf.ExecOut()
        stream = tf.Stream(item, fires=body, done=done, mode="concurrent")

        async def execute(self, ctx: tf.Context) -> None:
            await ctx.emit(self.item, 1)
            await ctx.trigger(self.done)
            ctx.services.get("notes").append("after")

    with tf.build() as g:
        own, wait, done = g.add(Own), g.add(Wait, "w"), g.add(Note, value="done")
        g.connect(own.body, wait.enter)
        g.connect(own.done, done.enter)
    bench.run(g.graph)
    assert bench.notes == ["end of w", "done", "after"]


def test_join_in_the_middle(bench):
    """join waits for the items so far and merges them, so that the body sees what they wrote (F5)."""

    class Joins(tf.Node, id="joins", initiator=True):
        item = tf.DataOut(int)
        body = tf.ExecOut()
        stream = tf.Stream(item, fires=body, mode="concurrent")

        async def execute(self, ctx: tf.Context) -> None:
            notes = ctx.services.get("notes")
            for number in (1, 2):
                await ctx.emit(self.item, number)
                await trio.sleep(1)
                notes.append(ctx.get_variable("total"))
                await ctx.join()
                notes.append(ctx.get_variable("total"))

    with tf.build() as g:
        g.variable("total", "int", 0, merge="sum")
        joins = g.add(Joins)
        add = g.add(Add, by=joins.item)
        g.connect(joins.body, add.enter)
    bench.run(g.graph)
    assert bench.notes == [0, 1, 1, 3]


def test_forks_of_branches_and_stream_merge_in_order_of_making(bench):
    """A branch made after an item counts as later, also if the item is joined first (F3)."""

    class Mixed(tf.Node, id="mixed", initiator=True):
        item = tf.DataOut(int)
        body = tf.ExecOut()
        branch = tf.ExecOut()
        stream = tf.Stream(item, fires=body, mode="concurrent")

        async def execute(self, ctx: tf.Context) -> None:
            async with ctx.branches() as branches:
                await ctx.emit(self.item, 1)
                branches.start(self.branch)
                await ctx.join()

    class Out(tf.Node, id="out"):
        enter = tf.ExecIn()
        value = tf.DataIn(str)
        after = tf.DataIn(float)
        out = tf.DataOut(str)

        async def execute(self, ctx: tf.Context) -> None:
            await trio.sleep(await ctx.get_input(self.after))
            ctx.set_output(self.out, await ctx.get_input(self.value))
            ctx.set_variable("v", await ctx.get_input(self.value))

    with tf.build() as g:
        g.variable("v", "str", "")
        mixed = g.add(Mixed)
        item, branch = g.add(Out, "x", value="item", after=2.0), g.add(Out, "y", value="branch", after=1.0)
        g.connect(mixed.body, item.enter)
        g.connect(mixed.branch, branch.enter)
    assert bench.run(g.graph).variables == {"v": "branch"}


def test_discarding_stream(bench):
    """The items of a discarding stream leave nothing behind (S6)."""

    class Ticks(tf.Node, id="ticks", initiator=True):
        item = tf.DataOut(int)
        body = tf.ExecOut()
        stream = tf.Stream(item, fires=body, mode="concurrent", discard=True)

        async def execute(self, ctx: tf.Context) -> None:
            for number in range(3):
                await ctx.emit(self.item, number)

    with tf.build() as g:
        g.variable("total", "int", 0, merge="sum")
        ticks = g.add(Ticks)
        add, note = g.add(Add, by=1), g.add(Note, value="ran")
        g.connect(ticks.body, add.enter)
        chain(g, add, note)
    assert bench.run(g.graph).variables == {"total": 0}
    assert (bench.notes, bench.log.rows("joined")) == (["ran"] * 3, [])


def test_parallel_and_race(bench):
    """Branches run at the same time; in a race the first one wins and the others leave nothing behind (F2, R5)."""
    with tf.build() as g:
        g.variable("total", "int", 0, merge="sum")
        start, parallel, race = g.add(tf.nodes.Start), g.add(tf.nodes.Parallel), g.add(tf.nodes.Race, "race")
        g.connect(start.then, parallel.enter)
        for branch, seconds in ((parallel.a, 1.0), (parallel.c, 3.0)):
            add = g.add(Add, by=1, after=seconds)
            g.connect(branch, add.enter)
        g.connect(parallel.done, race.enter)
        for branch, seconds in ((race.a, 7.0), (race.b, 2.0)):
            add = g.add(Add, by=10, after=seconds)
            g.connect(branch, add.enter)
    result = bench.run(g.graph)
    assert result.variables == {"total": 12}
    assert (result.statistics.elapsed, result.output("race", "winner")) == (5.0, "b")


def test_several_failures_in_order(bench):
    """Several failures at once form a group, in the order of their forks (R4)."""
    with tf.build() as g:
        start, parallel = g.add(tf.nodes.Start), g.add(tf.nodes.Parallel)
        g.connect(start.then, parallel.enter)

        class Both(tf.Node, id="both fail"):
            enter = tf.ExecIn()
            name = tf.DataIn(str)

            async def execute(self, ctx: tf.Context) -> None:
                try:
                    await trio.sleep(1)
                finally:
                    raise ValueError(await self.text(ctx))

            async def text(self, ctx):
                with trio.CancelScope(shield=True):
                    return await ctx.get_input(self.name)

        for branch, name in ((parallel.a, "first"), (parallel.b, "second"), (parallel.c, "third")):
            g.connect(branch, g.add(Both, name=name).enter)
    for seed in range(5):
        group = bench.fails(ExceptionGroup, g.graph, middleware=[ShuffledSchedule(seed)])
        assert [str(error) for error in group.exceptions] == ["first", "second", "third"]


def test_nesting_limit(bench):
    """Strands inside strands end with DepthExceeded, never with a crash of trio (F8)."""

    class Again(tf.Node, id="again"):
        enter = tf.ExecIn()
        branch = tf.ExecOut()

        async def execute(self, ctx: tf.Context) -> None:
            async with ctx.branches() as branches:
                branches.start(self.branch)

    with tf.build() as g:
        start, again = g.add(tf.nodes.Start), g.add(Again, "again")
        g.connect(start.then, again.enter)
        g.connect(again.branch, again.enter)
    for limit in (1, 2, 128, 256):
        error = bench.fails(tf.DepthExceeded, g.graph, options=tf.RunOptions(max_nesting=limit))
        assert str(error).startswith(f"Concurrent strands nest deeper than {limit} at node 'again' (activation 0.")
        assert (error.limit, error.value) == ("nesting", limit)
        (told,) = (event for event in bench.log.events if isinstance(event, tf.events.LimitReached))
        assert (told.limit, told.value, told.node, told.path.depth) == ("nesting", limit, "again", 2 * limit + 2)
    error = bench.fails(tf.DepthExceeded, g.graph, options=tf.RunOptions(max_nesting=1))
    assert str(error) == (
        "Concurrent strands nest deeper than 1 at node 'again' (activation 0.1.0.0). A fork inside a fork that comes back "
        "to the same node never ends; if it does, raise RunOptions(max_nesting=...), up to 256."
    )
    with pytest.raises(ValueError, match="max_nesting must be from 1 to 256, got 257"):
        tf.RunOptions(max_nesting=257)


@pytest.mark.slow
@pytest.mark.parametrize("from_task", [True, False])
def test_nurseries_of_bodies_are_counted(bench, from_task):
    """Bodies that open nurseries of their own around a trigger can't crash trio either (F8)."""

    class Opens(tf.Node, id="opens"):
        enter = tf.ExecIn()
        body = tf.ExecOut()

        async def execute(self, ctx: tf.Context) -> None:
            async with trio.open_nursery() as nursery:
                if from_task:
                    nursery.start_soon(ctx.trigger, self.body)
                else:
                    await ctx.trigger(self.body)

    with tf.build() as g:
        start, opens = g.add(tf.nodes.Start), g.add(Opens, "opens")
        g.connect(start.then, opens.enter)
        g.connect(opens.body, opens.enter)
    group = bench.fails(BaseException, g.graph)
    while isinstance(group, BaseExceptionGroup):
        group = group.exceptions[0]
    assert isinstance(group, tf.DepthExceeded)
    assert str(group).startswith("More than 256 nurseries are open inside each other at node 'opens'")
    assert (group.limit, group.value) == ("nesting", 256)
    told = next(event for event in bench.log.events if isinstance(event, tf.events.LimitReached))
    assert (told.limit, told.value, told.node) == ("nesting", 256, "opens")
    assert told.path.depth > 100


def test_state_forks_and_merges(bench):
    """Node state belongs to the strand: it forks, merges by name, and outlives activations (F6)."""

    class Counts(tf.Node, id="counts"):
        enter = tf.ExecIn()
        name = tf.DataIn(object)

        async def execute(self, ctx: tf.Context) -> None:
            name = str(await ctx.get_input(self.name))
            ctx.services.get("notes").append(dict(ctx.state))
            ctx.state[name] = len(ctx.state)
            if name == "drop":
                del ctx.state["0"]

    with tf.build() as g:
        start, items, after = g.add(tf.nodes.Start), g.add(Items, count=2), g.add(tf.nodes.Sequence)
        counts = g.add(Counts, name=items.item)
        g.connect(start.then, items.enter)
        g.connect(items.body, counts.enter)
        g.connect(items.done, after.enter)
        g.connect(after.first, counts.enter)
        g.connect(after.second, counts.enter)
    bench.run(g.graph)
    assert bench.notes == [{}, {}, {"0": 0, "1": 0}, {"0": 0, "1": 2}]


def test_fork_cost_does_not_grow(bench):
    """The thousandth fork copies no more than the first (F7)."""
    from trioflow.semantics.store import empty_store

    store = empty_store(10, (), {}, iter(range(10_000_000)).__next__)
    sizes = []
    for _ in range(1000):
        child = store.fork()
        child.write(0, 1)
        sizes.append(len(child.cells) + len(child.written))
    assert set(sizes) == {11}


def test_stream_settings_by_the_body(bench):
    """configure_stream sets the limit before the first emit, unless graph or run say otherwise (S2, S3)."""

    class Sets(tf.Node, id="sets", initiator=True):
        item = tf.DataOut(int)
        body = tf.ExecOut()
        stream = tf.Stream(item, fires=body, mode="concurrent")

        async def execute(self, ctx: tf.Context) -> None:
            ctx.configure_stream(self.item, limit=1)
            for number in range(3):
                await ctx.emit(self.item, number)
            with pytest.raises(tf.NodeError, match="comes too late, after the first emit"):
                ctx.configure_stream(self.item, limit=2)

    with tf.build() as g:
        sets, wait = g.add(Sets, "sets"), g.add(Wait)
        g.connect(sets.body, wait.enter)
    assert bench.run(g.graph).statistics.elapsed == 3.0
    g.configure(sets, limit=3)
    assert bench.run(g.graph).statistics.elapsed == 1.0


def test_failing_body_cancels_its_items(bench):
    """A body that fails cancels the items that it has emitted (F2)."""

    class Breaks(tf.Node, id="breaks", initiator=True):
        item = tf.DataOut(int)
        body = tf.ExecOut()
        stream = tf.Stream(item, fires=body, mode="concurrent")

        async def execute(self, ctx: tf.Context) -> None:
            await ctx.emit(self.item, 1)
            await trio.sleep(1)
            raise KeyError("body")

    with tf.build() as g:
        breaks, wait, fail = g.add(Breaks), g.add(Wait, "w", seconds=50.0), g.add(Fail)
        g.connect(breaks.body, wait.enter)
        g.connect(wait.then, fail.enter)
    bench.fails(KeyError, g.graph)
    assert (bench.notes, bench.log.rows("cancelled")) == (["end of w"], [("cancelled", "w", "0.0.0.0")])


def test_wait_first_needs_a_branch(bench):
    """Waiting for the first of no branches is an error that says so."""

    class Nobody(tf.Node, id="nobody", initiator=True):
        then = tf.ExecOut()

        async def execute(self, ctx: tf.Context) -> None:
            async with ctx.branches() as branches:
                await branches.wait_first()

    with tf.build() as g:
        g.add(Nobody)
    assert str(bench.fails(RuntimeError, g.graph)) == (
        "No branch was started, so none can be the first. Call start() before wait_first()."
    )


class Crowd(tf.Node, id="crowd", initiator=True):
    """Emits from several tasks of its body, while another joins."""

    item = tf.DataOut(int)
    body = tf.ExecOut()
    stream = tf.Stream(item, fires=body, mode="concurrent", limit=2)

    async def execute(self, ctx: tf.Context) -> None:
        async def some(first):
            for number in range(first, first + 3):
                await ctx.emit(self.item, number)

        async with trio.open_nursery() as nursery:
            for first in (0, 10, 20):
                nursery.start_soon(some, first)
            nursery.start_soon(ctx.join)


def crowd():
    with tf.build() as g:
        node, wait = g.add(Crowd), g.add(Wait, seconds=1.0)
        g.connect(node.body, wait.enter)
        chain(g, wait, g.add(Note, value=node.item))
    return g.graph


def test_tasks_of_a_body_emit(bench):
    """Several tasks of one body may wait at the limit and for a join; none is forgotten, the limit holds (S3, F5)."""
    result = bench.run(crowd())
    assert sorted(note for note in bench.notes if isinstance(note, int)) == [0, 1, 2, 10, 11, 12, 20, 21, 22]
    assert result.statistics.elapsed == 5.0  # nine items of a second each, two at a time


def test_tasks_of_a_body_are_parked_together():
    """A strand whose body waits in several tasks is parked once: pausing sees it come to rest (G2)."""
    notes = []

    async def main():
        async with tf.open_run(crowd(), services={"notes": notes}) as run:
            with trio.fail_after(1000):
                for _ in range(4):
                    run.gate.pause()
                    await run.gate.wait_parked()
                    run.gate.resume()
                    await trio.sleep(0.25)
                await run.result()
            assert run._state.busy == 0

    trio.run(main, clock=trio.testing.MockClock(autojump_threshold=0))
    assert len(notes) == 18


colour = contextvars.ContextVar("colour", default="none")


class Paints(tf.Node, id="paints"):
    """Sets a context variable, waits in every other item, and notes what it sees then, and in which task."""

    enter = tf.ExecIn()
    value = tf.DataIn(int)
    waits = tf.DataIn(bool, default=False)

    async def execute(self, ctx: tf.Context) -> None:
        value = await ctx.get_input(self.value)
        before = colour.get()
        colour.set(str(value))
        if await ctx.get_input(self.waits) and value % 2:
            await trio.sleep(1)
        ctx.services.get("notes").append((value, before, colour.get(), trio.lowlevel.current_task()))


@pytest.mark.parametrize("waits", [False, True])
def test_items_share_no_context(bench, waits):
    """What an item does to context variables no other sees, whether it waits or not, and whoever runs it."""
    bench.run(items_into((Paints, {"value": ..., "waits": waits}), count=6))
    assert sorted(note[:3] for note in bench.notes) == [(item, "none", str(item)) for item in range(6)]


async def numbers():
    with trio.CancelScope(deadline=trio.current_time() + 1):
        yield 1
        yield 2


class LeavesOpen(tf.Node, id="leaves open"):
    """Its first item leaves a generator with a time limit as it is; the others sleep longer than that."""

    enter = tf.ExecIn()
    value = tf.DataIn(int)

    async def execute(self, ctx: tf.Context) -> None:
        value = await ctx.get_input(self.value)
        if value == 0:
            left = numbers()
            ctx.services.get("left").append(left)
            await anext(left)
        elif value < 3:
            assert trio.current_effective_deadline() == float("inf")
        else:
            await trio.sleep(2)
        ctx.services.get("notes").append(value)


def test_a_scope_that_an_item_leaves_open(bench):
    """A cancel scope that an item's body does not close fails the item, which is named, and cancels no other (F2, R5)."""
    left = []
    graph = items_into((LeavesOpen, {"value": ...}), count=5, settings={"mode": "concurrent", "on_error": "collect"})
    bench.run(graph, services={"left": left})
    assert sorted(bench.notes) == [0, 1, 2, 3, 4]
    (failed,) = (event for event in bench.log if isinstance(event, tf.events.NodeFailed))
    assert str(failed.error).startswith("Node 'body0' (leaves open) has entered 1 cancel scope and not left it.")


class SeesItsTask(tf.Node, id="sees its task"):
    enter = tf.ExecIn()

    async def execute(self, ctx: tf.Context) -> None:
        colour.set("red")
        ctx.services.get("notes").append(trio.lowlevel.current_task().context[colour])


def test_the_context_of_an_item_s_task(bench):
    """An item's context variables are those of its task, also before it waits."""
    bench.run(items_into((SeesItsTask, {}), count=3))
    assert bench.notes == ["red"] * 3


class Descends(tf.Node, id="descends"):
    """Sets a context variable at the top, and looks at it on each of 40 levels."""

    enter, body = tf.ExecIn(), tf.ExecOut()
    value = tf.DataIn(int)

    async def execute(self, ctx: tf.Context) -> None:
        value, level = str(await ctx.get_input(self.value)), len(ctx.path)
        if level == 4:
            colour.set(value)
        if colour.get() == value == trio.lowlevel.current_task().context[colour]:
            ctx.services.get("notes").append(value)
        if level < 43:
            await ctx.trigger(self.body)


def test_the_context_of_an_item_that_nests(bench):
    """An item's context variables are the same on all levels of what it triggers."""
    with tf.build() as g:
        items, node = g.add(Items, "items", count=3), g.add(Descends, "node")
        g.connect(g.add(tf.nodes.Start).then, items.enter)
        g.connect(items.body, node.enter)
        g.connect(items.item, node.value)
        g.connect(node.body, node.enter)
    bench.run(g.graph)
    assert sorted(bench.notes) == ["0"] * 40 + ["1"] * 40 + ["2"] * 40


class RaisesGroup(tf.Node, id="raises a group"):
    enter = tf.ExecIn()

    async def execute(self, ctx: tf.Context) -> None:
        raise ExceptionGroup("its own", [ValueError("only")])


@pytest.mark.filterwarnings("ignore::trio.TrioDeprecationWarning")
def test_groups_of_a_host_that_is_not_strict():
    """A group that a body raises arrives as itself, whatever the host wants trio's nurseries to raise (R4)."""
    graph = items_into((RaisesGroup, {}), count=1)
    with pytest.raises(ExceptionGroup, match="its own"):
        trio.run(tf.run, graph, strict_exception_groups=False)


def test_items_that_do_not_wait_share_a_task(bench):
    """An item costs a task only if it waits; one that does keeps its own, and holds nobody up (F2)."""
    bench.run(items_into((Paints, {"value": ...}), count=50))
    assert len({task for *_, task in bench.notes}) == 1
    result = bench.run(items_into((Paints, {"value": ..., "waits": True}), count=50))
    assert [note[0] for note in bench.notes[:25]] == list(range(0, 50, 2))
    assert len({task for value, *_, task in bench.notes if value % 2}) == 25
    assert result.statistics.elapsed == 1.0


def test_many_items_get_their_turns_in_few_tasks(bench):
    """The scheduler's turns (T2) do not cost a task each: the task that runs the items takes them."""
    bench.run(items_into((Paints, {"value": ...}), count=1000))
    assert len({task for *_, task in bench.notes}) < 50


def test_item_that_fails_at_once(bench):
    """The items behind one that fails without waiting never begin; all strands end all the same (F2, S4)."""

    class FailsAtOnce(tf.Node, id="fails at once"):
        enter = tf.ExecIn()
        value = tf.DataIn(int)

        async def execute(self, ctx: tf.Context) -> None:
            ctx.services.get("notes").append(await ctx.get_input(self.value))
            raise ValueError("at once")

    bench.fails(ValueError, items_into((FailsAtOnce, {"value": ...}), count=5))
    assert (len(bench.notes), bench.log.open()) == (1, [])
    assert len(bench.log.rows("forked")) == 5


class Foreign:
    """Awaits as other event loops do, which trio refuses."""

    def __await__(self):
        yield


async def test_an_item_that_awaits_what_is_not_trio():
    """It is told by trio, and what it raises after it has handled that has no context that is not its own."""

    class Fails(tf.Node, id="forks.fails_afterwards"):
        enter = tf.ExecIn()

        async def execute(self, ctx: tf.Context) -> None:
            with pytest.raises(TypeError, match="trio"):
                await Foreign()
            raise ValueError("mine")

    with tf.build() as g:
        start, each, fails = g.add(tf.nodes.Start), g.add(Items, count=1), g.add(Fails)
        chain(g, start, each)
        g.connect(each.body, fails.enter)
    with pytest.raises(ValueError, match="mine") as caught:
        await tf.run(g.graph)
    assert caught.value.__context__ is None


class Handles(tf.Node, id="handles"):
    """Starts three branches, of which it cancels the second when the first has ended, and notes what it sees of them."""

    enter = tf.ExecIn()
    value = tf.DataOut(int)
    one, two, none = tf.ExecOut(), tf.ExecOut(), tf.ExecOut()

    async def execute(self, ctx: tf.Context) -> None:
        notes = ctx.services.get("notes")
        async with ctx.branches() as branches:
            forks = [
                branches.start(socket, {self.value: number})
                for number, socket in enumerate((self.one, self.two, self.none))
            ]
            notes.append([(fork.done, fork.failure) for fork in forks])
            notes.append([str(fork) for fork in forks])
            assert await branches.wait_first() is forks[2]
            await trio.sleep(2)
            notes.append([str(fork) for fork in forks])
            forks[1].cancel()
        notes.append([str(fork) for fork in forks])
        notes.append([(fork.done, fork.failure) for fork in forks])


def test_what_a_handle_tells(bench):
    """The handle of a branch tells whether it runs, has ended, or was cancelled; one without wires ends at once (F1)."""
    with tf.build() as g:
        handles, one, two = g.add(Handles), g.add(Wait, "one", seconds=1.0), g.add(Wait, "two", seconds=9.0)
        chain(g, g.add(tf.nodes.Start), handles)
        for branch, wait in ((handles.one, one), (handles.two, two)):
            note = g.add(Note, value=handles.value)
            g.connect(branch, note.enter)
            chain(g, note, wait)
    bench.run(g.graph)
    bench.notes[2:4] = sorted(bench.notes[2:4])  # which of the two begins first is not promised
    assert bench.notes == [
        [(False, None), (False, None), (True, None)],
        ["<fork 0.1.0: running>", "<fork 0.1.1: running>", "<fork 0.1.2: done>"],
        0, 1, "end of one",
        ["<fork 0.1.0: done>", "<fork 0.1.1: running>", "<fork 0.1.2: done>"],
        "end of two",
        ["<fork 0.1.0: done>", "<fork 0.1.1: cancelled>", "<fork 0.1.2: done>"],
        [(True, None)] * 3,
    ]  # fmt: skip


def test_the_handle_of_a_branch_that_fails(bench):
    """The handle of a branch that has failed has its failure; that of one that was cancelled with it has none (F2)."""
    left = []

    class Keeps(tf.Node, id="keeps"):
        enter = tf.ExecIn()
        one, two = tf.ExecOut(), tf.ExecOut()

        async def execute(self, ctx: tf.Context) -> None:
            async with ctx.branches() as branches:
                left.extend((branches.start(self.one), branches.start(self.two)))

    with tf.build() as g:
        keeps = g.add(Keeps)
        chain(g, g.add(tf.nodes.Start), keeps)
        g.connect(keeps.one, g.add(Wait, seconds=9.0).enter)
        g.connect(keeps.two, g.add(Fail, after=1.0).enter)
    error = bench.fails(ValueError, g.graph)
    assert [(fork.done, fork.failure) for fork in left] == [(True, None), (True, error)]


def test_a_join_copies_a_list_once(bench, monkeypatch):
    """However many items add to a list, a join makes one copy of it (F4, F7)."""
    copies = []

    def merge(policy, *rest):
        copies.append(policy)
        return merge_variable(policy, *rest)

    monkeypatch.setattr("trioflow.semantics.join.merge_variable", merge)
    graph = items_into(
        (tf.nodes.SetVariable, {"name": "v", "value": [1]}),
        count=20,
        variables=[{"name": "v", "type": "list", "default": [], "merge": "append"}],
    )
    assert bench.run(graph).variables == {"v": [1] * 20}
    assert copies == ["append"]


def test_a_join_that_fails_says_where(bench):
    """What does not merge is a failure of the node that joins, which its note names with its type (E2, F4)."""
    graph = items_into(
        (tf.nodes.SetVariable, {"name": "v", "value": ...}),
        variables=[{"name": "v", "type": "int", "default": 0, "merge": "error"}],
    )
    assert bench.fails(tf.MergeError, graph).__notes__ == ["in node 'items' (test.items), activation 0.1"]


def nested_items(levels):
    """Two initiators that do the same: items of items."""
    with tf.build() as g:
        for _ in range(2):
            before = g.add(tf.nodes.Start).then
            for _ in range(levels):
                items = g.add(Items, count=2)
                g.connect(before, items.enter)
                before = items.body
            g.connect(before, g.add(Note).enter)
    return g.graph


def test_nesting_in_parallel_initiators(bench):
    """An initiator with a strand of its own may nest as deep as one in the first strand, and no deeper (F8)."""
    for parallel in (False, True):
        for levels in (1, 2):
            enough = tf.RunOptions(max_nesting=levels, parallel_initiators=parallel)
            bench.run(nested_items(levels), options=enough)
            assert len(bench.notes) == 2 * 2**levels
            error = bench.fails(Exception, nested_items(levels + 1), options=enough)
            for each in leaves(error):
                assert str(each).startswith(f"Concurrent strands nest deeper than {levels} at node 'items_")


class Tasks(trio.abc.Instrument):
    """Counts the tasks that are started for forks."""

    def __init__(self) -> None:
        self.started = 0

    def task_spawned(self, task: trio.lowlevel.Task) -> None:
        self.started += task.name == "trioflow.runtime.strands.forks.ForkSet.work"


@pytest.mark.parametrize("count", [1, 2, 3, 20])
@pytest.mark.parametrize("waits", [False, True])
def test_how_many_tasks_are_started(waits, count):
    """Items that wait have a task each, and no more are started than that; those that don't have one together (F2)."""
    tasks = Tasks()
    graph = items_into((Wait, {}) if waits else (Note, {}), count=count)
    clock = trio.testing.MockClock(autojump_threshold=0)
    options = tf.RunOptions(turn_every=1000, turn_after=math.inf)
    trio.run(lambda: tf.run(graph, services={"notes": []}, options=options), clock=clock, instruments=[tasks])
    assert tasks.started == (count if waits else 1)


@pytest.mark.parametrize("mode", ["sequential", "concurrent"])
def test_depth_of_items(bench, mode):
    """An item is one level below its owner, whether it is a strand of its own or not (T8)."""
    graph = items_into((Note, {"value": ...}), settings={"mode": mode})
    bench.run(graph, options=tf.RunOptions(max_depth=4))
    assert sorted(bench.notes) == [0, 1, 2]
    bench.fails(tf.DepthExceeded, graph, options=tf.RunOptions(max_depth=3))


def test_limit_of_strands_in_a_graph(bench):
    """Also in a called graph the limit of strands is told of with the item that was too many, and no node (C8, R8)."""
    with tf.build() as inner:
        into, items = inner.declare_entry("in"), inner.add(Items)
        inner.connect(into, items.enter)
        inner.connect(items.body, inner.add(Wait).enter)
    with tf.build() as g:
        g.connect(g.add(tf.nodes.Start).then, g.add(g.define("inner", inner.graph), "call")["in"])
    bench.fails(tf.LimitExceeded, g.graph, options=tf.RunOptions(max_strands=2))
    (told,) = (event for event in bench.log.events if isinstance(event, tf.events.LimitReached))
    assert (told.limit, told.value, told.node) == ("strands", 2, None)


class OneByOne(tf.Node, id="one by one"):
    """Starts branches: two, then as many as the limit of strands leaves when one of them has ended."""

    enter = tf.ExecIn()
    short, long = tf.ExecOut(), tf.ExecOut()

    async def execute(self, ctx: tf.Context) -> None:
        async with ctx.branches() as branches:
            for socket in (self.short, self.long, self.long):
                branches.start(socket)
            await trio.sleep(2)
            branches.start(self.long)
            ctx.services.get("notes").append("again")
            branches.start(self.long)


def test_strands_alive(bench):
    """A strand that has ended leaves its place to one other (R8)."""
    with tf.build() as g:
        node = g.add(OneByOne)
        chain(g, g.add(tf.nodes.Start), node)
        g.connect(node.short, g.add(Wait, "short").enter)
        g.connect(node.long, g.add(Wait, "long", seconds=9.0).enter)
    bench.fails(tf.LimitExceeded, g.graph, options=tf.RunOptions(max_strands=4))
    assert bench.notes == ["end of short", "again", "end of long", "end of long"]


class Rounds(tf.Node, id="rounds"):
    """Emits and joins, more from round to round."""

    enter = tf.ExecIn()
    item = tf.DataOut(int)
    body = tf.ExecOut()
    stream = tf.Stream(item, fires=body, mode="concurrent")

    async def execute(self, ctx: tf.Context) -> None:
        for count in (3, 6):
            for number in range(count):
                await ctx.emit(self.item, number)
            await ctx.join()


def test_tasks_of_later_rounds(bench):
    """Where items are known to wait, no more tasks are started than there are of them, either (F2)."""
    tasks = Tasks()
    with tf.build() as g:
        rounds = g.add(Rounds)
        chain(g, g.add(tf.nodes.Start), rounds)
        g.connect(rounds.body, g.add(Wait).enter)
    clock = trio.testing.MockClock(autojump_threshold=0)
    options = tf.RunOptions(turn_every=1000, turn_after=math.inf)
    trio.run(lambda: tf.run(g.graph, services={"notes": []}, options=options), clock=clock, instruments=[tasks])
    assert tasks.started == 9


class Steps(trio.abc.Instrument):
    """Counts how often trio goes on with tasks of forks."""

    def __init__(self) -> None:
        self.steps = 0

    def before_task_step(self, task: trio.lowlevel.Task) -> None:
        self.steps += task.name == "trioflow.runtime.strands.forks.ForkSet.work"


@pytest.mark.parametrize("turn_after", [1000.0, math.inf])
def test_turns_between_items(turn_after):
    """Items that do not wait give others a turn after so many steps as the options say, not after each (T2)."""
    steps = Steps()
    graph, options = items_into((Note, {}), count=200), tf.RunOptions(turn_every=10, turn_after=turn_after)
    trio.run(lambda: tf.run(graph, services={"notes": []}, options=options), instruments=[steps])
    assert 20 <= steps.steps <= 30


class Ends(tf.Node, id="ends"):
    """Fails after a while, or where it is cancelled, when it has cleaned up; or else one of two tasks of its own does."""

    enter = tf.ExecIn()
    after = tf.DataIn(float, default=1000.0)
    lingers = tf.DataIn(float, default=0.0)
    tasks = tf.DataIn(bool, default=False)

    async def execute(self, ctx: tf.Context) -> None:
        after, lingers = await ctx.get_input(self.after), await ctx.get_input(self.lingers)

        async def fails() -> None:
            try:
                await trio.sleep(after)
            finally:
                with trio.CancelScope(shield=True):
                    await trio.sleep(lingers)
                raise ValueError(ctx.node.id)

        if not await ctx.get_input(self.tasks):
            await fails()
        async with trio.open_nursery() as nursery:
            nursery.start_soon(fails)
            nursery.start_soon(trio.sleep_forever)


def cancelled_from_outside(graph, seconds):
    """What a run fails with that is cancelled by the host: the names of the nodes, and where the first failure arose."""
    log = EventLog()

    async def main():
        with trio.move_on_after(seconds):
            await tf.run(graph, observers=[log])

    with pytest.raises(ExceptionGroup) as caught:
        trio.run(main, clock=trio.testing.MockClock(autojump_threshold=0))
    (failed,) = (event for event in log.events if isinstance(event, tf.events.RunFailed))
    return [str(error) for error in leaves(caught.value)], str(failed.origin)


def test_no_failure_is_lost_beside_one_of_a_task(bench):
    """What a task of a body fails with where the run is cancelled is no less a failure than what another body does (R4, R5)."""
    with tf.build() as g:
        parallel = g.add(tf.nodes.Parallel)
        chain(g, g.add(tf.nodes.Start), parallel)
        g.connect(parallel.a, g.add(Ends, "a").enter)
        g.connect(parallel.b, g.add(Ends, "b", tasks=True).enter)
    names, _ = cancelled_from_outside(g.graph, 1)
    assert sorted(names) == ["a", "b"]


def test_the_origin_of_groups_that_are_cancelled_from_outside(bench):
    """A group that was cancelled from outside arose where its first one did, which itself arose in its second (E2)."""
    with tf.build() as g:
        outer, inner = g.add(tf.nodes.Parallel), g.add(tf.nodes.Parallel)
        chain(g, g.add(tf.nodes.Start), outer)
        g.connect(outer.a, inner.enter)
        g.connect(outer.b, g.add(Ends, "third").enter)
        g.connect(inner.a, g.add(Ends, "first", lingers=5.0).enter)
        g.connect(inner.b, g.add(Ends, "second", after=1.0).enter)
    assert cancelled_from_outside(g.graph, 2) == (["first", "second", "third"], "0.1.0.0.1.0")


def test_nesting_after_a_block(bench):
    """A block of branches that has ended is around nothing any more; those that are open still count (F8)."""

    class Twice(tf.Node, id="forks.twice"):
        enter = tf.ExecIn()
        nothing, branch = tf.ExecOut(), tf.ExecOut()

        async def execute(self, ctx: tf.Context) -> None:
            for socket in (self.nothing, self.nothing, self.branch):
                async with ctx.branches() as branches:
                    branches.start(socket)

    with tf.build() as g:
        twice = g.add(Twice, "again")
        chain(g, g.add(tf.nodes.Start), twice)
        g.connect(twice.branch, twice.enter)
    error = bench.fails(tf.DepthExceeded, g.graph, options=tf.RunOptions(max_nesting=4))
    assert str(error).startswith(
        "Concurrent strands nest deeper than 4 at node 'again' (activation 0.1.2.0.2.0.2.0.2.0)"
    )


def test_order_of_a_failure_that_two_share(bench):
    """A failure that two strands share comes where the first of them comes, whichever of them ends last (R4, D5)."""

    @tf.data_node(id="forks.shared")
    async def shared(x: int) -> int:
        await trio.sleep(1)
        raise KeyError("shared")

    with tf.build() as g:
        parallel, found = g.add(tf.nodes.Parallel), g.add(shared, x=1).result
        chain(g, g.add(tf.nodes.Start), parallel)
        g.connect(parallel.a, g.add(Note, value=found).enter)
        g.connect(parallel.b, g.add(Ends, "b").enter)
        g.connect(parallel.c, g.add(Note, value=found).enter)
    for seed in range(6):
        group = bench.fails(ExceptionGroup, g.graph, middleware=[ShuffledSchedule(seed)])
        assert [str(error) for error in group.exceptions] == ["'shared'", "b"]


def test_a_task_that_has_waited_takes_no_other(bench):
    """The task of a fork that has waited is its own to its end; what is forked just before that has another (F2)."""
    blocks = []

    class Opens(tf.Node, id="forks.opens"):
        enter = tf.ExecIn()
        one, two = tf.ExecOut(), tf.ExecOut()

        async def execute(self, ctx: tf.Context) -> None:
            async with ctx.branches() as branches:
                blocks.append(functools.partial(branches.start, self.two))
                branches.start(self.one)
                await trio.sleep(5)

    class StartsIt(tf.Node, id="forks.starts_it"):
        enter = tf.ExecIn()
        starts = tf.DataIn(bool, default=False)

        async def execute(self, ctx: tf.Context) -> None:
            ctx.services.get("notes").append(trio.lowlevel.current_task())
            if await ctx.get_input(self.starts):
                await trio.sleep(1)
                blocks.pop()()

    with tf.build() as g:
        opens = g.add(Opens)
        chain(g, g.add(tf.nodes.Start), opens)
        g.connect(opens.one, g.add(StartsIt, starts=True).enter)
        g.connect(opens.two, g.add(StartsIt).enter)
    bench.run(g.graph)
    first, second = bench.notes
    assert first is not second


def test_nurseries_around_a_block_are_counted(bench):
    """A block of branches counts the nurseries that its body has opened around it (F8)."""

    class OpensMany(tf.Node, id="forks.opens_many"):
        enter = tf.ExecIn()
        branch = tf.ExecOut()

        async def execute(self, ctx: tf.Context) -> None:
            async with contextlib.AsyncExitStack() as stack:
                for _ in range(300):
                    await stack.enter_async_context(trio.open_nursery())
                async with ctx.branches() as branches:
                    branches.start(self.branch)

    with tf.build() as g:
        chain(g, g.add(tf.nodes.Start), g.add(OpensMany, "opens"))
    error = bench.fails(BaseException, g.graph)
    (error,) = leaves(error)
    assert isinstance(error, tf.DepthExceeded)
    assert str(error).startswith("More than 256 nurseries are open inside each other at node 'opens'")
    (told,) = (event for event in bench.log.events if isinstance(event, tf.events.LimitReached))
    assert (told.limit, told.value, told.node, str(told.path)) == ("nesting", 256, "opens", "0.1")


@pytest.mark.slow
async def test_nurseries_of_the_host_are_counted():
    """A run with forks counts the nurseries that its host has opened around it (F8)."""
    with pytest.raises(BaseExceptionGroup) as caught:
        async with contextlib.AsyncExitStack() as stack:
            for _ in range(300):
                await stack.enter_async_context(trio.open_nursery())
            await tf.run(items_into((Wait, {})), options=tf.RunOptions(parallel_initiators=True))
    (error,) = leaves(caught.value)
    assert str(error).startswith("More than 256 nurseries are open inside each other at node 'the run'")


class FailsInATask(tf.Node, id="forks.fails_in_a_task"):
    """Item 0 fails after a second, if it is to be the first; in the others a task fails when they are cancelled."""

    enter = tf.ExecIn()
    number = tf.DataIn(int)
    first = tf.DataIn(bool)

    async def execute(self, ctx: tf.Context) -> None:
        number = await ctx.get_input(self.number)
        if number == 0 and await ctx.get_input(self.first):
            await trio.sleep(1)
            raise ValueError(number)

        async def fails() -> None:
            try:
                await trio.sleep_forever()
            finally:
                raise ValueError(number)

        async with trio.open_nursery() as nursery:
            nursery.start_soon(fails)
            nursery.start_soon(trio.sleep_forever)


@pytest.mark.parametrize("first", [False, True], ids=["from outside", "by the first"])
@pytest.mark.parametrize("attempt", range(3))
def test_failures_in_tasks_of_cancelled_items(attempt, first):
    """What tasks of items fail with when the items are cancelled comes in the order of the items (R4)."""
    with tf.build() as g:
        start, items = g.add(tf.nodes.Start), g.add(Items, count=4)
        chain(g, start, items)
        g.connect(items.body, g.add(FailsInATask, number=items.item, first=first).enter)

    async def main():
        with trio.move_on_after(5):
            await tf.run(g.graph)

    with pytest.raises(ExceptionGroup) as caught:
        trio.run(main, clock=trio.testing.MockClock(autojump_threshold=0))
    assert [error.args[0] for error in leaves(caught.value)] == [0, 1, 2, 3]


async def test_items_leave_no_garbage():
    """A fork is freed as soon as it is joined, not when the garbage collector comes to it."""
    with tf.build() as g:
        start, items = g.add(tf.nodes.Start), g.add(Items, count=20)
        chain(g, start, items)
        g.connect(items.body, g.add(Note, value=items.item).enter)
    gc.collect()
    gc.disable()
    try:
        others = [each for each in gc.get_objects() if isinstance(each, StrandFork)]  # of tests before, if any
        await tf.run(g.graph, services={"notes": []})
        left = [each for each in gc.get_objects() if isinstance(each, StrandFork) and each not in others]
    finally:
        gc.enable()
    assert left == []


@pytest.mark.parametrize("wired", [False, True])
def test_forks_that_have_ended_are_counted(wired):
    """Also forks with nothing to dispatch are strands no more once they have ended (F1, R3)."""

    class Emits(tf.Node, id="forks.emits", initiator=True):
        body = tf.ExecOut()
        item = tf.DataOut(int)
        items = tf.Stream(item, fires=body, mode="concurrent")

        async def execute(self, ctx: tf.Context) -> None:
            for number in range(3):
                await ctx.emit(self.item, number)
            await ctx.join()
            found.append(run.statistics().strands)

    found = []
    with tf.build() as g:
        emits = g.add(Emits)
        if wired:
            g.connect(emits.body, g.add(Wait, seconds=0.0).enter)

    async def main():
        nonlocal run
        async with tf.open_run(g.graph, services={"notes": []}) as run:
            await run.result()
            found.append(run.statistics().strands)
            found.append(run.statistics().forks)

    run = None
    trio.run(main)
    assert found == [1, 0, 3]


def test_failures_of_several_streams(bench):
    """They are in the order in which their items were emitted, whatever their streams (S4)."""

    @tf.exec_node(id="forks.fails")
    def fails(value: int) -> None:
        raise ValueError(value)

    class Emits(tf.Node, id="forks.emits_both", initiator=True):
        body = tf.ExecOut()
        other = tf.ExecOut()
        item = tf.DataOut(int)
        another = tf.DataOut(int)
        items = tf.Stream(item, fires=body, mode="concurrent", on_error="collect")
        others = tf.Stream(another, fires=other, on_error="collect")

        async def execute(self, ctx: tf.Context) -> None:
            for number in (0, 2, 4):
                await ctx.emit(self.item, number)
                await ctx.emit(self.another, number + 1)
            await ctx.join()
            found.extend(error.args[0] for error in ctx.failures())

    found = []
    with tf.build() as g:
        emits, one, two = g.add(Emits), g.add(fails), g.add(fails)
        g.connect(emits.body, one.enter)
        g.connect(emits.other, two.enter)
        g.connect(emits.item, one.value)
        g.connect(emits.another, two.value)
    bench.run(g.graph)
    assert found == [0, 1, 2, 3, 4, 5]


@pytest.mark.parametrize("writes", [False, True])
def test_what_ended_items_keep(bench, writes):
    """An item that has ended keeps the variables as they were only if it has written, and none of them after the join."""

    class Big:
        pass

    class Emits(tf.Node, id="forks.emits_big", initiator=True):
        body = tf.ExecOut()
        item = tf.DataOut(int)
        items = tf.Stream(item, fires=body, mode="concurrent", limit=1)

        async def execute(self, ctx: tf.Context) -> None:
            for number in range(5):
                big = Big()
                left.append(weakref.ref(big))
                ctx.set_variable("big", big)
                del big
                await ctx.emit(self.item, number)
            ctx.set_variable("big", None)
            await trio.testing.wait_all_tasks_blocked()
            found.append(sum(each() is not None for each in left))
            await ctx.join()
            found.append(sum(each() is not None for each in left))

    @tf.exec_node(id="forks.may_write")
    async def may_write(ctx: tf.Context) -> None:
        await trio.lowlevel.checkpoint()
        if writes:
            ctx.set_variable("other", 1)

    left, found = [], []
    with tf.build() as g:
        g.variable("big", "any", None)
        g.variable("other", "int", 0)
        g.connect(g.add(Emits).body, g.add(may_write).enter)
    trio.run(tf.run, g.graph)
    # The first strand's own list, for forks to come, is the one that remains until the join.
    assert found == [5 if writes else 1, 0]


def test_short_items_give_turns_by_the_clock():
    """Items that only compute share a task, which gives the scheduler its turn each millisecond all the same (T2)."""
    done = 0

    @tf.exec_node(id="forks.computes")
    def computes() -> None:
        nonlocal done
        end = time.perf_counter() + 0.0004
        while time.perf_counter() < end:
            pass
        done += 1

    class Emits(tf.Node, id="forks.emits_sixty", initiator=True):
        body = tf.ExecOut()
        item = tf.DataOut(int)
        items = tf.Stream(item, fires=body, mode="concurrent")

        async def execute(self, ctx: tf.Context) -> None:
            for number in range(60):
                await ctx.emit(self.item, number)

    with tf.build() as g:
        g.connect(g.add(Emits).body, g.add(computes).enter)

    async def count():
        while True:
            before = done
            await trio.lowlevel.checkpoint()
            most.append(done - before)

    async def main():
        async with trio.open_nursery() as nursery:
            nursery.start_soon(count)
            await tf.run(g.graph)
            nursery.cancel_scope.cancel()

    most = []
    trio.run(main)
    assert done == 60
    # Some tasks may have their turn in one batch of trio's, each with three of these items in its millisecond. Without the
    # clock it is all sixty.
    assert max(most) <= 20
