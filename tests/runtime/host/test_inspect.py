"""Looking inside a run: where strands are, what they see, and what the host may do there."""

from __future__ import annotations

import math

import pytest
import trio
import trio.testing
from support import Items, Note, Wait, calling, increment

import trioflow as tf
from trioflow.runtime.host.inspect import Seen

STEADY = tf.RunOptions(turn_after=math.inf)


def virtually(main):
    return trio.run(main, clock=trio.testing.MockClock(autojump_threshold=0))


class Work(tf.Node, id="inspect.work"):
    """Has inputs of every kind."""

    enter = tf.ExecIn()
    wired = tf.DataIn(int)
    literal = tf.DataIn(int, default=1)
    default = tf.DataIn(list, default=None)
    nothing = tf.DataIn(int)
    summed = tf.DataIn(int)
    chosen = tf.DataIn(int)
    out = tf.DataOut(int)
    then = tf.ExecOut()

    async def execute(self, ctx: tf.Context) -> tf.ExecOut:
        ctx.set_output(self.out, 5)
        return self.then


async def lazily(x: tf.Lazy[int]) -> int:
    return await x() + 1


def looked_at(where="add"):
    """Runs a loop whose body adds what data nodes make of its index; stops at `where` and looks."""
    with tf.build() as g:
        g.variable("total", "int", 0)
        start, loop = g.add(tf.nodes.Start, "start"), g.add(tf.nodes.ForLoop, "loop", times=2)
        summed = g.add("math.add", "summed", a=loop.index, b=10)
        chosen = g.add(lazily, "chosen", x=summed.result)
        work = g.add(
            Work, "work", wired=loop.index, literal=7, nothing=loop.index, summed=summed.result, chosen=chosen.result
        )
        add = g.add(tf.nodes.UpdateVariable, "add", name="total", value=chosen.result)
        g.connect(start.then, loop.enter)
        g.connect(loop.body, add.enter)
        g.connect(add.then, work.enter)
    return g.graph


def stopped(check, at=("add",), graph=None, **options):
    """Calls `check` with a run that has stopped at a breakpoint, then lets it end; gives its result."""

    async def main():
        async with tf.open_run(graph or looked_at(), services={"notes": []}, options=STEADY, **options) as run:
            for each in at:
                run.gate.add_breakpoint(each)
            await run.gate.wait_parked()
            await check(run)
            for each in at:
                run.gate.remove_breakpoint(each)
            run.gate.resume()
            return await run.result()

    return virtually(main)


def test_strands():
    """Each strand with path, node, state and since when; nothing is kept for it (G1)."""
    with tf.build() as g:
        start, items = g.add(tf.nodes.Start, "start"), g.add(Items, "items", count=3)
        wait, note = g.add(Wait, "wait", seconds=items.item), g.add(Note, "note")
        g.connect(start.then, items.enter)
        g.connect(items.body, wait.enter)
        g.connect(wait.then, note.enter)

    async def main():
        async with tf.open_run(g.graph, services={"notes": []}, options=STEADY, observers=[lambda event: None]) as run:
            await trio.sleep(0.5)
            run.gate.pause()
            await trio.sleep(1)
            assert [(each.number, str(each.path), each.node, each.state, each.since) for each in run.strands()] == [
                (0, "0.1", "items", "waiting", 0.0),
                (2, "0.1.1.1", "note", "parked", 1.0),
                (3, "0.1.2.0", "wait", "running", 0.0),
            ]
            run.gate.resume()
        assert run.strands() == []

    virtually(main)


def test_strands_of_a_workflow():
    """Each firing is where its node is, also while it is parked, and what it sees there can be looked at (G1)."""
    with tf.workflow() as w:
        first, slow = w.add(Wait, "first", seconds=1), w.add(Wait, "slow", seconds=5)
        quick, note = w.add(Wait, "quick", seconds=2), w.add(Note, "note")
        w.connect(first, slow)
        w.connect(first, quick)
        w.connect(quick, note)

    async def main():
        def where():
            return [(each.node, each.state) for each in run.strands() if each.node != "<scope>"]

        async with tf.open_run(w.graph, services={"notes": []}, options=STEADY) as run:
            await trio.sleep(0.5)
            assert where() == [("first", "running")]
            await trio.sleep(1)
            assert sorted(where()) == [("quick", "running"), ("slow", "running")]
            run.gate.pause()
            await trio.sleep(2)
            assert sorted(where()) == [("note", "parked"), ("slow", "running")]
            parked = run.gate.parked_at()[0]
            assert run.peek(parked.strand, "slow").inputs["seconds"].value == 5
            run.gate.resume()
        assert run.strands() == []

    virtually(main)


def test_a_strand_that_is_watched_no_more():
    """Since when it is there is not told of an activation before, which somebody watched (G1)."""
    with tf.build() as g:
        start, first, second = g.add(tf.nodes.Start, "start"), g.add(Wait, "first"), g.add(Wait, "second")
        g.connect(start.then, first.enter)
        g.connect(first.then, second.enter)

    async def main():
        seen = []
        async with tf.open_run(g.graph, services={"notes": []}, options=STEADY, observers=[seen.append]) as run:
            await trio.sleep(0.5)
            assert [(each.node, each.since) for each in run.strands()] == [("first", 0.0)]
            run.unobserve(seen.append)
            await trio.sleep(1)
            assert [(each.node, each.since) for each in run.strands()] == [("second", None)]

    virtually(main)


def test_strands_seen_from_inside():
    """An observer that asks in the midst of a step sees the strand that it is called in, at any depth."""
    seen = []

    def observer(event):
        if event.node == "deep":
            seen.append([(each.number, each.node, each.path.depth) for each in opened[0].strands()])

    with tf.build() as g:
        first = last = g.add(tf.nodes.ForLoop, "l0", times=1)
        for number in range(1, 40):
            loop = g.add(tf.nodes.ForLoop, f"l{number}", times=1)
            g.connect(last.body, loop.enter)
            last = loop
        g.connect(last.body, g.add(Note, "deep").enter)
        g.connect(g.add(tf.nodes.Start, "start").then, first.enter)
    opened = []

    async def main():
        watch = tf.observe(observer, kinds=["NodeStarted"])
        async with tf.open_run(g.graph, services={"notes": []}, observers=[watch]) as run:
            opened.append(run)

    virtually(main)
    assert seen == [[(0, "deep", 42)]]


def test_strands_in_a_called_graph():
    """A strand in a graph that is called is at the innermost node, and sees the graphs around (C8)."""

    async def check(run):
        assert [(each.node, str(each.path)) for each in run.strands()] == [("call/note", "0.1.0")]
        assert run.peek(0, "call/note").inputs["value"] == Seen("value", 1, "enter.x -> note.value")
        assert run.peek(0, "call/note").variables == {"own": 0}
        assert run.peek(0, "end").inputs["value"] == Seen("default", None)
        run.set_variable(0, "call/own", 5)
        assert run.peek(0, "call/note").variables == {"own": 5}
        with pytest.raises(tf.UnknownName, match="Strand 0 is not in the graph 'coll' now: it waits at 'call/note'"):
            run.set_variable(0, "coll/own", 5)

    stopped(check, ["call/note"], calling())


@pytest.mark.parametrize("watched", [False, True])
def test_peek(watched):
    """Values, literals, defaults, what is not computed, and what is missing; nothing runs for it."""

    async def check(run):
        before = run.statistics().evaluations
        peek = run.peek(0, "work")
        assert peek.inputs == {
            "wired": Seen("value", 0, "loop.index -> work.wired"),
            "literal": Seen("literal", 7),
            "default": Seen("default", None),
            "nothing": Seen("value", 0, "loop.index -> work.nothing"),
            "summed": Seen("not computed", None, "summed.result -> work.summed"),
            "chosen": Seen("not computed", None, "chosen.result -> work.chosen"),
        }
        assert (peek.node, peek.outputs, peek.variables) == ("work", {"out": Seen("not computed")}, {"total": 0})
        assert run.peek(0, "chosen").outputs == {"result": Seen("not computed")}
        assert run.statistics().evaluations == before

    stopped(check, observers=[lambda event: None] if watched else [])


@pytest.mark.parametrize("watched", [False, True])
def test_peek_at_what_was_computed(watched):
    """What was computed is a value as long as nothing that it depends on is written, and stale from then on."""

    async def check(run):
        assert run.peek(0, "work").inputs["chosen"] == Seen("value", 11, "chosen.result -> work.chosen")
        assert run.peek(0, "work").inputs["summed"] == Seen("value", 10, "summed.result -> work.summed")
        assert run.peek(0, "chosen").outputs == {"result": Seen("value", 11)}
        assert run.peek(0, "summed").outputs == {"result": Seen("value", 10)}
        run.gate.add_breakpoint("add")
        run.gate.resume()
        await run.gate.wait_parked()
        assert run.peek(0, "work").outputs["out"] == Seen("value", 5)
        assert run.peek(0, "chosen").outputs == {"result": Seen("stale", 11)}
        kinds = {run.peek(0, "summed").outputs["result"].kind, run.peek(0, "work").inputs["summed"].kind}
        assert kinds == ({"stale"} if watched else {"not computed"})
        run.gate.remove_breakpoint("add")

    stopped(check, ["work"], observers=[lambda event: None] if watched else [])


def test_peek_gives_copies():
    """Who changes what it has seen changes nothing in the run."""
    with tf.build() as g:
        g.variable("rows", "list", [1])
        g.connect(g.add(tf.nodes.Start).then, g.add(Note, "note", value=[2]).enter)

    async def check(run):
        peek = run.peek(0, "note")
        peek.variables["rows"].append(3)
        peek.inputs["value"].value.append(3)
        assert run.peek(0, "note") == tf.Peek("note", {"value": Seen("literal", [2])}, {}, {"rows": [1]})

    assert stopped(check, ["note"], g.graph).variables == {"rows": [1]}


class Keeping(tf.Node, id="inspect.keeping"):
    enter = tf.ExecIn()

    async def execute(self, ctx: tf.Context) -> None:
        ctx.state["rounds"] = [*ctx.state.get("rounds", []), len(ctx.state)]
        ctx.state["gone"] = True
        del ctx.state["gone"]


def test_peek_tells_what_a_node_keeps():
    """Its own state in this strand, without what was deleted; a copy. Other nodes have none of it."""
    with tf.build() as g:
        loop, kept = g.add(tf.nodes.ForLoop, "loop", times=3), g.add(Keeping, "kept")
        g.connect(g.add(tf.nodes.Start).then, loop.enter)
        g.connect(loop.body, kept.enter)

    async def check(run):
        assert run.peek(0, "kept").state == {}
        run.gate.step()
        await run.gate.wait_parked()
        run.peek(0, "kept").state["rounds"].append(9)
        assert run.peek(0, "kept").state == {"rounds": [0]}
        assert run.peek(0, "loop").state == {}

    stopped(check, ["kept"], g.graph)


class Secretive(tf.Node, id="inspect.secretive"):
    enter = tf.ExecIn()
    key = tf.DataIn(str, secret=True)

    async def execute(self, ctx: tf.Context) -> None:
        pass


def test_peek_shows_no_secret():
    """A literal that names a secret is not resolved, and not shown (A10)."""
    with tf.build() as g:
        note = g.add(Secretive, "note", key={"secret": "KEY"})
        g.connect(g.add(tf.nodes.Start).then, note.enter)

    async def check(run):
        assert run.peek(0, "note").inputs["key"] == Seen("literal", "•••")

    stopped(check, ["note"], g.graph, secrets={"KEY": "hush-hush"})


def test_evaluate():
    """An output is evaluated in a store that is dropped; its events have a path that ends in `host`."""
    told = []

    async def check(run):
        assert await run.evaluate(0, "chosen", "result") == 11
        assert await run.evaluate(0, "loop", "index") == 0
        assert run.peek(0, "work").inputs["summed"].kind == "not computed"
        assert {str(event.path) for event in told} == {"0.1.0.host"}
        with pytest.raises(tf.MissingInput, match="Output 'out' of node 'work' .* was not written in strand 0"):
            await run.evaluate(0, "work", "out")
        with pytest.raises(tf.UnknownSocket, match="no data output 'reslt'. Did you mean 'result'"):
            await run.evaluate(0, "chosen", "reslt")

    watch = tf.observe(told.append, kinds=["EvaluationStarted"])
    assert stopped(check, observers=[watch]).variables == {"total": 23}


def test_evaluate_what_fails():
    """A failure of what is evaluated is the host's; the run goes on as ever."""
    with tf.build() as g:
        broken = g.add(lambda: 1 // 0, "broken")
        g.connect(g.add(tf.nodes.Start).then, g.add(Note, "note").enter)
        g.add(increment, "inc", x=broken.result)

    async def check(run):
        with pytest.raises(ZeroDivisionError):
            await run.evaluate(0, "inc", "result")

    assert stopped(check, ["note"], g.graph).statistics.status is tf.RunStatus.COMPLETED


def test_set_variable():
    """It is a write of the strand at its path, told as an event; what depends on it is computed anew."""
    told = []

    async def check(run):
        changes = run.gate.add_breakpoint(value="total")
        run.set_variable(0, "total", 100)
        assert run.peek(0, "add").variables == {"total": 100}
        run.gate.step_over((0, 1, 0))
        await run.gate.wait_parked()
        assert run.peek(0, "add").variables == {"total": 111}
        assert changes.hits == 0
        run.gate.remove_breakpoint(changes.id)

    result = stopped(check, observers=[tf.observe(told.append, kinds=["VariableSet"])])
    assert result.variables == {"total": 123}
    (event,) = told
    assert (event.variable, event.value, str(event.path), event.node, event.strand) == ("total", 100, "0.1.0", "add", 0)


def test_wrong_looks():
    """Nodes and strands that are not there, other types, strands that run: each with its cure."""

    async def check(run):
        with pytest.raises(tf.UnknownName, match="There is no node 'ad' to look at. Did you mean 'add'"):
            run.peek(0, "ad")
        with pytest.raises(
            tf.UnknownName, match="There is no strand 7 now: it has ended, or has not begun. There is: 0"
        ):
            run.peek(7, "add")
        with pytest.raises(tf.CoercionError, match="Variable 'total': .*. Set a value of its type"):
            run.set_variable(0, "total", "many")
        with pytest.raises(tf.UnknownName, match="There is no variable 'totl'. Did you mean 'total'"):
            run.set_variable(0, "totl", 1)

    stopped(check)

    async def main():
        with tf.build() as g:
            g.variable("n", "int", 0)
            g.connect(g.add(tf.nodes.Start).then, g.add(Wait, "wait").enter)
        async with tf.open_run(g.graph, services={"notes": []}) as run:
            await trio.sleep(0.5)
            with pytest.raises(RuntimeError, match=r"Strand 0 is not parked: it is at 'wait'.* Call gate.pause\(\)"):
                run.set_variable(0, "n", 1)
            await run.result()
            for look in (lambda: run.peek(0, "wait"), lambda: run.set_variable(0, "n", 1)):
                with pytest.raises(tf.RunFinished, match="The run has ended: there is no strand to look at"):
                    look()

    virtually(main)


def test_a_strand_that_is_elsewhere():
    """A node of a graph that the strand is not in can't be looked at; the error says where it is."""

    async def check(run):
        with pytest.raises(
            tf.UnknownName, match="Strand 0 is not in the graph of node 'call/note' now: it is in the outermost graph"
        ):
            run.peek(0, "call/note")

    stopped(check, ["call"], calling())
