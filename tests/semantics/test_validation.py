from __future__ import annotations

import sys
import time
from types import SimpleNamespace

import pytest

import trioflow as tf
from trioflow.model.graph import Connection, CustomEvent, Endpoint, Graph, GraphNode, StreamSettings, Variable
from trioflow.semantics.topology import cycle_through, knots, may_await


class Start(tf.Node, id="t.start", initiator=True):
    then = tf.ExecOut()

    async def execute(self, ctx: tf.Context) -> tf.ExecOut:
        return self.then


class Loop(tf.Node, id="t.loop"):
    """Awaits its trigger, so what is below it nests."""

    enter = tf.ExecIn()
    times = tf.DataIn(int)
    body = tf.ExecOut()
    failed = tf.ExecOut(must_handle=True)

    async def execute(self, ctx: tf.Context) -> None:
        await self._again(ctx)

    async def _again(self, ctx: tf.Context) -> None:
        await ctx.trigger(self.body)


class Each(tf.Node, id="t.each"):
    enter = tf.ExecIn()
    item = tf.DataOut(int)
    body = tf.ExecOut()
    stream = tf.Stream(item, fires=body)

    async def execute(self, ctx: tf.Context) -> None: ...


class Listen(tf.Node, id="t.listen", listens="event"):
    event = tf.DataIn(str, names="event")
    then = tf.ExecOut()

    async def execute(self, ctx: tf.Context) -> tf.ExecOut:
        return self.then


class Get(tf.Node, id="t.get"):
    name = tf.DataIn(str, names="variable")
    result = tf.DataOut(object)

    async def execute(self, ctx: tf.DataContext) -> None: ...


@tf.data_node(id="t.add")
def add(a: int = 0, b: int = 0) -> int:
    return a + b


@tf.data_node(id="t.text")
def text(a: int = 0) -> str:
    return str(a)


@tf.exec_node(id="t.step")
def step(value: object = None) -> int:
    return 1


def end(written: str) -> Endpoint:
    return Endpoint(*written.rsplit(".", 1))


def wire(written: str) -> Connection:
    source, target = written.split(" -> ")
    return Connection(end(source), end(target))


def graph(nodes: list[GraphNode], wires: list[str] = (), **more: object) -> Graph:
    return Graph(nodes=nodes, connections=[wire(each) for each in wires], **more)


@pytest.fixture
def registry() -> tf.Registry:
    registry = tf.Registry()
    registry.add(Start, Loop, Each, Listen, Get, add, text, step)
    return registry


START = GraphNode("start", "t.start")
PRINT = GraphNode("print", "t.step")
GO = "start.then -> print.enter"


def lines(report: tf.Report) -> list[str]:
    return str(report).splitlines()


def test_sound(registry):
    """A graph without problems has an empty report that raises nothing."""
    report = tf.validate(graph([START, PRINT], [GO]), registry)
    assert report == tf.Report(())
    assert report.ok
    assert str(report) == "no problems"
    report.raise_for_errors()


def test_problem_has_all_parts(registry):
    """A problem says code, severity, path, what was found, the cure, and the rule (M5)."""
    assert tf.validate(graph([START, GraphNode("x", "t.stepp")]), registry).problems == (
        tf.Problem(
            code="unknown-node-type",
            severity=tf.Severity.ERROR,
            path="nodes[1].type",
            message="There is no node type 't.stepp'.",
            cure="Name a known type, or the module that declares this one: `--nodes MODULE` on the command line, "
            "registry.add_module('MODULE') in Python. Did you mean 't.step', 't.listen' or 't.text'?",
            rule="M5",
        ),
    )


def test_types_of_another_area_are_not_offered_for_those_of_a_package_that_is_missing():
    """`shop.price` is no `json.write` misspelt."""
    standard = tf.Registry.standard(plugins=False)
    missing, misspelt = (
        tf.validate(graph([GraphNode("s", "flow.start"), GraphNode("x", type_id)]), standard).errors[0]
        for type_id in ("shop.price", "flw.start")
    )
    assert "Did you mean" not in missing.cure
    assert "Did you mean 'flow.start'" in misspelt.cure


def test_all_at_once_in_document_order(registry):
    """All problems are in one report, in the order of the document (M5)."""
    report = tf.validate(
        graph(
            [START, GraphNode("loop", "t.loop"), GraphNode("loop", "t.step"), GraphNode("", "t.step")],
            ["start.then -> loop.body", "nobody.then -> loop.enter"],
            variables=[Variable("n", "integer"), Variable("n", "int", "x", "som")],
            events=[CustomEvent("e"), CustomEvent("e")],
        ),
        registry,
    )
    assert [(problem.code, problem.path) for problem in report.problems] == [
        ("missing-input", "nodes[1].inputs.times"),
        ("unhandled-output", "nodes[1]"),
        ("duplicate-id", "nodes[2].id"),
        ("invalid-id", "nodes[3].id"),
        ("unknown-socket", "connections[0].to"),
        ("unknown-node", "connections[1].from"),
        ("unknown-type", "variables[0].type"),
        ("duplicate-id", "variables[1].name"),
        ("type-mismatch", "variables[1].default"),
        ("unknown-merge-policy", "variables[1].merge"),
        ("duplicate-id", "events[1].name"),
    ]
    assert [problem.code for problem in report.warnings] == ["unhandled-output"]
    assert len(report.errors) == 10
    with pytest.raises(tf.InvalidGraph) as caught:
        report.raise_for_errors()
    assert str(caught.value).splitlines() == ["The graph has 10 errors:", *(f"  {error}" for error in report.errors)]


def test_ends_of_connections(registry):
    """A wrong end of a connection lists the sockets there are, and offers the nearest (M3, M5)."""
    wires = [
        "strat.then -> print.enter",
        "start.them -> print.enter",
        "start.then -> start.then",
        "add.a -> print.value",
    ]
    report = tf.validate(graph([START, PRINT, GraphNode("add", "t.add")], wires), registry)
    assert lines(report) == [
        "error[unknown-node] connections[0].from: There is no node 'strat'. Name a node of the graph. "
        "Did you mean 'start'?",
        "error[unknown-socket] connections[1].from: Node 'start' (t.start) has no output 'them'. Its outputs: then. "
        "Did you mean 'then'?",
        "error[unknown-socket] connections[2].to: Node 'start' (t.start) has no input 'then'. Its inputs: none. "
        "'then' is an exec output.",
        "error[unknown-socket] connections[3].from: Node 'add' (t.add) has no output 'a'. Its outputs: result. "
        "'a' is a data input.",
    ]


def test_kinds_and_sources(registry):
    """A connection joins sockets of one kind, and a data input has one source; exec inputs have many (M3)."""
    nodes = [START, PRINT, GraphNode("a", "t.add"), GraphNode("b", "t.add")]
    wires = [
        GO,
        GO,
        "start.then -> a.a",
        "a.result -> print.enter",
        "a.result -> print.value",
        "b.result -> print.value",
    ]
    assert lines(tf.validate(graph(nodes, wires), registry)) == [
        "error[kind-mismatch] connections[2]: start.then is an exec output, a.a is a data input. "
        "Connect exec to exec and data to data.",
        "error[kind-mismatch] connections[3]: a.result is a data output, print.enter is an exec input. "
        "Connect exec to exec and data to data.",
        "error[second-source] connections[5].to: print.value gets its value from a.result (connections[4]), and from "
        "b.result too. A data input has one source: remove one of the two.",
    ]


def test_types(registry):
    """Outputs and literals that can't fit an input are errors that name both types (D11)."""
    nodes = [START, PRINT, GraphNode("text", "t.text", {"a": "Three"}), GraphNode("add", "t.add", {"bb": 1, "b": None})]
    report = tf.validate(graph(nodes, [GO, "add.result -> print.value", "text.result -> add.a"]), registry)
    assert lines(report) == [
        "error[type-mismatch] nodes[2].inputs.a: Expected int, got str 'Three'. Give text.a a value of type int.",
        "error[unknown-socket] nodes[3].inputs.bb: Node 'add' (t.add) has no data input 'bb'. Its data inputs: a, b. "
        "Did you mean 'b'?",
        "error[type-mismatch] connections[2]: text.result gives str, add.a takes int. "
        "Put a node between that makes int of str, or register a converter.",
    ]
    registry.add_converter(str, int, int)
    nodes = [START, PRINT, GraphNode("text", "t.text"), GraphNode("add", "t.add")]
    assert tf.validate(graph(nodes, [GO, "add.result -> print.value", "text.result -> add.a"]), registry).ok


def test_missing_input(registry):
    """A required input needs a wire or a literal; one whose wire is wrong is reported once (D1, M5)."""
    nodes = [
        START,
        *(GraphNode(name, "t.loop", inputs) for name, inputs in (("a", {}), ("b", {"times": 1}), ("c", {}))),
    ]
    wires = [f"start.then -> {name}.enter" for name in "abc"] + [f"{name}.failed -> a.enter" for name in "abc"]
    report = tf.validate(graph([*nodes, PRINT], [GO, *wires, "print.value -> c.times"]), registry)
    assert [(error.code, error.path) for error in report.errors] == [
        ("missing-input", "nodes[1].inputs.times"),
        ("unknown-socket", "connections[7].from"),
    ]
    assert report.errors[0].message == "Input 'times' of 'a' has no wire, no literal and no default."


def test_names_of_variables_and_events(registry):
    """A literal that names a variable or an event names a declared one; a listener's is a literal (M5, B1)."""
    nodes = [
        START,
        GraphNode("print", "t.step"),
        GraphNode("get", "t.get", {"name": "cuont"}),
        GraphNode("on_save", "t.listen", {"event": "count"}),
        GraphNode("on_any", "t.listen"),
        GraphNode("on_wire", "t.listen"),
    ]
    report = tf.validate(
        graph(
            nodes,
            [GO, "get.result -> print.value", "get.result -> on_wire.event"],
            variables=[Variable("count", "int", 0, "sum")],
            events=[CustomEvent("saved")],
        ),
        registry,
    )
    assert lines(report) == [
        "error[undeclared-variable] nodes[2].inputs.name: There is no variable 'cuont'. Declare it in the graph, or "
        "name one of: count. Did you mean 'count'?",
        "error[undeclared-event] nodes[3].inputs.event: There is no event 'count'. Declare it in the graph, or name "
        "one of: saved.",
        "error[missing-input] nodes[4].inputs.event: Input 'event' of 'on_any' has no wire, no literal and no "
        "default. Wire it, or give it a literal of type str.",
        "error[wired-event-name] nodes[5].inputs.event: 'on_wire' listens for an event that must be known before the "
        "run starts. Give the name as a literal instead of a wire.",
    ]


def test_what_is_no_name(registry):
    """Of a literal that is not a text one problem is enough; None, and what an input of any type has, name nothing (M5)."""

    class GetAny(tf.Node, id="t.get_any"):
        name = tf.DataIn(object, names="variable")
        result = tf.DataOut(object)

        async def execute(self, ctx: tf.DataContext) -> None: ...

    registry.add(GetAny)
    nodes = [START, *(GraphNode(f"get{name}", "t.get", {"name": name}) for name in (5, None))]
    report = tf.validate(graph([*nodes, GraphNode("any", "t.get_any", {"name": 5})]), registry)
    assert [(error.code, error.path, error.message) for error in report.errors] == [
        ("type-mismatch", "nodes[1].inputs.name", "Expected str, got int 5."),
        ("undeclared-variable", "nodes[2].inputs.name", "There is no variable None."),
        ("undeclared-variable", "nodes[3].inputs.name", "There is no variable 5."),
    ]


def test_default_names(registry):
    """A default that names a variable names a declared one, unless a wire hides it (M5, D1)."""

    class GetCount(tf.Node, id="t.get_count"):
        name = tf.DataIn(str, default="count", names="variable")
        result = tf.DataOut(str)

        async def execute(self, ctx: tf.DataContext) -> None: ...

    registry.add(GetCount)
    nodes = [
        START,
        PRINT,
        GraphNode("bare", "t.get_count"),
        GraphNode("wired", "t.get_count"),
        GraphNode("text", "t.text"),
    ]
    wires = [GO, "wired.result -> print.value", "text.result -> wired.name"]
    assert [error.path for error in tf.validate(graph(nodes, wires), registry).errors] == ["nodes[2].inputs.name"]
    assert tf.validate(graph(nodes, wires, variables=[Variable("count")]), registry).ok


@pytest.mark.parametrize(("count", "more"), [(10, "v9."), (11, "v9 and 1 more."), (13, "v9 and 3 more.")])
def test_many_declared_names(registry, count, more):
    """Of the declared names ten are shown, and the others counted (M5)."""
    variables = [
        Variable(name) for name in ("v0", "v1", "v2", "v3", "v4", "v5", "v6", "v7", "v8", "v9", *"wxyz")[:count]
    ]
    report = tf.validate(graph([START, GraphNode("get", "t.get", {"name": "abc"})], variables=variables), registry)
    (problem,) = report.errors
    assert problem.cure == (f"Declare it in the graph, or name one of: v0, v1, v2, v3, v4, v5, v6, v7, v8, {more}")


def test_unknown_type_hides_nothing(registry):
    """A node of an unknown type does not keep others from being checked (M5)."""
    nodes = [START, GraphNode("x", "t.unknown"), GraphNode("loop", "t.loop")]
    assert [error.path for error in tf.validate(graph(nodes), registry).errors] == [
        "nodes[1].type",
        "nodes[2].inputs.times",
    ]


def test_variables(registry):
    """A variable has a known type, a default that fits it, and a known policy; a host adds policies (F4)."""
    registry.add_merge("newest", lambda base, mine, theirs: theirs)
    variables = [
        Variable("a", "date", "2026-02-30"),
        Variable("b", "date", "2026-02-28", "newest"),
        Variable("c", "integer"),
        Variable("d", "int", None, "newst"),
    ]
    assert lines(tf.validate(graph([START], variables=variables), registry)) == [
        "error[type-mismatch] variables[0].default: Expected date, got str '2026-02-30' (ValueError: day is out of "
        "range for month). Give variable 'a' a value of type date.",
        "error[unknown-type] variables[2].type: There is no type 'integer'. Use one of: any, bool, bytes, date, "
        "datetime, dict, duration, float, int, list, path, set, str. Did you mean 'int'?",
        "error[unknown-merge-policy] variables[3].merge: There is no merge policy 'newst'. Use one of: last, first, "
        "error, sum, append, union, min, max, newest. Did you mean 'newest'?",
    ]


def test_streams(registry):
    """Stream settings are for nodes with streams, and of known values (S2-S4)."""
    nodes = [
        START,
        GraphNode("print", "t.step", stream=StreamSettings("sequential")),
        GraphNode("each", "t.each", stream=StreamSettings("parallel", -1, "colect")),
    ]
    assert lines(tf.validate(graph(nodes, [GO, "print.then -> each.enter"]), registry)) == [
        "error[no-stream] nodes[1].stream: t.step has no stream to set. Remove the setting.",
        "error[bad-limit] nodes[2].stream.limit: Expected a whole number of at least 0, got -1. "
        "Use 0 for any number of items in flight.",
        "error[bad-setting] nodes[2].stream.mode: Expected 'sequential' or 'concurrent', got 'parallel'. "
        "Use one of them.",
        "error[bad-setting] nodes[2].stream.on_error: Expected 'fail' or 'collect', got 'colect'. "
        "Use one of them. Did you mean 'collect'?",
    ]


def test_initiators(registry):
    """Without an initiator nothing would run; exec nodes may be marked, or unmarked, data nodes may not (M4)."""
    no_initiator = (
        "error[no-initiator] nodes: No node starts the graph, so nothing would run. "
        'Add a node of a type such as flow.start, or mark one with "initiator": true.'
    )
    assert lines(tf.validate(Graph(), registry)) == [no_initiator]
    assert lines(tf.validate(graph([GraphNode("start", "t.start", initiator=False)]), registry)) == [no_initiator]
    assert tf.validate(graph([GraphNode("step", "t.step", initiator=True)]), registry).ok
    assert lines(tf.validate(graph([GraphNode("add", "t.add", initiator=True)]), registry)) == [
        no_initiator,
        "error[data-initiator] nodes[0].initiator: 'add' is a data node (t.add), which runs only when its value is "
        "asked for. Mark an exec node.",
    ]
    # What a node of an unknown type would do is not known.
    codes = [problem.code for problem in tf.validate(graph([GraphNode("x", "t.unknown")]), registry).problems]
    assert codes == ["unknown-node-type"]


def test_data_cycle(registry):
    """A cycle of data nodes alone is an error that lists them; through an exec node it is feedback (M5)."""
    nodes = [START, PRINT, *(GraphNode(name, "t.add") for name in "abc")]
    wires = [GO, "a.result -> b.a", "b.result -> c.a", "c.result -> a.a", "c.result -> print.value"]
    assert lines(tf.validate(graph(nodes, wires), registry)) == [
        "error[data-cycle] nodes[2]: Data nodes depend on each other: 'a' -> 'b' -> 'c' -> 'a'. "
        "Break the cycle, or pass the value through an exec node, which makes it feedback."
    ]
    wires[3] = "print.result -> a.a"
    assert tf.validate(graph(nodes, wires), registry).problems == ()


def test_exec_cycle(registry):
    """A loop of nodes that hand over is fine; one through a body that may await is a warning (T6)."""
    nodes = [START, PRINT, GraphNode("loop", "t.loop", {"times": 1})]
    assert tf.validate(graph(nodes[:2], [GO, "print.then -> print.enter"]), registry).problems == ()
    wires = [GO, "print.then -> loop.enter", "loop.body -> print.enter", "loop.failed -> print.enter"]
    report = tf.validate(graph(nodes, wires), registry)
    assert report.ok
    assert lines(report) == [
        "warning[exec-cycle] nodes[2]: Control comes back to a node that may await its trigger: 'loop' -> 'print' -> "
        "'loop'. That is legal, but each round nests. Let each node in the cycle return the exec output it goes on at."
    ]


def test_may_await():
    """A body may await if its code, or a method of its class, names what awaits, or can't be looked at (T6)."""

    @tf.exec_node
    def plain(a: int) -> int:
        return a

    async def looks(ctx: tf.Context, a: int) -> int:
        return ctx.get_variable("a")

    async def inner(ctx: tf.Context) -> None:
        async def go() -> None:
            await ctx.trigger("then")

        await go()

    class Inherits(Loop, id="t.inherits"): ...

    class Odd(tf.Node, id="t.odd"):
        then = tf.ExecOut()
        execute = SimpleNamespace(__call__=None)

    types = [plain.type, tf.exec_node(looks).type, tf.exec_node(inner).type]
    assert [may_await(type_) for type_ in types] == [False, False, True]
    assert [may_await(cls.type) for cls in (Start, Loop, Inherits, Odd)] == [False, True, True, True]


def test_unreachable(registry):
    """An exec node that nothing leads to and a data node that nobody asks get a warning; listeners start (M5)."""
    nodes = [
        START,
        PRINT,
        GraphNode("lost", "t.step"),
        GraphNode("after", "t.step"),
        GraphNode("used", "t.add"),
        GraphNode("idle", "t.add"),
        GraphNode("on", "t.listen", {"event": "e"}),
        GraphNode("heard", "t.step"),
    ]
    wires = [GO, "lost.then -> after.enter", "used.result -> print.value", "lost.result -> idle.a"]
    report = tf.validate(graph(nodes, [*wires, "on.then -> heard.enter"], events=[CustomEvent("e")]), registry)
    assert lines(report) == [
        "warning[unreachable] nodes[2]: 'lost' never runs: no initiator or listener leads to it. Wire it up, or "
        "remove it.",
        "warning[unreachable] nodes[3]: 'after' never runs: no initiator or listener leads to it. Wire it up, or "
        "remove it.",
        "warning[unreachable] nodes[5]: 'idle' never runs: nothing that runs asks for its value. Wire it up, or "
        "remove it.",
    ]


def test_unhandled_output(registry):
    """An exec output that the type says must be handled gets a warning if it leads nowhere (M5)."""
    nodes = [START, GraphNode("loop", "t.loop", {"times": 2})]
    assert lines(tf.validate(graph(nodes, ["start.then -> loop.enter"]), registry)) == [
        "warning[unhandled-output] nodes[1]: Exec output 'failed' of 'loop' leads nowhere. "
        "Its type says that it should be handled: wire it."
    ]


def test_types_of_the_graph_come_first(registry):
    """A type that the graph brings along is found before the registry's of the same id (M1)."""

    @tf.exec_node(id="t.step", initiator=True)
    def other() -> None: ...

    assert tf.validate(graph([GraphNode("x", "t.step")], types={"t.step": other.type}), registry).ok


def test_broken_package(registry, tmp_path, monkeypatch):
    """A package that fails to import is a problem of each of its nodes, on one line, and is imported once."""
    (tmp_path / "broken_nodes.py").write_text(
        "import sys\nsys.broken_imports = getattr(sys, 'broken_imports', 0) + 1\n1/0"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr(sys, "broken_imports", 0, raising=False)
    registry.add_package("broken", "broken_nodes")
    message = "Node package 'broken_nodes' can't be imported: ZeroDivisionError: division by zero"
    assert lines(tf.validate(graph([START, *(GraphNode(name, "broken.x") for name in "ab")]), registry)) == [
        f"error[node-package] nodes[{place}].type: {message} Repair the package, or use another node."
        for place in (1, 2)
    ]
    assert sys.broken_imports == 1


@pytest.mark.parametrize("bad", ["", "  ", "a\nb", "\ud800", 5, None])
def test_invalid_ids(registry, bad):
    """An id is a text of one line that is not empty (M1)."""
    report = tf.validate(graph([START, GraphNode(bad, "t.start")]), registry)
    assert [(problem.code, problem.path) for problem in report.problems] == [("invalid-id", "nodes[1].id")]


@pytest.mark.unmeasured
def test_large_graphs(registry):
    """A chain of 100,000 data nodes is checked without recursion, also as a cycle; the message stays short."""
    count = 100_000
    nodes = [START, PRINT, *(GraphNode(f"n{place}", "t.add") for place in range(count))]
    wires = [Connection(Endpoint(f"n{place}", "result"), Endpoint(f"n{place + 1}", "a")) for place in range(count - 1)]
    wires += [wire(GO), wire(f"n{count - 1}.result -> print.value")]
    began = time.perf_counter()
    assert tf.validate(Graph(nodes=nodes, connections=wires), registry).problems == ()
    assert time.perf_counter() - began < 10  # about 1 s; a quadratic check would take hours
    (problem,) = tf.validate(
        Graph(nodes=nodes, connections=[*wires, wire(f"n{count - 1}.result -> n0.a")]), registry
    ).problems
    assert problem.code == "data-cycle"
    assert len(problem.message) < 300


def test_many_typing_errors_stay_quick(registry):
    """Thousands of unknown names are reported in linear time: near names are offered only as long as it is quick."""
    nodes = [START, PRINT, *(GraphNode(f"n{place}", "t.add") for place in range(5_000))]
    wires = [wire(GO), *(wire(f"m{place}.result -> print.value") for place in range(5_000))]
    began = time.perf_counter()
    assert len(tf.validate(Graph(nodes=nodes, connections=wires), registry).errors) == 5_000
    assert time.perf_counter() - began < 10


def test_knots():
    """A knot is a set of nodes on cycles with each other; one knot is one problem, however many cycles it has."""
    edges = {0: [1], 1: [2, 3], 2: [1], 3: [3], 4: [0], 5: [6], 6: [5]}
    assert knots(edges) == [{1, 2}, {3}, {5, 6}]
    assert cycle_through(2, {1, 2}, edges) == [2, 1]
    dense = {node: list(range(60)) for node in range(60)}
    assert knots(dense) == [set(range(60))]
