"""Workflows on the engine: strands, failures, limits, scopes (W1-W18)."""

from __future__ import annotations

import re

import pytest
import trio

import trioflow as tf


class Log(list[tuple[float, str]]):
    """What was done, and when."""


@tf.exec_node
async def work(ctx: tf.Context, log: tf.FromServices[Log], seconds: float = 0, fail: bool = False) -> str:
    """Take some time, and tell when it is over."""
    await trio.sleep(seconds)
    log.append((trio.current_time(), ctx.node.id))
    if fail:
        raise ValueError(ctx.node.id)
    return ctx.node.id


class Choose(tf.Node):
    """Go on at one of two outputs."""

    enter = tf.ExecIn()
    way = tf.DataIn(str, default="left")
    left = tf.ExecOut()
    right = tf.ExecOut()

    async def execute(self, ctx: tf.Context) -> str:
        return await ctx.get_input(self.way)


def diamond(**settings):
    with tf.workflow(**settings) as w:
        a = w.add(work, "a")
        b, c = w.add(work, "b", seconds=2.0), w.add(work, "c", seconds=1.0)
        d = w.add(work, "d")
        w.after(a, b, c)
        w.after(b, d)
        w.after(c, d)
    return w.graph


async def run(graph, **more):
    """The order of what was done, and the result."""
    log = Log()
    result = await tf.run(graph, services={Log: log}, **more)
    return [name for _, name in log], result


async def test_a_graph_of_either_kind(autojump_clock):
    """A target of two wires runs for each of them if they call, and once if they carry tokens (W1)."""
    with tf.build() as g:
        start = g.add(tf.nodes.Start)
        b, c, d = (g.add(work, name) for name in "bcd")
        for source, target in ((start, b), (start, c), (b, d), (c, d)):
            g.connect(source.then, target.enter)
    assert (await run(g.graph))[0] == ["b", "d", "c", "d"]
    assert (await run(diamond()))[0] == ["a", "c", "b", "d"]
    assert trio.current_time() == 2.0


async def test_a_lone_token_stays_in_its_strand(autojump_clock):
    """A chain and a loop are one fork, whatever their length (W11)."""
    with tf.workflow() as w:
        a, b, c = w.add(work, "a"), w.add(work, "b", join="each"), w.add(work, "c")
        w.after(a, b)
        w.connect(b, b, when="turn < 50")
        w.connect(b, c, otherwise=True)
    told: list[str] = []
    names, result = await run(
        w.graph, observers=[tf.observe(lambda e: told.append(type(e).__name__), kinds=["StrandForked", "StrandJoined"])]
    )
    assert names == ["a", *"b" * 50, "c"]
    assert result.statistics.forks == 1
    assert told == ["StrandForked", "StrandJoined"]


async def test_failures_take_wires(autojump_clock):
    """A failure goes on at the wires for it, as the output `!error` (W12)."""
    caught: list[object] = []
    keep = tf.exec_node(lambda error: caught.append(error))
    with tf.workflow() as w:
        a, b, c = w.add(work, "a", fail=True), w.add(work, "b"), w.add(work, "c")
        d = w.add(keep, "d")
        w.after(a, b)
        w.connect(a, c, on="ended")
        w.connect(a, d, on="failed", when="error.type == 'ValueError' && error.message == 'a'")
    graph = w.graph
    wire = tf.Connection(tf.Endpoint("a", "!error"), tf.Endpoint("d", "error"))
    import attrs  # noqa: PLC0415

    assert (await run(attrs.evolve(graph, connections=(*graph.connections, wire))))[0] == ["a", "c"]
    assert [repr(each) for each in caught] == ["ValueError('a')"]


async def test_failures_end_it(autojump_clock):
    """A failure that no wire takes cancels the rest, and is what the run fails with (W12)."""
    graph = diamond()
    with pytest.raises(ValueError, match="^c") as caught:
        await run(_with(graph, "c", fail=True, seconds=1.0))
    assert caught.value.__notes__[0].endswith("activation 0.0.2.2.0")
    assert trio.current_time() == 1.0


async def test_failures_that_are_collected(autojump_clock):
    """The others go on, then comes one failure as itself, or several as a group in canonical order (W12)."""
    graph = diamond(on_error="collect")
    with pytest.raises(ValueError, match="^c"):
        await run(_with(graph, "c", fail=True, seconds=1.0))
    assert trio.current_time() == 2.0
    both = _with(_with(graph, "c", fail=True, seconds=1.0), "b", fail=True, seconds=2.0)
    with pytest.raises(ExceptionGroup) as caught:
        await run(both)
    assert [str(each) for each in caught.value.exceptions] == ["b", "c"]


def _with(graph, node, **inputs):
    import attrs  # noqa: PLC0415

    nodes = tuple(attrs.evolve(each, inputs=inputs) if each.id == node else each for each in graph.nodes)
    return attrs.evolve(graph, nodes=nodes)


async def test_the_first_cancel_the_rest(autojump_clock):
    """Who is not waited for is cancelled if that was said, and nothing of it is merged (W8)."""
    with tf.workflow() as w:
        a = w.add(work, "a")
        parts = [w.add(work, name, seconds=float(seconds)) for name, seconds in (("b", 3), ("c", 1), ("d", 2))]
        end = w.add(work, "e", join="first", min=2, rest="cancel")
        w.after(a, *parts)
        for each in parts:
            w.after(each, end)
    told: list[str] = []
    names, result = await run(
        w.graph, observers=[tf.observe(lambda e: told.append(str(e.node)), kinds=["NodeCancelled"])]
    )
    assert (names, told, trio.current_time()) == (["a", "c", "d", "e"], ["b"], 2.0)
    assert "b" not in result.outputs


async def test_who_starts_first(autojump_clock):
    """By priority, then in canonical order; a place is given up where a strand goes on (W11, W16)."""
    with tf.workflow(limit=1) as w:
        a = w.add(work, "a")
        low, high = w.add(work, "low", priority="low"), w.add(work, "high", priority="high")
        plain, then = w.add(work, "plain"), w.add(work, "then")
        w.after(a, low, plain, high)
        w.after(high, then)
    names, result = await run(w.graph)
    assert names == ["a", "high", "plain", "low", "then"]
    assert result.statistics.forks == 4


async def test_groups_are_limits(autojump_clock):
    """Two firings of a group of one are not under way at once (W16)."""
    with tf.workflow(groups={"g": 1}) as w:
        b, c = w.add(work, "b", seconds=2.0, group="g"), w.add(work, "c", seconds=1.0, group="g")
        w.after(w.add(work, "a"), b, c)
    assert (await run(w.graph))[0] == ["a", "b", "c"]
    assert trio.current_time() == 3.0


async def test_scopes(autojump_clock):
    """A body that triggers waits for all tokens behind, which join among themselves (W13)."""
    with tf.workflow() as w:
        loop = w.add(tf.nodes.Repeat, "loop", times=2)
        b, c, d, e = (w.add(work, name) for name in "bcde")
        w.connect(loop.body, b)
        w.connect(loop.body, c)
        w.after(b, d)
        w.after(c, d)
        w.connect(loop.done, e)
    names, result = await run(w.graph)
    assert sorted(names[:3]) == sorted(names[3:6]) == ["b", "c", "d"]
    assert names[6:] == ["e"]
    assert result.statistics.forks == 1 + 6


async def test_items_on_next(autojump_clock):
    """`next` is short for where a stream's items go out (W3, S1)."""
    with tf.workflow() as w:
        each = w.add(tf.nodes.ForEach, "each", items=[3, 4])
        b = w.add(work, "b")
        w.connect(each, b, on="next", when="item > 3")
    assert (await run(w.graph))[0] == ["b"]


async def test_events_in_workflows(autojump_clock):
    """A listener and what is behind it are a scope, which the publisher waits for (W13, B1)."""
    with tf.workflow() as w:
        w.event("ping")
        say = w.add("event.publish", "say", event="ping")
        listen = w.add("event.listen", "listen", event="ping")
        b, c = w.add(work, "b", seconds=1.0), w.add(work, "c")
        w.after(listen, b)
        w.after(say, c)
    assert (await run(w.graph))[0] == ["b", "c"]


async def test_workflows_in_other_graphs(autojump_clock):
    """A call of a workflow goes on at the exit that it reached last in canonical order (W14)."""
    with tf.workflow() as inner:
        enter, leave = inner.declare_entry("enter"), inner.declare_exit("yes")
        other = inner.declare_exit("no")
        b, c = inner.add(work, "b", seconds=2.0), inner.add(work, "c", seconds=1.0)
        inner.connect(enter, b)
        inner.connect(enter, c)
        inner.connect(b, leave)
        inner.connect(c, other)
    with tf.build() as g:
        call = g.add(g.define("inner", inner.graph), "call")
        g.connect(g.add(tf.nodes.Start).then, call.enter)
        for socket in ("yes", "no"):
            g.connect(call[socket], g.add(work, socket).enter)
    assert (await run(g.graph))[0] == ["c", "b", "no"]
    with tf.workflow() as w:
        call = w.add(w.define("inner", inner.graph), "call")
        w.connect(w.add(work, "a"), call)
        w.connect(call.no, w.add(work, "z"))
    assert (await run(w.graph))[0] == ["a", "c", "b", "z"]


async def test_a_callers_workflow_starts_by_itself(autojump_clock):
    """A workflow that is called without an entry begins with the nodes that fire for no token (W2, W14)."""
    with tf.workflow() as inner:
        inner.connect(inner.add(work, "b"), inner.declare_exit("done"))
    with tf.build() as g:
        call = g.add(g.define("inner", inner.graph), "call")
        g.configure(call, initiator=True)
        g.connect(call.done, g.add(work, "c").enter)
    assert (await run(g.graph))[0] == ["b", "c"]


async def test_a_marked_node_that_the_entry_leads_to_fires_once(autojump_clock):
    """It fires for the token of the entry, and not for no token beside it, so that keys tell firings apart (W2, W10)."""
    with tf.workflow() as inner:
        b, c = inner.add(work, "b"), inner.add(work, "c")
        inner.configure(b, initiator=True)
        inner.configure(c, initiator=True)
        inner.connect(inner.declare_entry("enter"), b)
        inner.connect(b, inner.declare_exit("done"))
    with tf.build() as g:
        call = g.add(g.define("inner", inner.graph), "call")
        g.connect(g.add(tf.nodes.Start).then, call.enter)
    assert (await run(g.graph))[0] == ["b", "c"]
    with tf.build() as g:
        g.configure(g.add(g.define("inner", inner.graph), "call"), initiator=True)
    assert (await run(g.graph))[0] == ["b", "c"]


async def test_turns_that_are_used_up(autojump_clock):
    """The error names the node, its turns and the cure (W15)."""
    with tf.workflow() as w:
        a = w.add(work, "a", most=3)
        w.after(a, a)
        w.connect(a, w.add(work, "b"), on="failed")
    message = "Node 'a' has had the 3 turns that it may have in a circle. Wire what is to happen then (`on: exhausted`)"
    with pytest.raises(tf.LimitExceeded, match=re.escape(message)) as caught:
        await run(w.graph)
    assert (caught.value.limit, caught.value.value) == ("turns", 3)


async def test_joins_that_are_not_met(autojump_clock):
    """Observers are told of a join that is skipped, and a failure names the wires (W7)."""
    told: list[tf.events.JoinSkipped] = []
    graph = _joining({"min": 2})
    assert (await run(graph, observers=[tf.observe(told.append, kinds=["JoinSkipped"])]))[0] == ["b"]
    assert [(each.node, each.came, each.missing) for each in told] == [
        ("d", ("b.then -> d.enter",), ("c.then -> d.enter",))
    ]
    message = "Node 'd' needs tokens over 2 of its 2 wires, and they came over 1: b.then -> d.enter. Nothing can come"
    with pytest.raises(tf.JoinUnmet, match=re.escape(message)):
        await run(_joining({"min": "every", "unmet": "fail"}))


def _joining(settings):
    with tf.workflow() as w:
        choose = w.add(Choose, "a")
        b, c, d = w.add(work, "b"), w.add(work, "c"), w.add(work, "d", **settings)
        w.connect(choose.left, b)
        w.connect(choose.right, c)
        w.after(b, d)
        w.after(c, d)
    return w.graph


async def test_conditions(autojump_clock):
    """What a condition asks for, what it is when it fails, and what a node sets before (W3)."""
    with tf.workflow() as w:
        w.variable("seen", "str", "")
        a, b, c = w.add(work, "a", set={"seen": "out.result + '!'"}), w.add(work, "b"), w.add(work, "c")
        w.connect(a, b, when="vars.seen == 'a!' && round == 1")
        w.connect(a, c, otherwise=True)
    names, result = await run(w.graph)
    assert (names, dict(result.variables)) == (["a", "b"], {"seen": "a!"})
    with tf.workflow() as w:
        w.variable("n", "any", None)
        w.connect(w.add(work, "a"), w.add(work, "b"), when="vars.n < 3")
    with pytest.raises(
        tf.ExpressionFailed, match=r"a.then -> b.enter: The expression 'vars.n < 3' failed: No matching overloads"
    ) as caught:
        await run(w.graph)
    assert "in node 'a' (" in caught.value.__notes__[0]
    with tf.workflow() as w:
        w.variable("n", "int", 0)
        w.add(work, "a", set={"n": "'many'"})
    with pytest.raises(tf.CoercionError, match="Variable 'n'"):
        await run(w.graph)


async def test_what_nobody_wrote(autojump_clock):
    """A condition that asks for an output that was not written says so (W3)."""
    with tf.workflow() as w:
        w.connect(w.add(Silent, "a"), w.add(work, "b"), when="out.page == 1")
    with pytest.raises(tf.ExpressionFailed, match=r"asks for out.page, which was not written"):
        await run(w.graph)


class Silent(tf.Node):
    """Writes nothing."""

    enter = tf.ExecIn()
    page = tf.DataOut(int)
    then = tf.ExecOut()

    async def execute(self, ctx: tf.Context) -> tf.ExecOut:
        return self.then


async def test_forks_that_do_not_merge(autojump_clock):
    """The scope fails where a firing would begin (W9, F9)."""
    put = tf.exec_node(lambda ctx: ctx.set_variable("v", ctx.node.id))
    with tf.workflow() as w:
        w.variable("v", "str", "", merge="error")

        @tf.exec_node
        def put(ctx: tf.Context) -> None:
            ctx.set_variable("v", ctx.node.id)

        a, b, c, d = w.add(work, "a"), w.add(put, "b"), w.add(put, "c"), w.add(work, "d")
        w.after(a, b, c)
        w.after(b, d)
        w.after(c, d)
    with pytest.raises(tf.MergeError, match="Variable 'v' was written by more than one"):
        await run(w.graph)


async def test_context_variables_of_the_owner(autojump_clock):
    """A firing does not find what another one that is not in its strand has put into context variables."""
    from contextvars import ContextVar  # noqa: PLC0415

    mark: ContextVar[str] = ContextVar("mark", default="none")
    seen: list[str] = []

    @tf.exec_node
    def look(ctx: tf.Context) -> None:
        seen.append(mark.get())
        mark.set(ctx.node.id)

    with tf.workflow() as w:
        a, b, c = (w.add(look, name) for name in "abc")
        w.after(a, b, c)
    mark.set("host")
    await run(w.graph)
    assert seen == ["host", "host", "host"]


async def test_pausing_and_stepping(autojump_clock):
    """Firings stop at the gate like any dispatch, also under the path that they will have (G2)."""
    log = Log()
    async with tf.open_run(diamond(), services={Log: log}) as run:
        run.gate.pause()
        await run.gate.wait_parked()
        assert [(str(each.node), each.path) for each in run.gate.parked_at()] == [("<scope>", (0, 0))]
        run.gate.step(2)
        await run.gate.wait_parked()
        assert sorted((each.node, each.path) for each in run.gate.parked_at()) == [
            ("b", (0, 0, 2, 1, 0)), ("c", (0, 0, 2, 2, 0)),
        ]  # fmt: skip
        run.gate.resume()
        await run.result()
    assert [name for _, name in log] == ["a", "c", "b", "d"]


async def test_cancelled_from_outside(autojump_clock):
    """Everything in a workflow is cancelled with what is around it (R5)."""
    ended: list[str] = []
    with trio.move_on_after(1.5):
        await run(diamond(), observers=[tf.observe(lambda e: ended.append(f"{e.node}"), kinds=["NodeCancelled"])])
    assert ended == ["b", "<scope>"]


@pytest.mark.unmeasured
async def test_a_long_loop_is_flat():
    """What every live strand comes after is forgotten: a loop of forks and joins keeps nothing of its rounds (W9)."""
    import gc  # noqa: PLC0415

    from trioflow.semantics.history import Past  # noqa: PLC0415

    step = tf.exec_node(lambda: None, id="step")
    with tf.workflow() as w:
        w.variable("n", "int", 0, merge="sum")

        @tf.exec_node
        def add(ctx: tf.Context) -> None:
            ctx.set_variable("n", ctx.get_variable("n") + 1)
            if ctx.get_variable("n") > 1190:
                kept.append(sum(isinstance(each, Past) for each in gc.get_objects()))

        kept: list[int] = []
        a, b, c = w.add(step, "a", most=400), w.add(add, "b"), w.add(add, "c")
        w.after(a, b, c)
        d = w.add(add, "d")
        w.after(b, d)
        w.after(c, d)
        w.connect(d, a, when="turn < 400")
    result = await tf.run(w.graph)
    assert result.variables["n"] == 1200
    assert max(kept) < 1000


async def test_deferred_choice(autojump_clock):
    """Two nodes wait for the outside; whoever hears first goes on, and the other is cancelled (W8)."""
    with tf.workflow() as w:
        letter, phone = w.add(work, "letter", seconds=3.0), w.add(work, "phone", seconds=2.0)
        then = w.add(work, "then", join="first", rest="cancel")
        w.after(w.add(work, "a"), letter, phone)
        w.after(letter, then)
        w.after(phone, then)
    assert (await run(w.graph))[0] == ["a", "phone", "then"]
    assert trio.current_time() == 2.0


async def test_a_workflow_that_calls_itself(autojump_clock):
    """Recursion: each call is a scope in the strand of the firing that calls (W13, W14)."""
    with tf.workflow() as w:
        enter, done = w.declare_entry("enter"), w.declare_exit("done")
        n = w.declare_input("n", "int", 0)
        a = w.add(work, "a")
        less = w.add(tf.exec_node(lambda n: n - 1, id="less"), "less", n=n)
        again = w.add_recursive("w", "again", n=less.result)
        w.connect(enter, a)
        w.connect(a, less)
        w.connect(less, again, when="out.result > 0")
        w.connect(less, done, otherwise=True)
        w.connect(again, done)
    with tf.workflow() as outer:
        call = outer.add(outer.define("w", w.graph), "call", n=3)
        outer.after(outer.add(work, "start"), call)
        outer.after(call, outer.add(work, "end"))
    assert (await run(outer.graph))[0] == ["start", "a", "a", "a", "end"]
