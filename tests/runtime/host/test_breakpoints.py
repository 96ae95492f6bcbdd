"""Breakpoints and steps by path, for debuggers: G3, G5-G8."""

from __future__ import annotations

import math

import pytest
import trio
import trio.testing
from support import Fail, Items, Note, Wait, calling, chain, increment

import trioflow as tf
from trioflow.runtime.host.breakpoints import read_condition

STEADY = tf.RunOptions(turn_after=math.inf)


def virtually(main):
    return trio.run(main, clock=trio.testing.MockClock(autojump_threshold=0))


def loop_graph(times=3):
    """A loop that adds its index, doubled by a data node, to a variable."""
    with tf.build() as g:
        g.variable("total", "int", 0)
        start, loop = g.add(tf.nodes.Start, "start"), g.add(tf.nodes.ForLoop, "loop", times=times)
        double = g.add("math.multiply", "double", a=loop.index, b=2)
        add = g.add(tf.nodes.UpdateVariable, "add", name="total", value=double.result)
        end = g.add(Note, "end")
        g.connect(start.then, loop.enter)
        g.connect(loop.body, add.enter)
        g.connect(loop.done, end.enter)
    return g.graph


def stops(graph, *given, most=100, **named):
    """Where a run stops at this breakpoint: what was told of each hit, and of what its condition failed with."""

    async def main():
        hits = []
        async with tf.open_run(graph, services={"notes": []}, options=STEADY, observers=[hits.append]) as run:
            run.gate.add_breakpoint(*given, **named)
            with trio.move_on_after(1000):
                while run.status not in (tf.RunStatus.COMPLETED, tf.RunStatus.FAILED):
                    await run.gate.wait_parked()
                    if run.gate.closed:
                        run.gate.resume()
        kinds = (tf.events.BreakpointHit, tf.events.BreakpointFailed)
        return [event for event in hits if isinstance(event, kinds)]

    return virtually(main)


# --- steps by path ---


def nested_graph():
    """Concurrent items, each of two nodes, in a loop of two rounds."""
    with tf.build() as g:
        start, loop = g.add(tf.nodes.Start, "start"), g.add(tf.nodes.ForLoop, "loop", times=2)
        items, one, two = g.add(Items, "items", count=2), g.add(Note, "one"), g.add(Note, "two")
        after, end = g.add(Note, "after"), g.add(Note, "end")
        g.connect(start.then, loop.enter)
        g.connect(loop.body, items.enter)
        g.connect(items.body, one.enter)
        g.connect(one.then, two.enter)
        g.connect(items.done, after.enter)
        g.connect(loop.done, end.enter)
    return g.graph


def at(run):
    return sorted(f"{each.path} {each.node}" for each in run.gate.parked_at())


def test_step_into_over_and_out():
    """Into lets one dispatch pass, over all below it, out all below what it is in, over concurrent items (G5, G6, G7)."""

    async def main():
        async with tf.open_run(nested_graph(), services={"notes": []}, options=STEADY) as run:
            gate = run.gate
            gate.pause()

            async def step(how, path):
                getattr(gate, f"step_{how}")(path)
                await gate.wait_parked()
                return at(run)

            await gate.wait_parked()
            assert at(run) == ["0.0 start"]
            assert await step("into", (0, 0)) == ["0.1 loop"]
            assert await step("into", (0, 1)) == ["0.1.0 items"]
            assert await step("over", (0, 1, 0)) == ["0.1.1 after"]
            assert await step("over", (0, 1, 1)) == ["0.1.2 items"]
            assert await step("into", (0, 1, 2)) == ["0.1.2.0.0 one", "0.1.2.1.0 one"]
            assert await step("over", (0, 1, 2, 1, 0)) == ["0.1.2.0.0 one", "0.1.2.1.1 two"]
            assert await step("out", (0, 1, 2, 0, 0)) == ["0.1.2.1.1 two"]
            assert await step("out", (0, 1, 2, 1, 1)) == ["0.1.3 after"]
            assert await step("out", (0, 1, 3)) == ["0.2 end"]
            assert await step("out", (0, 2)) == []
            assert (await run.result()).statistics.steps == 15

    virtually(main)


def test_a_step_over_a_call():
    """What a called graph does is below the node that calls it (G6, C3)."""

    async def main():
        async with tf.open_run(calling(), services={"notes": []}, options=STEADY) as run:
            run.gate.add_breakpoint("call")
            await run.gate.wait_parked()
            run.gate.step_over((0, 1))
            await run.gate.wait_parked()
            assert at(run) == ["0.2 end"]
            run.gate.resume()

    virtually(main)


def test_a_breakpoint_ends_a_step_over():
    """A breakpoint below what is stepped over stops the run, and the rest of the step waits, too (G6)."""

    async def main():
        told = []
        async with tf.open_run(nested_graph(), services={"notes": []}, options=STEADY, observers=[told.append]) as run:
            run.gate.add_breakpoint("two")
            run.gate.pause()
            await run.gate.wait_parked()
            run.gate.step_over((0, 0))
            await run.gate.wait_parked()
            run.gate.step_over((0, 1))
            await run.gate.wait_parked()
            assert at(run)[0] == "0.1.0.0.1 two"
            assert run.gate.reason == "breakpoint on 'two'"
            assert (run.gate.reason.kind, run.gate.reason.breakpoint) == ("breakpoint", "b1")
            run.gate.remove_breakpoint("b1")
            run.gate.resume()
        reasons = [event.reason for event in told if isinstance(event, tf.events.RunPaused)]
        assert reasons == ["paused", "stepped over 0.0", "breakpoint on 'two'"]
        assert reasons[1].kind == "step"

    virtually(main)


def test_a_step_into_is_told_when_its_strand_waits_for_others():
    """The end of a step is told where the strand comes to wait, at the gate or for the strands that it began (G5)."""

    async def main():
        told = []
        async with tf.open_run(nested_graph(), services={"notes": []}, options=STEADY, observers=[told.append]) as run:
            run.gate.add_breakpoint("items")
            await run.gate.wait_parked()
            run.gate.step_into(run.gate.parked_at()[0].path)
            await run.gate.wait_parked()
            reasons = [event.reason for event in told if isinstance(event, tf.events.RunPaused)]
            assert reasons == ["breakpoint on 'items'", "stepped into 0.1.0"]
            run.gate.remove_breakpoint("items")
            run.gate.resume()

    virtually(main)


def test_wrong_steps():
    """A step of nobody says who waits; one of an open gate, and of a run that is over, say so."""

    async def main():
        async with tf.open_run(loop_graph(), services={"notes": []}, options=STEADY) as run:
            with pytest.raises(
                RuntimeError, match=r"The gate is open: there is nothing to step. Call gate.pause\(\) first"
            ):
                run.gate.step_over((0, 0))
            run.gate.pause()
            with pytest.raises(tf.UnknownName, match=r"Nothing waits at 0.0, so .* Nothing waits here."):
                run.gate.step_into((0, 0))
            await run.gate.wait_parked()
            with pytest.raises(
                tf.UnknownName, match=r"at 0.5, so there is nothing to step out: .* ended. Here wait: 0.0."
            ):
                run.gate.step_out((0, 5))
            run.gate.resume()
            await run.result()
            with pytest.raises(tf.RunFinished):
                run.gate.step_into((0, 0))

    virtually(main)


def test_pausing_for_a_while():
    """A pause may end by itself; what opens the gate is told (G2)."""

    async def main():
        told = []
        graph = chain_of_waits()
        async with tf.open_run(graph, services={"notes": []}, options=STEADY, observers=[told.append]) as run:
            run.gate.pause("a moment", resume_after=5)
            await trio.sleep(3)
            run.gate.pause(resume_after=5)
            await trio.sleep(4)
            assert run.gate.closed
            await trio.sleep(2)
            assert not run.gate.closed
            run.gate.pause(resume_after=5)
            run.gate.resume(by="anna")
            with pytest.raises(ValueError, match="resume_after is a number of seconds, more than 0, got 0"):
                run.gate.pause(resume_after=0)
        assert trio.current_time() == 8 + 10
        assert [event.by for event in told if isinstance(event, tf.events.RunResumed)] == ["time", "anna"]

    virtually(main)


def chain_of_waits():
    with tf.build() as g:
        chain(g, g.add(tf.nodes.Start), g.add(Wait, seconds=10.0), g.add(Note))
    return g.graph


# --- places ---


def test_a_breakpoint_on_a_wire():
    """Only dispatches over the wire hit it; it is told, and so are they who wait (G8)."""
    with tf.build() as g:
        start, parallel = g.add(tf.nodes.Start, "start"), g.add(tf.nodes.Parallel, "parallel")
        note = g.add(Note, "note")
        g.connect(start.then, parallel.enter)
        g.connect(parallel.a, note.enter)
        g.connect(parallel.b, note.enter)

    async def main():
        async with tf.open_run(g.graph, services={"notes": []}, options=STEADY) as run:
            made = run.gate.add_breakpoint(wire="parallel.b->note.enter")
            await run.gate.wait_parked()
            (parked,) = [each for each in run.gate.parked_at() if each.wire == "parallel.b -> note.enter"]
            assert (parked.node, made.hits, made.on) == ("note", 1, parked.wire)
            assert run.gate.statistics().breakpoints == ("parallel.b -> note.enter",)
            run.gate.resume()

    virtually(main)
    assert [hit.wire for hit in stops(g.graph, wire="parallel.a -> note.enter")] == ["parallel.a -> note.enter"]


def test_a_breakpoint_on_a_wire_of_a_workflow():
    """A firing comes over the wires of all its tokens, be it for one or for several (G8, W4)."""
    with tf.workflow() as w:
        start, a, b = (w.add(Note, name) for name in ("start", "a", "b"))
        note = w.add(Note, "note")
        w.after(start, a, b)
        w.after(a, note)
        w.after(b, note)
    wires = [str(wire) for wire in w.graph.connections]
    assert [[hit.node for hit in stops(w.graph, wire=wire)] for wire in wires] == [["a"], ["b"], ["note"], ["note"]]
    with pytest.raises(tf.errors.UnknownName, match=r"no exec wire 'a -> b' to stop at"):
        stops(w.graph, wire="a -> b")


def test_breakpoints_in_graphs_that_are_called():
    """Nodes, wires and values inside are named as `call/...` (C8, A1)."""
    graph = calling()
    assert [hit.node for hit in stops(graph, "call/note")] == ["call/note"]
    wire = "call/enter.in -> call/note.enter"
    assert [(hit.node, hit.wire) for hit in stops(graph, wire=wire)] == [("call/note", wire)]
    assert [(hit.node, hit.detail) for hit in stops(graph, value="call/own")] == [("call/after", "call/own is now 1")]


def test_a_breakpoint_on_types():
    """A pattern means all nodes of these types (A1)."""
    assert [hit.node for hit in stops(loop_graph(2), "test.*")] == ["end"]
    assert [hit.node for hit in stops(loop_graph(2), "variable.*")] == ["add", "add"]


def test_a_breakpoint_on_a_value():
    """The next dispatch after a variable or an output was written stops, and says what it is now."""
    assert [(hit.node, hit.detail) for hit in stops(loop_graph(), value="total")] == [
        ("add", "total is now 0"), ("add", "total is now 2"), ("end", "total is now 6"),
    ]  # fmt: skip
    assert [hit.detail for hit in stops(loop_graph(2), value="loop.index")] == [
        "loop.index is now 0", "loop.index is now 1",
    ]  # fmt: skip


def test_a_value_that_concurrent_items_get():
    """Each item sees its own, and is stopped for it once; what was written before the breakpoint counts for nobody."""
    with tf.build() as g:
        start, items, note = g.add(tf.nodes.Start), g.add(Items, "items", count=3), g.add(Note, "note")
        g.connect(start.then, items.enter)
        g.connect(items.body, note.enter)
    assert sorted(hit.detail for hit in stops(g.graph, value="items.item", log=True)) == [
        f"items.item is now {number}" for number in range(3)
    ]


def test_a_breakpoint_on_failures():
    """The run stops where an activation fails, before whoever triggered it is told; once for each failure."""
    with tf.build() as g:
        start, attempt, caught = g.add(tf.nodes.Start, "start"), g.add("flow.try", "attempt"), g.add(Note, "caught")
        step, fail = g.add(tf.nodes.ForLoop, "step", times=1), g.add(Fail, "fail")
        g.connect(start.then, attempt.enter)
        g.connect(attempt.body, step.enter)
        g.connect(attempt.catch, caught.enter)
        g.connect(step.body, fail.enter)

    async def main():
        async with tf.open_run(g.graph, services={"notes": []}, options=STEADY) as run:
            run.gate.add_breakpoint(failure=True, condition="error == 'ValueError'")
            await run.gate.wait_parked()
            (parked,) = run.gate.parked_at()
            assert (parked.node, parked.wire, repr(parked.error)) == ("fail", None, "ValueError('boom')")
            assert (run.gate.reason, run.gate.reason.kind) == ("ValueError: boom", "failure")
            assert [(each.node, each.state) for each in run.strands()] == [("fail", "parked")]
            run.gate.resume()
            await run.gate.wait_parked()
            assert not run.gate.closed

    virtually(main)


def test_a_failure_that_waits_is_no_cancellation():
    """Cancelled where it has stopped for a failure, a run still fails with it (R5)."""
    with tf.build() as g:
        chain(g, g.add(tf.nodes.Start), g.add(Fail, "fail"))

    async def main():
        async with tf.open_run(g.graph, options=STEADY) as run:
            run.gate.add_breakpoint(failure=True)
            await run.gate.wait_parked()
            run.cancel()
            with pytest.raises(ValueError, match="boom"):
                await run.result()
            assert run.gate.parked_at() == []

    virtually(main)


def test_a_breakpoint_that_is_never_reached_gives_no_turn():
    """Dispatches of other nodes go on as without it: in the run's turn, no other task gets one (T2)."""

    async def main():
        async with tf.open_run(loop_graph(50), services={"notes": []}, options=STEADY) as run:
            run.gate.add_breakpoint("end", "hits > 1")
            turns = 0
            while run.status in (tf.RunStatus.RUNNING, tf.RunStatus.NOT_STARTED):
                await trio.lowlevel.checkpoint()
                turns += 1
            return turns

    assert virtually(main) < 10


# --- conditions, logs ---


@pytest.mark.parametrize(
    ("condition", "values"),
    [
        ("total >= 2", [2]),
        ("hits == 2", [1]),
        ("path == '0.1.2'", [2]),
        ("value > 1 and value < 4", [1]),
        ("input.value == 4", [2]),
        ("variable.total != 0 and hits <= 3", [2]),
        ('name == "total" and hits < 2', [0]),
        ("name == null", []),
        ("hits == true", []),
    ],
)
def test_conditions(condition, values):
    """`NAME op LITERAL`, joined by `and`, over variables, inputs, path and hits."""
    assert [hit.path.as_tuple()[-1] for hit in stops(loop_graph(), "add", condition)] == values


def test_a_condition_changes_nothing():
    """A function that changes the list which it reads changes a copy (G4)."""

    def condition(read):
        read("rows").append("spoilt")
        return False

    with tf.build() as g:
        g.variable("rows", "list", [1])
        g.connect(g.add(tf.nodes.Start).then, g.add(Note, "note").enter)

    async def main():
        async with tf.open_run(g.graph, services={"notes": []}, options=STEADY) as run:
            made = run.gate.add_breakpoint("note", condition)
            result = await run.result()
            return made.hits, result.variables

    assert virtually(main) == (1, {"rows": [1]})


def test_a_condition_leaves_no_trace_in_the_run():
    """What is evaluated for it is evaluated in a store that is dropped, and told as by the host (G4)."""

    async def main():
        evaluated = []
        watch = tf.observe(evaluated.append, kinds=["EvaluationStarted"])
        async with tf.open_run(loop_graph(1), services={"notes": []}, options=STEADY, observers=[watch]) as run:
            run.gate.add_breakpoint("add", "value == 7")
            assert (await run.result()).variables == {"total": 0}
        return [str(event.path) for event in evaluated]

    assert virtually(main) == ["0.1.0.host"]


@pytest.mark.parametrize(
    ("given", "error", "says"),
    [
        ({"node": "add", "condition": "total > "}, ValueError, r"The condition 'total > ' can't be read. Write NAME OP"),
        ({"node": "add", "condition": "total = 1"}, ValueError, "can't be read"),
        ({"node": "add", "condition": "total > 1 or"}, ValueError, "can't be read"),
        ({"node": "add", "condition": "total == [1]"}, ValueError, "can't be read"),
        ({"node": "add", "condition": "__import__('os') == 1"}, ValueError, "can't be read"),
        ({"node": "add", "condition": "totl > 1"}, tf.UnknownName, "names 'totl', which node 'add' does not have. Did you mean 'total'"),
        ({"node": "lop"}, tf.UnknownName, "There is no node 'lop' to stop at. Did you mean 'loop'"),
        ({"node": "double"}, tf.UnknownName, r"Node 'double' \(math.multiply\) is a data node: .* never dispatched"),
        ({"node": "http.*"}, tf.UnknownName, "No node has a type like 'http.*', so nothing would stop there"),
        ({"wire": "loop.body -> end.enter"}, tf.UnknownName, "no exec wire .* Did you mean 'loop.body -> add.enter'"),
        ({"wire": "add"}, tf.UnknownName, "Write 'node.output -> node.input'"),
        ({"wire": "no/loop.body -> add.enter"}, tf.UnknownName, "There is no exec wire"),
        ({"value": "totl"}, tf.UnknownName, "no variable or output 'totl' to watch. Did you mean 'total'"),
        ({"value": "double.result"}, tf.UnknownName, "What a data node gives is computed when somebody asks"),
        ({}, TypeError, "needs one of node, wire, value and failure=True, got 0"),
        ({"node": "add", "failure": True}, TypeError, "got 2"),
    ],
)  # fmt: skip
def test_wrong_breakpoints(given, error, says):
    """What can't be set is refused with what is there, and nothing is set."""

    async def main():
        async with tf.open_run(loop_graph(), services={"notes": []}) as run:
            with pytest.raises(error, match=says):
                run.gate.add_breakpoint(**given)
            assert run.gate.breakpoints == ()

    virtually(main)


def test_a_condition_that_fails():
    """It is told as the breakpoint's failure, the run stops there, and the node runs as ever."""
    failed, hit, *_ = stops(loop_graph(1), "add", "name > 3")
    assert (failed.breakpoint, type(failed.error)) == ("b1", TypeError)
    assert str(failed.error) == "name is 'total', which can't be compared with 3 by >."
    assert hit.stopped
    assert [type(event) for event in stops(loop_graph(1), "add", lambda read: read("nothing"), log=True)] == [
        tf.events.BreakpointFailed
    ]


def test_a_breakpoint_that_only_logs():
    """It tells each hit and the run goes on."""
    hits = stops(loop_graph(), "add", log=True)
    assert [(hit.stopped, hit.breakpoint, hit.wire) for hit in hits] == [(False, "b1", "loop.body -> add.enter")] * 3


def test_disabled_is_not_removed():
    """A breakpoint that rests does not count; enabled again it does. By id or by what it is set on."""

    async def main():
        async with tf.open_run(loop_graph(), services={"notes": []}, options=STEADY) as run:
            made = run.gate.add_breakpoint("add")
            run.gate.disable_breakpoint("add")
            assert run.gate.breakpoints == (made,)
            run.gate.add_breakpoint("end")
            await run.gate.wait_parked()
            assert (run.gate.parked_at()[0].node, made.hits) == ("end", 0)
            run.gate.enable_breakpoint("b1")
            assert made.enabled
            for which in ("add", "b2"):
                run.gate.remove_breakpoint(which)
            with pytest.raises(tf.UnknownName, match="There is no breakpoint on 'b2'. There is: none"):
                run.gate.disable_breakpoint("b2")
            run.gate.resume()

    virtually(main)


def test_what_is_evaluated_for_nobody():
    """A value behind a data node that fails makes the condition fail, and not the node, which does not ask for it."""
    with tf.build() as g:
        start, note = g.add(tf.nodes.Start), g.add(Note, "note")
        choice = g.add(increment, "inc", x=1)
        g.connect(choice.result, note.value)
        g.connect(start.then, note.enter)
    assert [type(event).__name__ for event in stops(g.graph, "note", "value == 2")] == ["BreakpointHit"]


@pytest.mark.parametrize(
    "condition", ["total == 2", "variable.total == 2", 'v["total"] == 2', "v['total']==2 and hits > 0"]
)
def test_variables_in_conditions(condition):
    """By name, with what they are in front, or as one writes them in Python."""
    (first, *_) = read_condition(condition)
    assert first.name.removeprefix("variable.") == "total"
