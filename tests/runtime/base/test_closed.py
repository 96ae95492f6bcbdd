"""A context is dead once its activation has closed (promises 1 and 3): it can't act, and it can't look."""

from __future__ import annotations

import pytest
import trio
from support import chain

import trioflow as tf
from trioflow.testing import run_virtual


class Keeps(tf.Node, id="test.keeps"):
    """Gives its context, its state and its branches to the host, who keeps them."""

    enter, then, body = tf.ExecIn(), tf.ExecOut(), tf.ExecOut()
    value, item, done = tf.DataIn(int, default=1), tf.DataOut(int), tf.ExecOut()
    stream = tf.Stream(item, fires=body, done=done)

    async def execute(self, ctx: tf.Context) -> tf.ExecOut:
        kept = ctx.services.get("kept")
        async with ctx.branches() as branches:
            branches.start(self.body)
        kept.update(ctx=ctx, state=ctx.state, branches=branches, random=ctx.random)
        return self.then


@tf.data_node(id="test.keeps_data")
async def keeps_data(ctx: tf.DataContext, lazy: tf.Lazy[int] = 3) -> int:
    kept = ctx.services.get("kept")
    kept["data"], kept["lazy"] = ctx, lazy
    return await lazy()


def kept_by_a_run(**options):
    kept = {}
    with tf.build() as g:
        g.variable("v", "int", 0)
        g.event("e")
        keeps = g.add(Keeps, "keeps")
        show = g.add(lambda x: x, "show", x=g.add(keeps_data, "data").result)
        chain(g, g.add(tf.nodes.Start), keeps)
        chain(g, keeps, g.add("variable.set", "set", name="v", value=show.result))
    run_virtual(g.graph, services={"kept": kept}, **options)
    return kept


async def _enter(block):
    async with block:
        pass


ACTS = {
    "trigger": lambda ctx: trio.run(ctx.trigger, "then"),
    "trigger with values": lambda ctx: trio.run(ctx.trigger, "then", {"item": 1}),
    "emit": lambda ctx: trio.run(ctx.emit, "item", 1),
    "publish": lambda ctx: trio.run(ctx.publish, "e"),
    "join": lambda ctx: trio.run(ctx.join),
    "branches": lambda ctx: trio.run(_enter, ctx.branches()),
    "get_input": lambda ctx: trio.run(ctx.get_input, "value"),
    "try_get_input": lambda ctx: trio.run(ctx.try_get_input, "value"),
    "set_output": lambda ctx: ctx.set_output("item", 1),
    "get_variable": lambda ctx: ctx.get_variable("v"),
    "set_variable": lambda ctx: ctx.set_variable("v", 1),
    "is_connected": lambda ctx: ctx.is_connected("value"),
    "configure_stream": lambda ctx: ctx.configure_stream("item", limit=2),
    "failures": lambda ctx: ctx.failures(),
    "state": lambda ctx: ctx.state,
    "services": lambda ctx: ctx.services,
    "random": lambda ctx: ctx.random,
    "entered": lambda ctx: ctx.entered,
    "payload": lambda ctx: ctx.payload,
    "emit_feedback": lambda ctx: ctx.emit_feedback("late"),
    "report_progress": lambda ctx: ctx.report_progress(1),
}


@pytest.mark.parametrize("act", ACTS)
def test_everything_on_the_context(act):
    ctx = kept_by_a_run()["ctx"]
    with pytest.raises(tf.NodeError, match="context of node 'keeps' was used after its activation 0.1 had closed"):
        ACTS[act](ctx)


def test_node_and_path_stay():
    kept = kept_by_a_run()
    assert (kept["ctx"].node.id, kept["ctx"].path) == ("keeps", (0, 1))
    assert (kept["data"].node.id, kept["data"].path) == ("data", (0, 2))


@pytest.mark.parametrize(
    "use",
    [
        lambda kept: kept["state"]["a"],
        lambda kept: kept["state"].update(a=1),
        lambda kept: len(kept["state"]),
        lambda kept: list(kept["state"]),
        lambda kept: kept["state"].clear(),
        lambda kept: kept["branches"].start("body"),
        lambda kept: kept["branches"].cancel(),
        lambda kept: trio.run(kept["branches"].wait_first),
        lambda kept: trio.run(kept["lazy"]),
        lambda kept: trio.run(kept["data"].get_input, "lazy"),
        lambda kept: kept["data"].set_output("result", 1),
        lambda kept: kept["data"].get_variable("v"),
        lambda kept: kept["data"].is_connected("lazy"),
        lambda kept: kept["data"].random,
        lambda kept: kept["data"].services,
    ],
)
def test_state_branches_lazy_inputs_and_data_contexts(use):
    with pytest.raises(tf.NodeError, match="had closed"):
        use(kept_by_a_run())


def test_observers_make_no_difference():
    ctx = kept_by_a_run(observers=[lambda event: None])["ctx"]
    with pytest.raises(tf.NodeError, match="had closed"):
        ctx.set_variable("v", 1)


class Acts(tf.Node, id="test.acts_late"):
    """Uses what another node has kept, while the run goes on."""

    enter = tf.ExecIn()

    async def execute(self, ctx: tf.Context) -> None:
        other = ctx.services.get("kept")["ctx"]
        for act in ("trigger", "get_input", "publish"):
            with pytest.raises(tf.NodeError, match="had closed"):
                await getattr(other, act)({"trigger": "then", "get_input": "value", "publish": "e"}[act])
        for act in ("get_variable", "set_variable", "set_output"):
            with pytest.raises(tf.NodeError, match="had closed"):
                ACTS[act](other)


def test_also_while_the_run_goes_on_and_in_the_same_strand():
    with tf.build() as g:
        g.variable("v", "int", 0)
        g.event("e")
        chain(g, g.add(tf.nodes.Start), g.add(Keeps, "keeps"), g.add(Acts))
    assert run_virtual(g.graph, services={"kept": {}}).variables == {"v": 0}


@pytest.mark.parametrize("ends", ["fails", "is cancelled"])
def test_also_of_an_activation_that_did_not_complete(ends):
    class Ends(tf.Node):
        enter, then = tf.ExecIn(), tf.ExecOut()

        async def execute(self, ctx: tf.Context) -> None:
            ctx.services.get("kept")["ctx"] = ctx
            if ends == "fails":
                raise ValueError
            await trio.sleep(10)

    kept = {}
    with tf.build() as g:
        chain(g, g.add(tf.nodes.Start), g.add(Ends, "keeps"))
    with pytest.raises((ValueError, tf.NodeTimeout)):
        run_virtual(g.graph, services={"kept": kept}, middleware=[tf.TimeLimit(1)])
    with pytest.raises(tf.NodeError, match="had closed"):
        kept["ctx"].emit_feedback("late")


def test_a_task_of_the_host_that_acts_later():
    """The smallest case: it neither runs nodes nor changes what the run leaves behind."""
    errors = []

    async def later(ctx):
        await trio.sleep(1)
        try:
            await ctx.trigger("then")
        except tf.NodeError as error:
            errors.append(str(error))

    @tf.exec_node
    async def starts(ctx: tf.Context) -> None:
        ctx.services.get(trio.Nursery).start_soon(later, ctx)

    with tf.build() as g:
        chain(g, g.add(tf.nodes.Start), g.add(starts, "starts"), g.add(tf.nodes.Delay, seconds=5))

    async def main():
        async with trio.open_nursery() as nursery:
            return await tf.run(g.graph, services={trio.Nursery: nursery})

    result = trio.run(main, clock=trio.testing.MockClock(autojump_threshold=0))
    assert (len(errors), result.statistics.steps) == (1, 3)


def test_a_branch_after_its_block():
    """Refused before anything is counted: the run ends, with the strands that it had."""

    class Late(tf.Node):
        enter, body = tf.ExecIn(), tf.ExecOut()

        async def execute(self, ctx: tf.Context) -> None:
            async with ctx.branches() as branches:
                branches.start(self.body)
            for _ in range(2):
                with pytest.raises(tf.NodeError, match=r"branches.start\(\) comes after the block"):
                    branches.start(self.body)
            with pytest.raises(tf.NodeError, match="comes after the block"):
                await branches.wait_first()
            with pytest.raises(tf.NodeError, match="comes after the block"):
                branches.cancel()

    with tf.build() as g:
        late = g.add(Late)
        chain(g, g.add(tf.nodes.Start), late)
        g.connect(late.body, g.add(tf.nodes.Delay, seconds=1).enter)
    statistics = run_virtual(g.graph).statistics
    assert (statistics.forks, statistics.strands) == (1, 0)


def test_an_emit_after_the_body():
    """A task of the host emits while the items are joined: refused, and none is lost without a word."""
    errors = []

    async def late(ctx):
        await trio.sleep(1)
        try:
            await ctx.emit("item", 2)
        except tf.NodeError as error:
            errors.append(str(error))

    class Emits(tf.Node):
        enter, body, item = tf.ExecIn(), tf.ExecOut(), tf.DataOut(int)
        stream = tf.Stream(item, fires=body, mode="concurrent")

        async def execute(self, ctx: tf.Context) -> None:
            await ctx.emit(self.item, 1)
            ctx.services.get(trio.Nursery).start_soon(late, ctx)

    with tf.build() as g:
        emits = g.add(Emits)
        chain(g, g.add(tf.nodes.Start), emits)
        g.connect(emits.body, g.add(tf.nodes.Delay, seconds=3).enter)

    async def main():
        async with trio.open_nursery() as nursery:
            return await tf.run(g.graph, services={trio.Nursery: nursery})

    result = trio.run(main, clock=trio.testing.MockClock(autojump_threshold=0))
    assert result.statistics.forks == 1
    assert [error.partition(": ")[2][:32] for error in errors] == ["a fork comes after the block tha"]
