"""Outputs that say what may be written to them."""

from __future__ import annotations

import pytest

import trioflow as tf


def positive(value) -> bool:
    return value > 0


class Measure(tf.Node):
    """Write a size, as a whole number of more than 0, and a name."""

    enter = tf.ExecIn()
    given = tf.DataIn(object)
    way = tf.DataIn(str, default="set")
    size = tf.DataOut(int, check=positive, convert=int)
    name = tf.DataOut(str)
    then = tf.ExecOut()
    each = tf.ExecOut()
    sizes = tf.Stream(size, fires=each, mode="concurrent")

    async def execute(self, ctx: tf.Context) -> tf.ExecOut:
        value = await ctx.get_input(self.given)
        match await ctx.get_input(self.way):
            case "set":
                ctx.set_output("size", value)
            case "trigger":
                await ctx.trigger(self.each, {self.name: "box", self.size: value})
            case "emit":
                await ctx.emit(self.size, value)
            case _:
                await ctx.trigger(self.each, {"size": value})
        return self.then


def graph(given, way):
    with tf.build() as g:
        node = g.add(Measure, "measure", given=given, way=way)
        g.connect(g.add(tf.nodes.Start, "start").then, node.enter)
    return g.graph


@pytest.mark.parametrize("way", ["set", "trigger", "emit", "one"])
@pytest.mark.parametrize("watched", [False, True])
async def test_what_is_written(way, watched):
    """What was converted, however it is written, and whether somebody watches or not."""
    observers = [lambda event: None] if watched else []
    result = await tf.run(graph("7", way), observers=observers)
    assert result.outputs["measure"]["size"] == 7


@pytest.mark.parametrize("way", ["set", "trigger", "emit", "one"])
@pytest.mark.parametrize(
    ("given", "said"),
    [
        (-1, r"Output 'size' of node 'measure' \(.*Measure\): positive refuses -1\."),
        ("much", r"Output 'size' of node 'measure' \(.*\): int can't convert 'much': invalid literal"),
        ([1] * 99, r"int can't convert \[1, 1, .*\.\.\.: int\(\) argument"),
    ],
)
async def test_what_is_refused(way, given, said):
    """The body fails, and nothing is written, not even beside it."""
    seen: list = []
    with pytest.raises(tf.CoercionError, match=said):
        await tf.run(graph(given, way), observers=[tf.observe(seen.append, kinds=["NodeStarted"], nodes=["measure"])])
    assert len(seen) == 1


async def test_a_check_that_can_not_judge():
    """What it raises is its answer."""

    class Named(tf.Node):
        enter = tf.ExecIn()
        name = tf.DataOut(str, check=positive)
        then = tf.ExecOut()

        async def execute(self, ctx: tf.Context) -> tf.ExecOut:
            ctx.set_output(self.name, "x")
            return self.then

    with tf.build() as g:
        g.connect(g.add(tf.nodes.Start).then, g.add(Named, "named").enter)
    with pytest.raises(tf.CoercionError, match=r"positive can't judge \('>' not supported .*\) 'x'"):
        await tf.run(g.graph)


async def test_data_nodes():
    """The outputs of data nodes may say so, too; names that they don't have are errors as ever."""

    class Half(tf.Node):
        value = tf.DataIn(float)
        half = tf.DataOut(int, convert=round)

        async def execute(self, ctx: tf.DataContext) -> None:
            ctx.set_output(self.half, await ctx.get_input(self.value) / 2)

    with tf.build() as g:
        half = g.add(Half, "half", value=5.2)
        show = g.add(tf.nodes.SetVariable, "show", name="v", value=half.half)
        g.connect(g.add(tf.nodes.Start).then, show.enter)
        g.variable("v", "int", 0)
    assert (await tf.run(g.graph)).variables == {"v": 3}
    with pytest.raises(tf.UnknownSocket, match="has no data output 'sise'. Did you mean 'size'"):

        class Wrong(Measure, id="wrong"):
            async def execute(self, ctx: tf.Context) -> tf.ExecOut:
                ctx.set_output("sise", 1)
                return self.then

        with tf.build() as g:
            g.connect(g.add(tf.nodes.Start).then, g.add(Wrong, given=1).enter)
        await tf.run(g.graph)


def test_types_without_rules_share_their_index():
    """They pay nothing for it."""
    plain = tf.nodes.ForEach.node_type() if hasattr(tf.nodes.ForEach, "node_type") else None
    found = tf.Registry.standard(plugins=False).get("flow.for_each")
    assert plain is None or plain.id == found.id
    assert found.written_index is found.output_index
