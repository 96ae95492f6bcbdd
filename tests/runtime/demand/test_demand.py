"""How data is pulled: D1-D10."""

from __future__ import annotations

import gc
import itertools
import weakref
from contextlib import nullcontext
from typing import NamedTuple

import pytest
import trio
from support import STANDARD, Note, chain, increment
from trio.testing import MockClock

import trioflow as tf
from trioflow.conformance.schedule import controlled
from trioflow.model.sockets import UNSET
from trioflow.testing import run_virtual


class Halves(NamedTuple):
    quotient: int
    remainder: int


class Counted:
    """Data nodes that count how often their bodies run."""

    def __init__(self):
        self.calls = []

    def node(self, name, function=lambda x: x, *, volatile=False):
        def body(x: int = 0) -> int:
            self.calls.append((name, x))
            return function(x)

        return tf.data_node(id=f"counted.{name}", volatile=volatile)(body)


@pytest.fixture
def counted():
    return Counted()


def test_fresh_in_every_round(bench):
    """A data node that depends on a loop index is evaluated for each index (D4)."""
    with tf.build() as g:
        start, loop = g.add(tf.nodes.Start), g.add(tf.nodes.ForLoop, times=3)
        body = g.add(Note, value=g.add(increment, x=loop.index).result)
        g.connect(start.then, loop.enter)
        g.connect(loop.body, body.enter)
    bench.run(g.graph)
    assert bench.notes == [1, 2, 3]


def test_once_while_nothing_changes(bench, counted):
    """However often it is asked, a data node whose inputs did not change is evaluated once (D4)."""
    with tf.build() as g:
        start, loop = g.add(tf.nodes.Start), g.add(tf.nodes.ForLoop, times=5)
        body = g.add(Note, value=g.add(counted.node("constant"), x=7).result)
        g.connect(start.then, loop.enter)
        g.connect(loop.body, body.enter)
    bench.run(g.graph)
    assert (bench.notes, counted.calls) == ([7] * 5, [("constant", 7)])


def test_only_what_depends_on_a_change_is_evaluated_again(bench, counted):
    """Of two chains into one node, only the one whose source changed is evaluated again (D4)."""

    @tf.data_node(id="pair")
    def pair(a: int, b: int) -> tuple[int, int]:
        return (a, b)

    with tf.build() as g:
        start, loop = g.add(tf.nodes.Start), g.add(tf.nodes.ForLoop, times=2)
        still, moving = g.add(counted.node("still"), x=1), g.add(counted.node("moving"), x=loop.index)
        body = g.add(Note, value=g.add(pair, a=still.result, b=moving.result).result)
        g.connect(start.then, loop.enter)
        g.connect(loop.body, body.enter)
    bench.run(g.graph)
    assert bench.notes == [(1, 0), (1, 1)]
    assert counted.calls == [("still", 1), ("moving", 0), ("moving", 1)]


def test_equal_value_is_a_new_version(bench, counted):
    """Writing an output makes a new cell even if the value is equal, so what depends on it is evaluated again (D9)."""

    class Same(tf.Node, id="same", initiator=True):
        out = tf.DataOut(int)
        body = tf.ExecOut()

        async def execute(self, ctx: tf.Context) -> None:
            for _ in range(2):
                await ctx.trigger(self.body, {self.out: 1})

    with tf.build() as g:
        same = g.add(Same)
        note = g.add(Note, value=g.add(counted.node("n"), x=same.out).result)
        g.connect(same.body, note.enter)
    bench.run(g.graph)
    assert counted.calls == [("n", 1), ("n", 1)]


def test_diamond_is_evaluated_once(bench, counted):
    """A node that two others depend on is evaluated once for both (D4)."""

    @tf.data_node(id="sum")
    def add(a: int, b: int) -> int:
        return a + b

    with tf.build() as g:
        start, top = g.add(tf.nodes.Start), g.add(counted.node("top"), x=1)
        left, right = g.add(counted.node("left"), x=top.result), g.add(counted.node("right"), x=top.result)
        note = g.add(Note, value=g.add(add, a=left.result, b=right.result).result)
        chain(g, start, note)
    bench.run(g.graph)
    assert counted.calls == [("top", 1), ("left", 1), ("right", 1)]


def test_nothing_is_evaluated_unasked(bench, counted):
    """A data node that nobody asks for is not evaluated (D4)."""
    with tf.build() as g:
        start, note = g.add(tf.nodes.Start), g.add(Note, value=1)
        g.add(counted.node("idle"), x=1)
        chain(g, start, note)
    bench.run(g.graph)
    assert counted.calls == []


def test_evaluations_nest_in_the_activation_that_asked(bench):
    """Started comes before inputs are resolved, and evaluations nest inside (E1, D7)."""
    with tf.build() as g:
        start, note = g.add(tf.nodes.Start), g.add(Note, "note", value=g.add(increment, "inc", x=1).result)
        chain(g, start, note)
    bench.run(g.graph)
    assert bench.log.rows()[3:8] == [
        ("started", "note", "0.1"),
        ("evaluating", "inc", "0.1"),
        ("evaluated", "inc", "0.1"),
        ("reused", "inc", "0.1"),
        ("completed", "note", "0.1"),
    ]


def test_literal_default_and_none(bench):
    """The order is wire, literal, default; and None is a value that hides the literal and the default (D1)."""

    class Source(tf.Node, id="source", initiator=True):
        none = tf.DataOut(object)
        unset = tf.DataOut(object)
        then = tf.ExecOut()

        async def execute(self, ctx: tf.Context) -> tf.ExecOut:
            ctx.set_output(self.none, None)
            return self.then

    class Reads(tf.Node, id="reads"):
        enter = tf.ExecIn()
        by_default = tf.DataIn(object, default="default")
        literal = tf.DataIn(object, default="default")
        none_literal = tf.DataIn(object, default="default")
        wired_none = tf.DataIn(object, default="default")
        wired_unset = tf.DataIn(object, default="default")
        unset_with_literal = tf.DataIn(object, default="default")

        async def execute(self, ctx: tf.Context) -> None:
            for socket in self.type.inputs:
                ctx.services.get("notes").append((socket.name, await ctx.get_input(socket)))

    with tf.build() as g:
        source = g.add(Source)
        reads = g.add(Reads, literal="literal", none_literal=None, unset_with_literal="literal")
        g.connect(source.none, reads.wired_none)
        g.connect(source.unset, reads.wired_unset)
        g.connect(source.unset, reads.unset_with_literal)
        g.connect(source.then, reads.enter)
    bench.run(g.graph)
    assert bench.notes == [
        ("by_default", "default"),
        ("literal", "literal"),
        ("none_literal", None),
        ("wired_none", None),
        ("wired_unset", "default"),
        ("unset_with_literal", "literal"),
    ]


def test_missing_input(bench):
    """An input whose source is unset, without literal and default, fails and names node, socket and source (D1, D2)."""

    class Late(tf.Node, id="late", initiator=True):
        out = tf.DataOut(int)
        then = tf.ExecOut()

        async def execute(self, ctx: tf.Context) -> tf.ExecOut:
            return self.then

    class Needs(tf.Node, id="needs"):
        enter = tf.ExecIn()
        x = tf.DataIn(int)

        async def execute(self, ctx: tf.Context) -> None:
            raise AssertionError("the body must not start")

    with tf.build() as g:
        late, needs = g.add(Late, "late"), g.add(Needs, "needs")
        g.connect(late.out, needs.x)
        g.connect(late.then, needs.enter)
    error = bench.fails(tf.MissingInput, g.graph)
    assert str(error) == (
        "Input 'x' of node 'needs' (needs) has no value: its source has not been written yet (late.out -> needs.x), and "
        "it has neither a literal nor a default. Give it a literal, or make sure that the source runs first."
    )
    assert bench.log.rows("started", "failed")[-1] == ("failed", "needs", "0.1")


def test_try_get_input(bench):
    """try_get_input gives its default for an unset source, and raises whatever else goes wrong (D1)."""

    @tf.data_node(id="broken")
    def broken() -> int:
        raise KeyError("broken")

    class Tries(tf.Node, id="tries", initiator=True):
        x = tf.DataIn(int, lazy=True)
        y = tf.DataIn(int, lazy=True)
        out = tf.DataOut(int)
        then = tf.ExecOut()

        async def execute(self, ctx: tf.Context) -> None:
            notes = ctx.services.get("notes")
            notes.append(await ctx.try_get_input(self.x, 42))
            with pytest.raises(KeyError):
                await ctx.try_get_input(self.y, 42)

    with tf.build() as g:
        tries = g.add(Tries)
        g.connect(tries.out, tries.x)
        g.connect(g.add(broken).result, tries.y)
    bench.run(g.graph)
    assert bench.notes == [42]


def test_reading_never_runs_an_exec_node(bench):
    """An exec node's output is read from the store; reading does not run the node (D2)."""
    with tf.build() as g:
        start, never = g.add(tf.nodes.Start), g.add(tf.nodes.UpdateVariable, name="v", value=1)
        g.variable("v", "int", 0)
        note = g.add(Note, value=never.result)
        chain(g, start, note)
    bench.run(g.graph)
    assert (bench.notes, bench.log.rows("started")[-1][1]) == ([None], "note")


def test_feedback_through_an_exec_node(bench):
    """A data cycle through an exec node is feedback: each round sees what the last one wrote (M5, D2, D3)."""

    class Accumulate(tf.Node, id="accumulate"):
        enter = tf.ExecIn()
        value = tf.DataIn(int, default=0, lazy=True)
        total = tf.DataOut(int)

        async def execute(self, ctx: tf.Context) -> None:
            total = await ctx.get_input(self.value)
            ctx.set_output(self.total, total)
            ctx.services.get("notes").append(total)

    with tf.build() as g:
        start, loop, node = g.add(tf.nodes.Start), g.add(tf.nodes.ForLoop, times=3), g.add(Accumulate, value=10)
        step = g.add(increment, x=node.total)
        g.connect(step.result, node.value)
        g.connect(start.then, loop.enter)
        g.connect(loop.body, node.enter)
    with pytest.raises(tf.MissingInput):
        bench.run(g.graph)  # `increment` has no default: unset is not a number

    @tf.data_node(id="increment or one")
    def next_(x: int = 0) -> int:
        return x + 1

    with tf.build() as g:
        start, loop, node = g.add(tf.nodes.Start), g.add(tf.nodes.ForLoop, times=3), g.add(Accumulate)
        g.connect(g.add(next_, x=node.total).result, node.value)
        g.connect(start.then, loop.enter)
        g.connect(loop.body, node.enter)
    bench.run(g.graph)
    assert bench.notes == [1, 2, 3]


def test_lazy_input_is_resolved_when_asked(bench, counted):
    """Only the input that a lazy body asks for is evaluated (D4, D7)."""
    with tf.build() as g:
        start = g.add(tf.nodes.Start)
        select = g.add("logic.select", condition=True)
        g.connect(g.add(counted.node("yes"), x=1).result, select.if_true)
        g.connect(g.add(counted.node("no"), x=2).result, select.if_false)
        chain(g, start, g.add(Note, value=select.result))
    bench.run(g.graph)
    assert (bench.notes, counted.calls) == ([1], [("yes", 1)])


def test_what_a_body_pulled_is_compared_too(bench, counted):
    """A lazy body is evaluated again when what it asked for has changed, not when the other input has (D4)."""
    with tf.build() as g:
        g.variable("used", "int", 1)
        g.variable("unused", "int", 1)
        start = g.add(tf.nodes.Start)
        used, unused = g.add("variable.get", name="used"), g.add("variable.get", name="unused")
        select = g.add("logic.select", condition=True, if_true=used.result, if_false=unused.result)
        after = g.add(counted.node("after"), x=select.result)
        first, second, third = (g.add(Note, value=after.result) for _ in range(3))
        set_unused = g.add(tf.nodes.SetVariable, name="unused", value=2)
        set_used = g.add(tf.nodes.SetVariable, name="used", value=3)
        chain(g, start, first, set_unused, second, set_used, third)
    bench.run(g.graph)
    assert bench.notes == [1, 1, 3]
    assert counted.calls == [("after", 1), ("after", 3)]


def test_while_sees_its_condition_change(bench):
    """get_input resolves afresh: a while loop sees its condition change (D7)."""
    with tf.build() as g:
        g.variable("n", "int", 0)
        start, loop = g.add(tf.nodes.Start), g.add(tf.nodes.While)
        n = g.add("variable.get", name="n")
        g.connect(g.add("logic.less", a=n.result, b=3).result, loop.condition)
        step = g.add(tf.nodes.UpdateVariable, name="n", value=1)
        g.connect(start.then, loop.enter)
        g.connect(loop.body, step.enter)
    assert bench.run(g.graph).variables == {"n": 3}


def test_volatile_once_per_activation(bench, counted):
    """A volatile node is evaluated once per activation that asks, with what depends on it, and then forgotten (D6)."""

    class Twice(tf.Node, id="twice"):
        enter = tf.ExecIn()
        x = tf.DataIn(int)
        then = tf.ExecOut()

        async def execute(self, ctx: tf.Context) -> tf.ExecOut:
            await ctx.get_input(self.x)
            await ctx.get_input(self.x)
            return self.then

    with tf.build() as g:
        start = g.add(tf.nodes.Start)
        clock = g.add(counted.node("clock", volatile=True), x=0)
        after = g.add(counted.node("after"), x=clock.result)
        chain(g, start, g.add(Twice, x=after.result), g.add(Twice, x=after.result))
    bench.run(g.graph)
    assert counted.calls == [("clock", 0), ("after", 0)] * 2


@tf.data_node(id="slow")
async def slow(x: int, ctx: tf.DataContext) -> int:
    ctx.services.get("calls").append(str(ctx.path))
    await trio.sleep(1)
    if x < 0:
        raise KeyError("negative")
    return x


def two_branches(x: int) -> tf.Graph:
    with tf.build() as g:
        start, parallel = g.add(tf.nodes.Start), g.add(tf.nodes.Parallel)
        value = g.add(slow, "slow", x=x).result
        a, b, c = (g.add(Note, name, value=value) for name in "abc")
        g.connect(start.then, parallel.enter)
        g.connect(parallel.a, a.enter)
        g.connect(parallel.b, b.enter)
        g.connect(parallel.c, c.enter)
    return g.graph


def test_shared_across_strands(bench):
    """Strands that ask for the same at the same time share one evaluation (D5)."""
    calls = []
    result = bench.run(two_branches(5), services={"calls": calls})
    assert (bench.notes, len(calls), result.statistics.elapsed) == ([5, 5, 5], 1, 1.0)


@pytest.mark.parametrize("victim", ["a", "b", "c"])
def test_leader_cancelled(bench, victim):
    """If the strand that evaluates is cancelled, exactly one waiter takes over and the others go on waiting (D5)."""
    calls = []
    middleware = [tf.SkipOnError(), tf.TimeLimit(0.5, nodes=[victim])]
    result = bench.run(two_branches(5), services={"calls": calls}, middleware=middleware)
    assert bench.notes == [5, 5]
    was_leader = bool(bench.log.rows("evaluation cancelled"))
    assert len(calls) == (2 if was_leader else 1)
    assert result.statistics.elapsed == (1.5 if was_leader else 1.0)


def test_every_waiter_gets_the_failure(bench):
    """If a shared evaluation fails every waiter gets the failure, and the next demand evaluates again (D5)."""
    calls = []
    bench.run(two_branches(-1), services={"calls": calls}, middleware=[tf.SkipOnError(nodes=["a", "b", "c"])])
    assert len(calls) == 1
    assert len(bench.log.rows("skipped")) == 3

    class Again(tf.Node, id="again", initiator=True):
        x = tf.DataIn(int, lazy=True)
        then = tf.ExecOut()

        async def execute(self, ctx: tf.Context) -> None:
            for _ in range(2):
                with pytest.raises(KeyError):
                    await ctx.get_input(self.x)

    with tf.build() as g:
        again = g.add(Again)
        g.connect(g.add(slow, x=-1).result, again.x)
    calls.clear()
    bench.run(g.graph, services={"calls": calls})
    assert len(calls) == 2


@pytest.mark.parametrize("name", ["trigger", "emit", "set_variable", "publish", "join", "branches", "state"])
def test_data_node_can_not_act(bench, name):
    """A data node that tries to trigger, emit, publish or set a variable is an error that says what to do (D8)."""

    @tf.data_node(id="acts")
    async def acts(ctx: tf.DataContext) -> int:
        return getattr(ctx, name)

    with tf.build() as g:
        start = g.add(tf.nodes.Start)
        chain(g, start, g.add(Note, value=g.add(acts, "acts").result))
    assert str(bench.fails(tf.DataNodeEffect, g.graph)) == (
        f"Data node 'acts' called ctx.{name}: a data node only computes outputs from inputs. Give the node type an exec "
        "input to let it act."
    )


class Asks(tf.Node, id="demand.asks"):
    """A data node that does what the service `ask` says."""

    x = tf.DataIn(float, default=0.5)
    lazy = tf.DataIn(object, default=None, lazy=True)
    needed = tf.DataIn(object, lazy=True)
    out = tf.DataOut(object)

    async def execute(self, ctx: tf.DataContext) -> None:
        ctx.set_output(self.out, await ctx.services.get("ask")(ctx))


def test_what_a_data_node_may_ask(bench):
    """A data node's context gives values as its inputs' types, or what the body says, and knows what is wired (D1, D11)."""

    async def ask(ctx):
        asked = [await ctx.get_input("x"), await ctx.try_get_input("x", "no"), await ctx.try_get_input("needed", "no")]
        with pytest.raises(AttributeError, match="^publish_all$"):
            ctx.publish_all  # noqa: B018
        with pytest.raises(tf.MissingInput) as caught:
            await ctx.get_input("needed")
        return [*asked, *map(ctx.is_connected, ("x", "lazy", "needed")), str(caught.value)]

    with tf.build() as g:
        it = g.add(Asks, "it", x=g.add(increment, x=1).result, needed=g.add(left_unset, "never").result)
        chain(g, g.add(tf.nodes.Start), g.add(Note, value=it.out))
    bench.run(g.graph, services={"ask": ask})
    (*asked, message) = bench.notes[0]
    assert repr(asked) == "[2.0, 2.0, 'no', True, False, True]"
    assert message.startswith(
        "Input 'needed' of node 'it' (demand.asks) has no value: its source has not been written yet"
    )


class Nameless:
    def __repr__(self):
        return "<no socket>"


@pytest.mark.parametrize(("socket", "shown"), [("z", "'z'"), (Note.value, "'value'"), (Nameless(), "'<no socket>'")])
def test_socket_of_another_node(bench, socket, shown):
    """A socket that the node has not is told by its name, and those that it has (T4)."""

    async def ask(ctx):
        return await ctx.get_input(socket)

    with tf.build() as g:
        chain(g, g.add(tf.nodes.Start), g.add(Note, value=g.add(Asks, "it", needed=1).out))
    assert str(bench.fails(tf.UnknownSocket, g.graph, services={"ask": ask})) == (
        f"Node 'it' (demand.asks) has no data input {shown}. It declares: x, lazy, needed."
    )


@pytest.mark.parametrize(("names", "known"), [([], "none"), (["one", "two"], "one, two")])
def test_unknown_variable(bench, names, known):
    """A variable that is not there is told, and those that are (D8)."""

    async def ask(ctx):
        return ctx.get_variable("missing")

    with tf.build() as g:
        for name in names:
            g.variable(name)
        chain(g, g.add(tf.nodes.Start), g.add(Note, value=g.add(Asks, "it", needed=1).out))
    assert str(bench.fails(tf.UnknownName, g.graph, services={"ask": ask})) == (
        f"There is no variable 'missing'. The graph declares: {known}."
    )


def test_variable_is_an_input_with_a_version(bench):
    """A data node that reads a variable is never stale (D8)."""

    @tf.data_node(id="reads variable")
    def reads(ctx: tf.DataContext) -> int:
        return ctx.get_variable("v")

    with tf.build() as g:
        g.variable("v", "int", 1)
        start, value = g.add(tf.nodes.Start), g.add(increment, x=g.add(reads).result).result
        first, change, second = g.add(Note, value=value), g.add(tf.nodes.SetVariable, name="v", value=9), None
        second = g.add(Note, value=value)
        chain(g, start, first, change, second)
    bench.run(g.graph)
    assert bench.notes == [2, 10]


@pytest.mark.unmeasured
@pytest.mark.parametrize("depth", [1000, 30_000])
def test_chain_of_any_length(depth):
    """A data chain of thirty thousand nodes evaluates without recursion (D10)."""
    nodes = [tf.GraphNode("start", "flow.start"), tf.GraphNode("print", "test.note")]
    nodes += [tf.GraphNode(f"n{i}", "test.increment", {"x": 0} if i == 0 else {}) for i in range(depth)]
    wires = [tf.Connection(tf.Endpoint("start", "then"), tf.Endpoint("print", "enter"))]
    wires += [tf.Connection(tf.Endpoint(f"n{i}", "result"), tf.Endpoint(f"n{i + 1}", "x")) for i in range(depth - 1)]
    wires.append(tf.Connection(tf.Endpoint(f"n{depth - 1}", "result"), tf.Endpoint("print", "value")))
    registry = tf.Registry.standard(plugins=False)
    registry.add(Note, increment)
    notes = []
    run_virtual(tf.Graph(nodes, wires), registry=registry, services={"notes": notes})
    assert notes == [depth]


@pytest.mark.unmeasured
def test_chain_of_lazy_nodes(bench):
    """A chain of bodies that each ask for the next needs no recursion either (D10)."""
    with tf.build() as g:
        start, value = g.add(tf.nodes.Start), g.add(increment, x=0).result
        for _ in range(5000):
            value = g.add("logic.select", condition=True, if_true=value, if_false=0).result
        chain(g, start, g.add(Note, value=value), g.add(Note, value=value))
    bench.run(g.graph)
    assert bench.notes == [1, 1]


@pytest.mark.slow
def test_wide_sharing(bench, counted):
    """A node with a thousand consumers is evaluated once (D4, D10)."""

    with tf.build() as g:
        start, top = g.add(tf.nodes.Start), g.add(counted.node("top"), x=1)
        notes = [g.add(Note, value=g.add(increment, x=top.result).result) for _ in range(1000)]
        chain(g, start, *notes)
    bench.run(g.graph)
    assert (len(bench.notes), counted.calls) == (1000, [("top", 1)])


def test_coercion_at_the_wire(bench):
    """A value that does not fit is an error that names both ends; int to float is converted (D11)."""

    class Liar(tf.Node, id="liar", initiator=True):
        out = tf.DataOut(object)
        then = tf.ExecOut()

        async def execute(self, ctx: tf.Context) -> tf.ExecOut:
            ctx.set_output(self.out, ctx.get_variable("v"))
            return self.then

    class Float(tf.Node, id="float"):
        enter = tf.ExecIn()
        x = tf.DataIn(float)

        async def execute(self, ctx: tf.Context) -> None:
            ctx.services.get("notes").append(repr(await ctx.get_input(self.x)))

    with tf.build() as g:
        g.variable("v")
        liar, node = g.add(Liar, "liar"), g.add(Float, "float", x=1.5)
        g.connect(liar.out, node.x)
        g.connect(liar.then, node.enter)
    bench.run(g.graph, variables={"v": 3})
    assert bench.notes == ["3.0"]
    assert str(bench.fails(tf.CoercionError, g.graph, variables={"v": "3"})) == (
        "liar.out -> float.x: expected float, got str '3'. Only int to float and declared converters are applied at a "
        "wire; put a conversion node between, or declare a converter in the registry."
    )


def test_declared_converter(bench):
    """A converter that the registry declares is applied at the wire (D11)."""
    registry = tf.Registry.standard(plugins=False)
    registry.add_converter(int, str, str)

    @tf.data_node(id="text of")
    def text_of(x: str) -> str:
        return x

    with tf.build() as g:
        start = g.add(tf.nodes.Start)
        value = g.add(text_of)
        g.connect(g.add(increment, x=1).result, value.x)
        chain(g, start, g.add(Note, value=value.result))
    bench.run(g.graph, registry=registry)
    assert bench.notes == ["2"]


def test_outputs_by_field(bench):
    """A function whose result is a NamedTuple has an output per field (M2)."""

    @tf.data_node(id="divmod")
    def halves(x: int) -> Halves:
        return Halves(*divmod(x, 2))

    with tf.build() as g:
        start, node = g.add(tf.nodes.Start), g.add(halves, x=7)
        chain(g, start, g.add(Note, value=node.quotient), g.add(Note, value=node.remainder))
    bench.run(g.graph)
    assert bench.notes == [3, 1]


@pytest.mark.parametrize("kind", ["function", "async function"])
def test_stop_iteration_is_a_failure(bench, kind):
    """A data node that raises StopIteration fails; it is not taken for a result (D5, R4)."""

    def first(items: list) -> object:
        return next(iter(items))

    async def first_async(items: list) -> object:
        return next(iter(items))

    with tf.build() as g:
        node = g.add(tf.data_node(id="first")(first if kind == "function" else first_async), "first", items=[])
        chain(g, g.add(tf.nodes.Start), g.add(Note, value=node.result))
    error = bench.fails(RuntimeError, g.graph)
    assert str(error).endswith("raised StopIteration")
    assert isinstance(error.__cause__, StopIteration)
    assert bench.log.rows("evaluated", "evaluation failed") == [("evaluation failed", "first", "0.1")]


@tf.data_node(id="nursery around")
async def nursery_around(x: tf.Lazy[int]) -> int:
    async with trio.open_nursery():
        return await x()


@tf.data_node(id="task around")
async def task_around(x: tf.Lazy[int]) -> int:
    found = []

    async def ask() -> None:
        found.append(await x())

    async with trio.open_nursery() as nursery:
        nursery.start_soon(ask)
    return found[0]


@pytest.mark.slow
@pytest.mark.parametrize("around", [nursery_around, task_around])
def test_nurseries_of_data_nodes_are_counted(bench, around):
    """Data nodes that ask from inside of nurseries can't crash trio: too many end with DepthExceeded (F8, D10)."""
    with tf.build() as g:
        value = g.add(slow, x=-1).result
        for _ in range(600):
            value = g.add(around, x=value).result
        chain(g, g.add(tf.nodes.Start), g.add(Note, value=value))
    error = bench.fails(BaseException, g.graph, services={"calls": []})
    while isinstance(error, BaseExceptionGroup):
        (error,) = error.exceptions
    assert isinstance(error, tf.DepthExceeded)
    name = around.__name__.replace("_", " ")
    assert str(error).startswith(f"More than 256 nurseries are open inside each other at node '{name}_")
    (reached,) = (each for each in bench.log if isinstance(each, tf.events.LimitReached))
    assert (reached.path.as_tuple(), reached.limit) == ((0, 1), "nesting")
    assert reached.node.startswith(name)


# --- what comes where nothing was set, whoever left it unset and whoever asks


@tf.data_node(id="demand.left")
def left_unset() -> object:
    return UNSET


@tf.data_node(id="demand.left slowly")
async def left_unset_slowly() -> object:
    return UNSET


@tf.data_node(id="demand.left each time", volatile=True)
def left_unset_each_time() -> object:
    return UNSET


@tf.data_node(id="demand.quick")
def quick(x: object) -> object:
    return x


@tf.data_node(id="demand.awaits")
async def awaits(x: object) -> object:
    return x


@tf.data_node(id="demand.lazy")
async def lazily(x: tf.Lazy[object]) -> object:
    return await x()


@tf.exec_node(id="demand.exec")
def execs(x: object) -> object:
    return x


@tf.exec_node(id="demand.lazy exec")
async def execs_lazily(x: tf.Lazy[object]) -> object:
    return await x()


def asking(g, asks, value, **literal):
    """Two nodes, one after the other, that ask for a value, and a note of what they got."""
    nodes = [g.add(asks, name, **literal) for name in ("one", "two")]
    for node in nodes:
        g.connect(value, node.x)
    notes = [g.add(Note, value=node.result) for node in nodes]
    steps = notes if asks in (quick, awaits, lazily) else [nodes[0], notes[0], nodes[1], notes[1]]
    chain(g, *steps)
    return steps


@pytest.mark.parametrize("observers", [[], [lambda event: None]], ids=["quiet", "watched"])
@pytest.mark.parametrize("asks", [quick, awaits, lazily, execs, execs_lazily])
@pytest.mark.parametrize("source", [left_unset, left_unset_slowly, left_unset_each_time])
def test_unset(bench, source, asks, observers):
    """What a data node left unset is the literal for whoever asks, each time, and missing without one (D1)."""
    for literal, notes in (({"x": 1}, [1, 1]), ({}, [])):
        with tf.build(STANDARD) as g:
            chain(g, g.add(tf.nodes.Start), asking(g, asks, g.add(source).result, **literal)[0])
        with nullcontext() if literal else pytest.raises(tf.MissingInput, match="Input 'x' of node 'one'"):
            run_virtual(g.graph, registry=STANDARD, observers=observers, services={"notes": bench.notes})
        assert bench.notes == notes
        bench.notes.clear()


@pytest.mark.parametrize("observers", [[], [lambda event: None]], ids=["quiet", "watched"])
@pytest.mark.parametrize("asks", [quick, awaits, lazily, execs, execs_lazily])
@pytest.mark.parametrize("source", [left_unset, left_unset_slowly, left_unset_each_time])
def test_unset_outside(bench, source, asks, observers):
    """So it is inside of calls: the literal of the call, of the one further out first, before that of a node (C4, D1)."""
    for outside, between, inside, notes in (
        ({"x": 1}, {"x": 2}, {"x": 3}, [1, 1]),
        ({}, {"x": 2}, {"x": 3}, [2, 2]),
        ({}, {}, {"x": 3}, [3, 3]),
        ({}, {}, {}, []),
    ):
        with tf.build(STANDARD) as inner:
            into, x = inner.declare_entry("in"), inner.declare_input("x", lazy=True)
            inner.connect(into, asking(inner, asks, x, **inside)[0].enter)
        with tf.build(STANDARD) as middle:
            into, x = middle.declare_entry("in"), middle.declare_input("x", lazy=True)
            call = middle.add(middle.define("inner", inner.graph), "call", **between)
            middle.connect(x, call.x)
            middle.connect(into, call["in"])
        with tf.build(STANDARD) as g:
            call = g.add(g.define("middle", middle.graph), "call", **outside)
            g.connect(g.add(source).result, call.x)
            g.connect(g.add(tf.nodes.Start).then, call["in"])
        with nullcontext() if notes else pytest.raises(tf.MissingInput, match="Input 'x' of node 'one'"):
            run_virtual(g.graph, registry=STANDARD, observers=observers, services={"notes": bench.notes})
        assert bench.notes == notes
        bench.notes.clear()


@pytest.mark.parametrize("observers", [[], [lambda event: None]], ids=["quiet", "watched"])
@pytest.mark.parametrize("asks", [quick, awaits, lazily])
@pytest.mark.parametrize("source", [left_unset, left_unset_slowly, left_unset_each_time])
def test_unset_for_a_data_graph(bench, source, asks, observers):
    """So it is in a data graph, and its output may be left unset in turn (C2, D1)."""
    for outside, inside, notes in (({"x": 1}, {"x": 2}, [1, None]), ({}, {"x": 2}, [2, None]), ({}, {}, [])):
        with tf.build(STANDARD) as inner:
            x, y, z = inner.declare_input("x"), inner.declare_output("y"), inner.declare_output("z")
            one = inner.add(asks, "one", **inside)
            inner.connect(x, one.x)
            inner.connect(one.result, y)
            inner.connect(inner.add(source).result, z)
        with tf.build(STANDARD) as g:
            call = g.add(g.define("inner", inner.graph), "call", **outside)
            g.connect(g.add(source).result, call.x)
            chain(g, g.add(tf.nodes.Start), g.add(Note, value=call.y), g.add(Note, value=call.z))
        with nullcontext() if notes else pytest.raises(tf.MissingInput, match="Input 'x' of node 'one'"):
            run_virtual(g.graph, registry=STANDARD, observers=observers, services={"notes": bench.notes})
        assert bench.notes == notes
        bench.notes.clear()


# --- questions in any order, and what is known of them


@tf.data_node(id="demand.three")
async def three(ctx: tf.DataContext, a: int, b: int, c: int) -> tuple[int, int, int]:
    ctx.services.get("calls").append((a, b, c))
    return (a, b, c)


@tf.data_node(id="demand.three questions")
async def three_questions(
    ctx: tf.DataContext, a: tf.Lazy[int], b: tf.Lazy[int], c: tf.Lazy[int]
) -> tuple[int, int, int]:
    answers = (await a(), await b(), await c())
    ctx.services.get("calls").append(answers)
    return answers


@tf.data_node(id="demand.tenfold")
async def tenfold(x: int) -> int:
    return 10 * x


@tf.data_node(id="demand.hundredfold")
async def hundredfold(x: int) -> int:
    return 100 * x


class WritesOne(tf.Node, id="demand.writes one"):
    """Writes the number of the round to all outputs in the first round, then to one after the other."""

    enter = tf.ExecIn()
    round = tf.DataIn(int)
    first = tf.DataOut(int)
    second = tf.DataOut(int)
    third = tf.DataOut(int)
    then = tf.ExecOut()

    async def execute(self, ctx: tf.Context) -> tf.ExecOut:
        number = await ctx.get_input(self.round)
        for place, output in enumerate((self.first, self.second, self.third), 1):
            if number in (0, place):
                ctx.set_output(output, number)
        return self.then


KINDS = {increment: lambda x: x + 1, tenfold: lambda x: 10 * x, hundredfold: lambda x: 100 * x}


@pytest.mark.parametrize("observers", [[], [lambda event: None]], ids=["quiet", "watched"])
@pytest.mark.parametrize("place", ["here", "lazy inputs", "data graph"])
@pytest.mark.parametrize("asks", [three, three_questions])
@pytest.mark.parametrize("order", [*itertools.permutations(KINDS)])
def test_inputs_in_any_order(bench, order, asks, place, observers):
    """Whatever follows what among the inputs, they are asked for in turn, and again only if one has changed (D4, D7)."""
    with tf.build(STANDARD) as inner:
        lazy = place == "lazy inputs"
        it = inner.add(asks, **{name: inner.declare_input(name, "int", lazy=lazy) for name in "abc"})
        if lazy:
            sequence = inner.add(tf.nodes.Sequence)
            inner.connect(inner.declare_entry("in"), sequence.enter)
            inner.connect(sequence.first, inner.add(Note, value=it.result).enter)
            inner.connect(sequence.second, inner.declare_exit("out", callback=True))
            inner.connect(sequence.third, inner.add(Note, value=it.result).enter)
        else:
            inner.connect(it.result, inner.declare_output("result"))
    with tf.build(STANDARD) as g:
        g.variable("unrelated")
        loop, writes = g.add(tf.nodes.ForLoop, times=4), g.add(WritesOne)
        g.connect(loop.index, writes.round)
        changes = g.add(tf.nodes.SetVariable, name="unrelated", value=1)
        outputs = (writes.first, writes.second, writes.third)
        inputs = {name: g.add(kind, x=x).result for name, kind, x in zip("abc", order, outputs, strict=True)}
        it = g.add(asks if place == "here" else g.define("inner", inner.graph), **inputs)
        chain(g, g.add(tf.nodes.Start), loop)
        g.connect(loop.body, writes.enter)
        if lazy:
            g.connect(writes.then, it["in"])
            g.connect(it.out, changes.enter)
        else:
            chain(g, writes, g.add(Note, value=it.result), changes, g.add(Note, value=it.result))
    calls = []
    run_virtual(g.graph, registry=STANDARD, observers=observers, services={"notes": bench.notes, "calls": calls})
    assert calls == [
        tuple(KINDS[kind](place if number >= place else 0) for place, kind in enumerate(order, 1))
        for number in range(4)
    ]
    assert bench.notes == [each for each in calls for _ in range(2)]


@tf.data_node(id="demand.sum")
def sum_of(a: int, b: int) -> int:
    return a + b


@tf.data_node(id="demand.async sum")
async def async_sum(a: int, b: int) -> int:
    return a + b


@tf.data_node(id="demand.lazy sum")
async def lazy_sum(a: tf.Lazy[int], b: tf.Lazy[int]) -> int:
    return await a() + await b()


@tf.data_node(id="demand.clock", volatile=True)
def clock(x: int) -> int:
    return x


class Everywhere(tf.Middleware):
    """Does nothing, around each data node but `unset`."""

    def applies(self, node, node_type):
        return not node_type.is_exec and node.id != "unset"

    async def __call__(self, invocation):
        return await invocation()


@pytest.mark.parametrize("observers", [[], [lambda event: None]], ids=["quiet", "watched"])
@pytest.mark.parametrize("inside", [False, True])
@pytest.mark.parametrize("adds", [sum_of, async_sum, lazy_sum])
@pytest.mark.parametrize(
    "kind", ["as it is", "volatile", "with a middleware", "unset before", "with a middleware, unset before"]
)
def test_ladder(bench, kind, adds, inside, observers):
    """What two ask for is looked at once, so thirty diamonds on each other take no longer than thirty nodes (D4, D10)."""
    with tf.build(STANDARD) as inner:
        a, b = inner.declare_input("a", "int"), inner.declare_input("b", "int")
        inner.connect(inner.add(adds, a=a, b=b).result, inner.declare_output("result", "int"))
    with tf.build(STANDARD) as g:
        g.variable("unrelated")
        start, loop = g.add(tf.nodes.Start), g.add(tf.nodes.ForLoop, times=2)
        value = g.add(clock, x=loop.index).result if kind == "volatile" else loop.index
        node = g.define("inner", inner.graph) if inside else adds
        for _ in range(30):
            value = g.add(node, a=value, b=value).result
        first, second = g.add(Note, value=value), g.add(Note, value=value)
        unset = g.add(execs, x="literal")
        g.connect(g.add(left_unset, "unset").result, unset.x)
        chain(g, start, *([unset] if "unset" in kind else []), loop)
        g.connect(loop.body, first.enter)
        chain(g, first, g.add(tf.nodes.SetVariable, name="unrelated", value=1), second)
    middleware = [Everywhere()] if "middleware" in kind else []
    result = run_virtual(
        g.graph, registry=STANDARD, observers=observers, middleware=middleware, services={"notes": bench.notes}
    )
    assert bench.notes == [0, 0, 2**30, 2**30]
    each = 60 if inside else 30
    assert result.statistics.evaluations == (4 * (each + 1) if kind == "volatile" else 2 * each + ("unset" in kind))


class Made:
    """What can be seen to go."""


@tf.exec_node(id="demand.keep")
def kept(x: int) -> int:
    return x


@tf.data_node(id="demand.hears of a failure")
async def hears(x: tf.Lazy[int], fails: tf.Lazy[int]) -> int:
    with pytest.raises(ZeroDivisionError):
        await fails()
    return await x()


@tf.data_node(id="demand.fails")
async def fails() -> int:
    return 1 // 0


def late_constant(g, number):
    return [number, g.add(tenfold, x=1).result]


def after_a_failure(g, number):
    return [g.add(hears, x=1, fails=g.add(fails).result).result]


def variable(g, number):
    return [g.add("variable.get", name="v").result]


@pytest.mark.unmeasured
@pytest.mark.parametrize("inputs", [late_constant, after_a_failure, variable])
def test_what_is_computed_goes_with_what_it_was_computed_from(bench, inputs):
    """A value is kept as long as its youngest input, however late the others were computed (D4)."""
    alive = weakref.WeakSet()

    @tf.data_node(id="demand.makes")
    async def makes(a: int, b: int = 0) -> object:
        alive.add(made := Made())
        return made

    @tf.data_node(id="demand.living")
    async def living(made: object) -> int:
        gc.collect()
        return len(alive)

    with tf.build(STANDARD) as g:
        g.variable("v", "int", 0)
        start, loop, keeps = g.add(tf.nodes.Start), g.add(tf.nodes.ForLoop, times=4), g.add(kept)
        g.connect(loop.index, keeps.x)
        made = g.add(makes, **dict(zip("ab", inputs(g, keeps.result), strict=False)))
        count = g.add(living, made=made.result)
        g.connect(start.then, loop.enter)
        g.connect(loop.body, keeps.enter)
        chain(g, keeps, g.add(Note, value=count.result), g.add(tf.nodes.UpdateVariable, name="v", value=1))
    run_virtual(
        g.graph, registry=STANDARD, services={"notes": bench.notes}
    )  # a log of failures would hold what they passed through
    assert max(bench.notes) == 2  # the last one, and that of the round before, which is being replaced


@pytest.mark.parametrize("asks", [awaits, quick, lazily])
@pytest.mark.parametrize("inside", [False, True])
def test_what_saw_a_failure_is_good_for_one_demand(bench, asks, inside):
    """A value that came of a caught failure goes to whoever asked, through whatever is between, once (D5)."""
    with tf.build(STANDARD) as inner:
        into, x = inner.declare_entry("in"), inner.declare_input("x", lazy=True)
        inner.connect(into, asking(inner, asks, x)[0].enter)
    with tf.build(STANDARD) as g:
        start, value = g.add(tf.nodes.Start), g.add(hears, "hears", x=1, fails=g.add(fails).result).result
        if inside:
            g.connect(start.then, g.add(g.define("inner", inner.graph), "call", x=value)["in"])
        else:
            chain(g, start, asking(g, asks, value)[0])
    bench.run(g.graph, registry=STANDARD)
    assert bench.notes == [1, 1]
    # A note asks twice, and a body that asks itself, what it got before and then again.
    assert [name for _, name, _ in bench.log.rows("evaluated")].count("hears") == (6 if asks is lazily else 4)


def test_what_fails_is_told(bench):
    """A failure of a data node names the node where it arose, and observers get it (R4, E2)."""
    for source, note in (
        (fails, "in node 'fails' (demand.fails), activation 0.1"),
        (left_unset, "in node 'one' (demand.awaits), activation 0.1"),
    ):
        with tf.build(STANDARD) as g:
            one = g.add(awaits, "one")
            g.connect(g.add(source, "fails").result, one.x)
            chain(g, g.add(tf.nodes.Start), g.add(Note, value=one.result))
        error = bench.fails(Exception, g.graph)
        assert error.__notes__ == [note]
        told = [each.error for each in bench.log if isinstance(each, tf.events.EvaluationFailed)]
        assert told == ([error] if source is fails else [])


def test_inside_of_a_data_graph_is_elsewhere(bench):
    """What a data graph evaluates is never taken for what the graph around it evaluates at the time (D5, C2)."""
    with tf.build(STANDARD) as inner:
        value, by = inner.declare_input("value", "int"), inner.declare_input("by", "int")
        for _ in range(20):
            value = inner.add(lazy_sum, a=value, b=by).result
        inner.connect(value, inner.declare_output("y", "int"))
    with tf.build(STANDARD) as g:
        call = g.add(g.define("inner", inner.graph), "call", value=0, by=1)
        chain(g, g.add(tf.nodes.Start), g.add(Note, value=g.add(tenfold, x=call.y).result))
    bench.run(g.graph, registry=STANDARD, options=tf.RunOptions(timeout=1))
    assert bench.notes == [200]


@pytest.mark.parametrize("adds", [sum_of, async_sum])
def test_steps_of_a_controlled_run(adds):
    """A controlled schedule decides on each evaluation, whether somebody watches or not."""

    async def labels(**arguments):
        async with controlled() as schedule:
            await tf.run(g.graph, services={"notes": []}, **arguments)
        return [step.chosen for step in schedule.steps]

    with tf.build(STANDARD) as g:
        value = g.add(adds, "second", a=g.add(adds, "first", a=1, b=2).result, b=3)
        chain(g, g.add(tf.nodes.Start), g.add(Note, value=value.result))
    quiet, watched = (
        trio.run(lambda observers=observers: labels(observers=observers), clock=MockClock())
        for observers in ([], [lambda event: None])
    )
    assert quiet == watched
    assert len(quiet) == 4


class Around(tf.Middleware):
    """For the node `it`: does what the service `around` says, then runs the body."""

    def applies(self, node, node_type):
        return node.id == "it"

    async def __call__(self, invocation):
        await invocation.context.services.get("around")(invocation.context)
        return await invocation()


@pytest.mark.parametrize("observers", [[], [lambda event: None]], ids=["quiet", "watched"])
@pytest.mark.parametrize("inside", [False, True])
@pytest.mark.parametrize("asks", [quick, awaits, lazily])
def test_what_a_middleware_asks_for_is_an_input_too(bench, asks, inside, observers):
    """A function is called again when a variable has changed that a middleware around it has read (D8)."""

    async def around(ctx):
        seen.append(ctx.get_variable("v"))

    seen = []
    with tf.build(STANDARD) as inner:
        inner.connect(inner.add(asks, x=inner.declare_input("x")).result, inner.declare_output("result"))
    with tf.build(STANDARD) as g:
        g.variable("v", "int", 1)
        it = g.add(g.define("inner", inner.graph) if inside else asks, "asks", x=g.add(increment, "it", x=5).result)
        first, second, third = (g.add(Note, value=it.result) for _ in range(3))
        change = g.add(tf.nodes.SetVariable, name="v", value=2)
        chain(g, g.add(tf.nodes.Start), first, second, change, third)
    services = {"notes": bench.notes, "around": around}
    run_virtual(g.graph, registry=STANDARD, observers=observers, services=services, middleware=[Around()])
    assert (bench.notes, seen) == ([6, 6, 6], [1, 2])


@pytest.mark.parametrize("observers", [[], [lambda event: None]], ids=["quiet", "watched"])
@pytest.mark.parametrize("asks", [quick, awaits, lazily])
def test_what_was_written_meanwhile(bench, asks, observers):
    """A value computed while its input was written is for those that asked, not for those that ask later (D4)."""

    class Writes(tf.Node, id="demand.writes"):
        enter = tf.ExecIn()
        value = tf.DataIn(object, lazy=True)
        leaf = tf.DataOut(int)

        async def execute(self, ctx: tf.Context) -> None:
            async def ask() -> None:
                bench.notes.append(await ctx.get_input(self.value))

            ctx.set_output(self.leaf, 1)
            async with trio.open_nursery() as nursery:
                nursery.start_soon(ask)
                await trio.sleep(1)
                ctx.set_output(self.leaf, 2)
            await ask()

    async def around(ctx):
        await trio.sleep(2)

    with tf.build(STANDARD) as g:
        writes = g.add(Writes)
        g.connect(g.add(asks, x=g.add(increment, "it", x=writes.leaf).result).result, writes.value)
        g.connect(g.add(tf.nodes.Start).then, writes.enter)
    services = {"around": around}
    result = run_virtual(g.graph, registry=STANDARD, observers=observers, services=services, middleware=[Around()])
    assert bench.notes == [2, 3]
    assert result.statistics.elapsed == 4
    assert result.statistics.evaluations == 4


async def test_who_comes_late_sees_what_was_there(bench):
    """What was evaluated while nobody watched has no key for whoever comes to watch (E3, E5)."""
    seen = []

    class Subscribes(tf.Node, id="demand.subscribes"):
        enter = tf.ExecIn()
        value = tf.DataIn(object, lazy=True)
        leaf = tf.DataOut(int)

        async def execute(self, ctx: tf.Context) -> None:
            ctx.set_output(self.leaf, 1)
            await ctx.get_input(self.value)
            async with run.events() as subscription:
                await ctx.get_input(self.value)
                await ctx.get_input(self.value)
            async for event in subscription:
                seen.append((type(event), event.node, event.key))

    with tf.build(STANDARD) as g:
        node = g.add(Subscribes)
        g.connect(g.add(increment, "it", x=node.leaf).result, node.value)
        g.connect(g.add(tf.nodes.Start).then, node.enter)
    async with tf.open_run(g.graph) as run:
        await run.result()
    assert seen == [(tf.events.EvaluationReused, "it", "")] * 2


@pytest.mark.parametrize("asks", [sum_of, async_sum, lazy_sum])
def test_data_graph_asks_once_for_each_input(bench, asks):
    """However often an input is asked for inside of a data graph, it is evaluated once for one evaluation (C4, D5)."""
    with tf.build(STANDARD) as inner:
        x, y = inner.declare_input("x", "int"), inner.declare_output("y", "int")
        inner.connect(inner.add(asks, a=x, b=inner.add(tenfold, x=x).result).result, y)
    with tf.build(STANDARD) as g:
        source = g.add(hears, "hears", x=1, fails=g.add(fails).result)
        it = g.add(execs, "it")
        g.connect(g.add(g.define("inner", inner.graph), "call", x=source.result).y, it.x)
        chain(g, g.add(tf.nodes.Start), it)
    assert bench.run(g.graph, registry=STANDARD).output("it") == 11
    assert [name for _, name, _ in bench.log.rows("evaluated")].count("hears") == 1


def test_each_input_of_a_call_has_its_type(bench):
    """One value that comes in at two inputs is of the type of each (C4, D11)."""
    with tf.build(STANDARD) as inner:
        a, b = inner.declare_input("a", "int", lazy=True), inner.declare_input("b", "float", lazy=True)
        notes = [inner.add(Note, value=value) for value in (a, b)]
        inner.connect(inner.declare_entry("in"), notes[0].enter)
        chain(inner, *notes)
    with tf.build(STANDARD) as g:
        value = g.add(tenfold, x=1).result
        call = g.add(g.define("inner", inner.graph), "call", a=value, b=value)
        g.connect(g.add(tf.nodes.Start).then, call["in"])
    bench.run(g.graph, registry=STANDARD)
    assert repr(bench.notes) == "[10, 10.0]"


@pytest.mark.parametrize("source", [increment, tenfold])
def test_what_is_current_is_told_as_reused(bench, source):
    """What a body asks for a second time, at another input, is told as re-used (E3)."""
    with tf.build(STANDARD) as g:
        value = g.add(source, "source", x=1).result
        it = g.add(execs_lazily, "it")
        g.connect(g.add(lazy_sum, "sum", a=value, b=value).result, it.x)
        chain(g, g.add(tf.nodes.Start), it)
    bench.run(g.graph, registry=STANDARD)
    assert [row[:2] for row in bench.log.rows("evaluating", "evaluated", "reused")] == [
        ("evaluating", "sum"),
        ("evaluating", "source"),
        ("evaluated", "source"),
        ("reused", "source"),
        ("evaluated", "sum"),
    ]


def test_what_left_its_output_unset_is_reused_by_its_key(bench):
    """An evaluation that left its output unset is told as re-used with its own key (E3, E5)."""
    with tf.build(STANDARD) as g:
        start, unset = g.add(tf.nodes.Start), g.add(left_unset)
        asking = [g.add(execs, name, x="literal") for name in ("one", "two")]
        for node in asking:
            g.connect(unset.result, node.x)
        chain(g, start, *asking)
    bench.run(g.graph, registry=STANDARD)
    (made,) = (each.key for each in bench.log if isinstance(each, tf.events.EvaluationCompleted))
    assert [each.key for each in bench.log if isinstance(each, tf.events.EvaluationReused)] == [made]


@pytest.mark.parametrize(("same", "seconds"), [(True, 1), (False, 2)])
def test_failure_after_questions(bench, same, seconds):
    """Who waited for an evaluation that failed gets the failure if it got the same answers, or else tries itself (D5)."""

    @tf.data_node(id="demand.asks and fails")
    async def asks_and_fails(a: tf.Lazy[int], b: tf.Lazy[int]) -> int:
        answers = (await a(), await b())
        await trio.sleep(1)
        raise ValueError(answers)

    with tf.build(STANDARD) as g:
        start, parallel, keeps = g.add(tf.nodes.Start), g.add(tf.nodes.Parallel), g.add(kept, x=5)
        fails = g.add(asks_and_fails, a=g.add(tenfold, x=2).result, b=keeps.result)
        note = g.add(Note, "note", value=fails.result)
        chain(g, start, *([keeps, parallel] if same else [parallel]))
        for output in (parallel.a, parallel.b):
            g.connect(output, (note if same else keeps).enter)
        if not same:
            chain(g, keeps, note)
    result = bench.run(g.graph, registry=STANDARD, middleware=[tf.SkipOnError(nodes=["note"])])
    assert len(bench.log.rows("evaluation failed")) == seconds
    skipped = [each for each in bench.log if isinstance(each, tf.events.NodeSkipped)]
    assert [each.error.args for each in skipped] == [((20, 5),)] * 2
    assert result.statistics.elapsed == seconds
