"""What a plan knows of graphs that are called, and of what never changes by itself: C1 to C5, C7, D1, D6, D11."""

from __future__ import annotations

import datetime
from typing import NamedTuple

import pytest
from support import STANDARD, Items, Note, chain, increment

import trioflow as tf
from trioflow.semantics.plan import Source, Target
from trioflow.semantics.planning import make_plan


@tf.data_node(id="plan.clock", volatile=True)
def clock() -> int:
    return 1


@tf.data_node(id="plan.slow")
async def slow(x: int = 0) -> int:
    return x


@tf.data_node(id="plan.asks")
def asks(ctx: tf.DataContext, x: int = 0) -> int:
    return x


@tf.data_node(id="plan.choosy")
async def choosy(x: tf.Lazy[int] = 0) -> int:  # type: ignore[assignment]
    return 1


@tf.data_node(id="plan.add")
def add(a: int = 0, b: int = 0) -> int:
    return a + b


class Both(NamedTuple):
    low: int
    high: int


class Takes(tf.Node, id="plan.takes_value"):
    enter = tf.ExecIn()
    optional = tf.DataIn(int, default=7)
    value = tf.DataOut(int)

    async def execute(self, ctx: tf.Context) -> None: ...


class Emits(tf.Node, id="plan.emits"):
    """A stream that tells nobody that it is over."""

    enter = tf.ExecIn()
    item = tf.DataOut(int)
    body = tf.ExecOut()
    stream = tf.Stream(item, fires=body)

    async def execute(self, ctx: tf.Context) -> None: ...


def plan_of(g):
    return make_plan(g.graph, STANDARD)


def node(plan, name):
    found = plan.node(name)
    assert found is not None
    return found


def called(inner, fill=lambda g, call: None):
    """The plan of a graph that calls `inner` at its node `call`."""
    with tf.build(STANDARD) as g:
        g.define("inner", inner.graph)
        g.add(tf.nodes.Start, "start")
        fill(g, g.add("graph:inner", "call"))
    return plan_of(g)


# --- plain functions


@pytest.mark.parametrize(
    ("kind", "static"),
    [(add, True), (clock, False), (slow, False), (asks, False), (choosy, False), (Note, False)],
)
def test_static(kind, static):
    """A data node is static if it is a plain function of eager inputs that does not change by itself (D6, D8)."""
    with tf.build(STANDARD) as g:
        g.add(tf.nodes.Start)
        g.add(kind, "it")
    assert node(plan_of(g), "it").static is static


def test_what_is_behind_no_plain_function():
    """What asks a node that is not static, at any distance, is not; what it does not ask may be (D4, D6)."""
    with tf.build(STANDARD) as g:
        start, note = g.add(tf.nodes.Start), g.add(Note, "note")
        g.connect(start.then, note.enter)
        apart = g.add(increment, "apart", x=1)
        moving, mixed = g.add(clock, "clock"), g.add(add, "mixed", a=apart.result)
        g.connect(moving.result, mixed.b)
        last = g.add(increment, "last", x=g.add(increment, "middle", x=mixed.result).result)
        g.add(add, "twice", a=last.result, b=last.result)
        items = g.add(Items, "items")
        g.add(increment, "reads", x=items.item)
    found = plan_of(g).nodes
    assert [each.id for each in found if each.static] == ["apart", "reads"]
    assert [each.id for each in found if each.impure] == ["clock", "mixed", "middle", "last", "twice"]


# --- boundaries


def exec_graph(fill=lambda inner, x, lazy: None):
    """A graph with one entry and one exit, an input `x` and a lazy one."""
    with tf.build(STANDARD) as inner:
        into, out = inner.declare_entry("in"), inner.declare_exit("out")
        x, lazy = inner.declare_input("x", "int", 1), inner.declare_input("lazy", "int", 2, lazy=True)
        inner.connect(into, out)
        fill(inner, x, lazy)
    return inner


def test_lazy_input_of_a_graph():
    """A lazy input is asked for outside whenever it is needed, which no unchanged store proves current (C4, D6)."""

    def fill(inner, x, lazy):
        note = inner.add(Note, "note")
        inner.add(increment, "eager", x=x)
        asked = inner.add(increment, "asked", x=lazy)
        inner.add(increment, "behind", x=asked.result)
        inner.connect(lazy, note.value)

    plan = node(called(exec_graph(fill)), "call").graph
    enter = node(plan, "enter")
    (eager,), (asked,), (value,) = (node(plan, name).inputs for name in ("eager", "asked", "note"))
    assert (eager.source, eager.slot, eager.output) == (Source.SLOT, enter.first_output, 0)
    assert (asked.source, asked.output) == (value.source, value.output) == (Source.PORT, 1)
    assert plan.has_ports
    assert [each.id for each in plan.nodes if each.impure] == ["asked", "behind"]
    assert [each.id for each in plan.nodes if each.static] == ["eager"]


def test_inputs_of_a_data_graph():
    """Every input of a data graph is asked for where it is needed; that changes only with the store outside (C2, C4)."""
    with tf.build(STANDARD) as inner:
        x, y = inner.declare_input("x", "int", 1), inner.declare_output("y")
        inner.connect(inner.add(increment, "asks", x=x).result, y)
    plan = node(called(inner), "call").graph
    asks_ = node(plan, "asks")
    assert (asks_.inputs[0].source, asks_.static, asks_.impure) == (Source.PORT, False, False)
    assert (node(plan, "enter").first_output, node(plan, "leave").first_output) == (-1, -1)


def test_no_ports():
    """A graph that asks for nothing outside has no ports (C4)."""
    assert not node(called(exec_graph()), "call").graph.has_ports
    with tf.build(STANDARD) as g:
        chain(g, g.add(tf.nodes.Start), g.add(Note, value=g.add(increment, x=1).result))
    assert not plan_of(g).has_ports


def test_boundaries():
    """The nodes at the boundary are known, and where the exit that was reached is written (C5)."""
    plan = node(called(exec_graph()), "call").graph
    assert (plan.enter.id, plan.leave.id) == ("enter", "leave")
    assert (plan.exit_slot, plan.size) == (2, 4)
    assert [each.name for each in plan.interface.inputs] == ["x", "lazy"]
    outer = called(exec_graph())
    assert (outer.enter, outer.leave) == (None, None)
    assert outer.exit_slot + 1 == outer.size


def test_defaults_of_an_interface():
    """A graph that runs by itself takes the defaults of its inputs, typed; those without have none (C1, D1, D11)."""
    with tf.build(STANDARD) as g:
        g.declare_input("day", "date", "2026-02-28")
        g.declare_input("none", "date", None)
        g.declare_input("nothing", "date")
        g.add(tf.nodes.Start)
    day, none, nothing = plan_of(g).defaults
    assert (day.value, day.serial, day.origin) == (datetime.date(2026, 2, 28), -1, "='2026-02-28'")
    assert (none.value, none.serial) == (None, -1)
    assert nothing is None


def test_shared_events():
    """Which events the graph around hears too is known (C7)."""
    with tf.build(STANDARD) as g:
        g.event("own")
        g.event("everybody's", shared=True)
        g.add(tf.nodes.Start)
    assert plan_of(g).shared == {"everybody's"}


# --- calls


def two_outputs():
    with tf.build(STANDARD) as inner:
        x = inner.declare_input("x", "int", 1)
        inner.connect(inner.add(increment, x=x).result, inner.declare_output("y", "int"))
        inner.connect(x, inner.declare_output("z", "int"))
    return inner


def test_outputs_of_a_data_graph():
    """Each output of a data graph is evaluated by itself: a plan node with a slot of its own and the same inputs (C2)."""

    def fill(g, call):
        g.add(add, "both", a=call.y, b=call.z)

    plan = called(two_outputs(), fill)
    call = node(plan, "call")
    (other,) = [each for each in plan.nodes if each.id == "call" and each is not call]
    assert [(each.only, each.graph, each.inputs) for each in (call, other)] == [
        (0, call.graph, call.inputs),
        (1, call.graph, call.inputs),
    ]
    assert other.index == plan.nodes.index(other) == 3
    assert (call.slot, other.slot, plan.size) == (0, 2, 4)
    a, b = node(plan, "both").inputs
    assert (a.upstream, a.slot, a.output) == (call, 0, 0)
    assert (b.upstream, b.slot, b.output) == (other, 2, 1)


def test_volatile_graph():
    """A data graph that holds a volatile node is volatile itself, through any number of graphs; no other is (C2, D6)."""
    with tf.build(STANDARD) as inmost:
        inmost.connect(inmost.add(clock).result, inmost.declare_output("y", "int"))
    with tf.build(STANDARD) as middle:
        middle.define("inmost", inmost.graph)
        middle.connect(middle.add("graph:inmost", "deep").y, middle.declare_output("y", "int"))
    with tf.build(STANDARD) as acts:
        acts.define("inmost", inmost.graph)
        acts.connect(acts.declare_entry("in"), acts.declare_exit("out"))
        acts.add("graph:inmost", "deep")
    with tf.build(STANDARD) as g:
        for name, graph in (("middle", middle), ("still", two_outputs()), ("acts", acts)):
            g.define(name, graph.graph)
        g.add(tf.nodes.Start)
        for name in ("middle", "still", "acts"):
            g.add(f"graph:{name}", name)
    plan = plan_of(g)
    found = {name: node(plan, name).volatile for name in ("middle", "middle/deep", "still", "acts", "acts/deep")}
    assert found == {"middle": True, "middle/deep": True, "still": False, "acts": False, "acts/deep": True}


def test_one_volatile_graph():
    """Also if it is the only one (C2, D6)."""
    with tf.build(STANDARD) as inner:
        inner.connect(inner.add(clock).result, inner.declare_output("y", "int"))
    call = node(called(inner), "call")
    assert (call.volatile, call.impure) == (True, True)


def test_only_data_graphs_are_split():
    """A function evaluates all its outputs at once, and a graph that acts writes all of its own: one node each (C2)."""

    @tf.data_node(id="plan.both")
    def both(x: int = 0) -> Both:
        return Both(x, x)

    with tf.build(STANDARD) as inner:
        inner.connect(inner.declare_entry("in"), inner.declare_exit("out"))
        for name in "yz":
            inner.connect(inner.declare_input(f"given_{name}", "int", 1), inner.declare_output(name, "int"))
    plan = called(inner, lambda g, call: g.add(both, "both"))
    assert [each.id for each in plan.nodes] == ["start", "call", "both"]


def test_way_to_a_node():
    """A node is found by its id, and in a graph that is called by the ids on the way, slashes in them or not (C8)."""
    with tf.build(STANDARD) as g:
        g.define("inner", two_outputs().graph)
        g.add(tf.nodes.Start, "a/b")
        g.add(increment, "call", x=1)
        g.add("graph:inner", "call/again")
    plan = plan_of(g)
    assert node(plan, "a/b").id == "a/b"
    assert plan.node("call/again/increment") is node(node(plan, "call/again").graph, "increment")
    assert [plan.node(path) for path in ("no", "a/no", "call/increment", "call/again/no", "no/increment")] == [None] * 5


def test_graph_that_only_others_start():
    """A graph without a start of its own can be called, not run (C3, M4)."""
    with pytest.raises(tf.InvalidGraph) as caught:
        plan_of(exec_graph())
    assert str(caught.value) == (
        "The graph can be called by other graphs, but no node starts it, so by itself nothing would run. Add a node of a "
        "type such as flow.start."
    )
    with tf.build(STANDARD) as g:
        g.connect(g.declare_entry("in"), g.declare_exit("out"))
        g.event("e")
        g.add(tf.nodes.Listen, event="e")
    assert plan_of(g).initiators == ()


# --- inputs and variables


def test_inputs_of_one_type_are_shared():
    """Inputs that have neither wire nor literal are one object for all nodes of a type (R7)."""
    with tf.build(STANDARD) as g:
        chain(g, g.add(tf.nodes.Start), g.add(Note, "a"), g.add(Note, "b"), g.add(Note, "c", value=1))
    plan = plan_of(g)
    a, b, c = (node(plan, name).inputs[0] for name in "abc")
    assert a is b
    assert a is not c
    assert (a.constant.value, a.constant.serial, a.constant.origin, a.wire) == (None, -1, "=None", None)
    assert (c.node, c.constant.value, c.constant.origin, c.output, c.slot) == ("c", 1, "=1", -1, -1)


def test_coercers_of_inputs():
    """An input has a coercer if its type says anything, and the type that needs no look (D11)."""
    with tf.build(STANDARD) as g:
        chain(g, g.add(tf.nodes.Start), g.add(Note, "any"), g.add(Items, "numbers"))
    plan = plan_of(g)
    (anything,), (numbers,) = node(plan, "any").inputs, node(plan, "numbers").inputs
    assert (anything.coercer, anything.passing) == (None, frozenset())
    assert (numbers.passing, numbers.coercer.passing) == ({int}, {int})


def test_variables():
    """A variable has its policy, its default as a value of its type, and a coercer if its type says anything (F4, D11)."""
    with tf.build(STANDARD) as g:
        g.variable("day", "date", "2026-02-28", merge="first")
        g.variable("any")
        g.add(tf.nodes.Start)
    plan = plan_of(g)
    assert [(each.name, each.policy, each.default) for each in plan.variables] == [
        ("day", "first", datetime.date(2026, 2, 28)),
        ("any", "last", None),
    ]
    assert [coercer and coercer.passing for coercer in plan.variable_coercers] == [{datetime.date}, None]
    assert plan.merges == STANDARD.merges


def test_converters_apply_to_literals():
    """Literals, defaults of variables and of interfaces go through the host's converters (D11)."""
    registry = tf.Registry.standard(plugins=False)
    registry.add_converter(str, int, int)
    with tf.build(registry) as g:
        g.variable("count", "int", "3")
        g.declare_input("x", "int", "4")
        g.add(tf.nodes.Start)
        g.add(increment, "literal", x="5")
    plan = make_plan(g.graph, registry)
    assert plan.variables[0].default == 3
    assert plan.defaults[0].value == 4
    assert node(plan, "literal").inputs[0].constant.value == 5
    assert node(plan, "literal").inputs[0].coercer("6") == plan.variable_coercers[0]("6") == 6


def test_stream():
    """A stream has its name, and no exec output for its end if its type has none (S1)."""
    with tf.build(STANDARD) as g:
        chain(g, g.add(tf.nodes.Start, "start"), g.add(Items, "items"))
        g.add(Emits, "emits")
        g.add(increment, "data", x=1)
    plan = plan_of(g)
    assert [(each.name, each.done) for name in ("items", "emits") for each in node(plan, name).streams] == [
        ("stream", 1),
        ("stream", None),
    ]
    assert node(plan, "start").streams == node(plan, "data").streams == ()


def test_graph():
    """A plan knows its graph, and a target what it is started with (R7, B1)."""
    with tf.build(STANDARD) as g:
        g.add(tf.nodes.Start)
    graph = g.graph
    plan = make_plan(graph, STANDARD)
    assert plan.graph is graph
    assert [each.payload for each in plan.initiators] == [None]
    assert Target(plan.nodes[0], None, 5).payload == 5


def test_repr():
    """A node of a plan says whose plan it is."""
    with tf.build(STANDARD) as g:
        g.add(tf.nodes.Start, "start")
    assert repr(node(plan_of(g), "start")) == "<plan of 'start'>"


def test_slots_of_static_nodes():
    """Each output of a plain function has a slot, and who reads a slot is known by it (D4)."""

    @tf.data_node(id="plan.pair")
    def pair(x: int = 0) -> Both:
        return Both(x, x)

    with tf.build(STANDARD) as g:
        items = g.add(Items, "items")
        two = g.add(pair, "two", x=items.item)
        both = g.add(add, "both", a=two.high, b=1)
        g.add(increment, "one", x=both.result)
        g.add(pair, "alone", x=5)
        optional = g.add(Takes, "takes", optional=3)
        g.add(add, "mixed", a=optional.value, b=optional.value)
        chain(g, g.add(tf.nodes.Start, "start"), items)
    plan = plan_of(g)
    two, both, one, alone, mixed, clocked = (
        node(plan, name) for name in ("two", "both", "one", "alone", "mixed", "items")
    )
    assert (two.static, two.slot, both.slot) == (True, 1, 3)
    assert [(each.source, each.slot) for each in both.inputs] == [(Source.STATIC, two.slot + 1), (Source.CONSTANT, -1)]
    assert (one.inputs[0].source, one.inputs[0].slot) == (Source.STATIC, both.slot)
    assert [[each.there for each in found.inputs] for found in (two, both, one, alone)] == [
        [items_slot(plan) - plan.size], [two.slot + 1, -1], [both.slot], [-1],
    ]  # fmt: skip
    assert [each.sole is not None and each.sole is each.inputs[0] for each in (two, both, one, alone, mixed)] == [
        True, False, True, False, False,
    ]  # fmt: skip
    assert [each.fields for each in (two, both, one)] == [True, False, False]
    assert one.function(1) == 2
    assert [[each.socket.name for each in found.needs] for found in (two, both, one, alone, mixed)] == [
        [], ["a"], ["x"], [], [],
    ]  # fmt: skip
    assert [*plan.readers[items_slot(plan)]] == [two.slot, two.slot + 1]
    assert [*plan.readers[two.slot + 1]] == [both.slot]
    assert [*plan.readers[two.slot]] == []
    assert [*plan.readers[both.slot]] == [one.slot]
    assert (clocked.needs, clocked.sole, clocked.function, clocked.fields) == ((), None, None, False)


def items_slot(plan):
    return node(plan, "items").first_output


def test_writing_nodes():
    """Which nodes write outputs is known, for the result of a run (R1)."""
    with tf.build(STANDARD) as g:
        chain(g, g.add(tf.nodes.Start, "start"), g.add(Items, "items"))
        g.add(increment, "data", x=1)
    assert [each.id for each in plan_of(g).writing] == ["items"]
