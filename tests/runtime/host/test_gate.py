"""Pausing and stepping: G1-G4."""

from __future__ import annotations

import math

import pytest
import trio
import trio.testing
from support import Items, Note, Wait, chain, increment

import trioflow as tf

STEADY = tf.RunOptions(turn_after=math.inf)


def loop_graph(times=5):
    with tf.build() as g:
        start, loop, wait = g.add(tf.nodes.Start), g.add(tf.nodes.ForLoop, "loop", times=times), g.add(Wait, "wait")
        g.connect(start.then, loop.enter)
        g.connect(loop.body, wait.enter)
    return g.graph


def virtually(main):
    return trio.run(main, clock=trio.testing.MockClock(autojump_threshold=0))


def test_pause_step_resume():
    """Closed, the gate lets nothing pass; step lets exactly n dispatches pass; resume releases all (G1, G2)."""

    async def main():
        notes = []
        async with tf.open_run(loop_graph(), services={"notes": notes}, options=STEADY) as run:
            run.gate.pause("look around")
            await run.gate.wait_parked()
            assert (run.statistics().steps, run.status) == (0, tf.RunStatus.PAUSED)
            assert repr(run.gate) == "<Gate: closed (look around), 1 parked>"
            for steps in (1, 2, 3):
                run.gate.step()
                await run.gate.wait_parked()
                assert run.statistics().steps == steps
            run.gate.step(2)
            await run.gate.wait_parked()
            assert run.statistics().steps == 5
            run.gate.resume()
            assert run.status is tf.RunStatus.RUNNING
            assert (await run.result()).statistics.steps == 7
            assert len(notes) == 5

    virtually(main)


def test_steps_do_not_accumulate():
    """What a step allows is used up by the next dispatches, and forgotten on resume (G2)."""

    async def main():
        async with tf.open_run(loop_graph(), services={"notes": []}, options=STEADY) as run:
            run.gate.pause()
            await run.gate.wait_parked()
            run.gate.step(3)
            run.gate.resume()
            run.gate.pause()
            await run.gate.wait_parked()
            steps = run.statistics().steps
            await trio.sleep(100)
            assert run.statistics().steps == steps <= 3
            run.gate.step()
            await run.gate.wait_parked()
            assert run.statistics().steps == steps + 1
            run.gate.resume()

    virtually(main)


@pytest.mark.parametrize("at", range(1, 5))
def test_nothing_passes_after_a_pause(at):
    """A body that closes the gate is the last that was dispatched, wherever the run is between two turns (G2, T2)."""

    class Pauses(tf.Node, id="gate.pauses"):
        enter = tf.ExecIn()
        count = tf.DataIn(int)

        async def execute(self, ctx: tf.Context) -> None:
            if await ctx.get_input(self.count) == at:
                runs[0].gate.pause()
                steps.append(runs[0].statistics().steps)

    with tf.build() as g:
        start, loop = g.add(tf.nodes.Start), g.add(tf.nodes.ForLoop, times=8)
        g.connect(start.then, loop.enter)
        g.connect(loop.body, g.add(Pauses, count=loop.index).enter)

    async def main():
        options = tf.RunOptions(turn_every=3, turn_after=math.inf)
        async with tf.open_run(g.graph, options=options) as run:
            runs.append(run)
            while not run.gate.closed:
                await trio.lowlevel.checkpoint()
            await run.gate.wait_parked()
            steps.append(run.statistics().steps)
            run.gate.resume()

    runs, steps = [], []
    virtually(main)
    assert steps[0] == steps[1]


class Impatient(tf.Node, id="gate.impatient"):
    """Gives up waiting for its item after a second, and goes on at the sixth."""

    enter = tf.ExecIn()
    item = tf.DataOut(int)
    each = tf.ExecOut()
    then = tf.ExecOut()
    stream = tf.Stream(item, fires=each, mode="concurrent")

    async def execute(self, ctx: tf.Context) -> None:
        await ctx.emit(self.item, 1)
        with trio.move_on_after(1):
            await ctx.join()
        await trio.sleep_until(6)
        await ctx.trigger(self.then)


def test_who_gives_up_waiting_is_busy_again():
    """A strand whose wait for another was cancelled counts as one that goes on (G2)."""
    with tf.build() as g:
        node = g.add(Impatient)
        chain(g, g.add(tf.nodes.Start), node, g.add(Note))
        g.connect(node.each, g.add(Wait, seconds=4.0).enter)

    async def main():
        async with tf.open_run(g.graph, services={"notes": []}) as run:
            await trio.sleep(2)
            run.gate.pause()
            await run.gate.wait_parked()
            parked_at = trio.current_time()
            run.gate.resume()
        return parked_at

    assert virtually(main) == 6


def test_resume_releases_many_strands():
    """Many strands that wait are released by one resume, and by steps in the order of their arrival (G2)."""
    with tf.build() as g:
        start, items, note = g.add(tf.nodes.Start), g.add(Items, count=10), g.add(Note)
        g.connect(items.item, note.value)
        g.connect(start.then, items.enter)
        g.connect(items.body, note.enter)

    async def main():
        notes = []
        async with tf.open_run(g.graph, services={"notes": notes}, options=STEADY) as run:
            run.gate.pause()
            run.gate.step(2)
            await run.gate.wait_parked()
            assert run.statistics().strands_parked == 10
            run.gate.step(4)
            await run.gate.wait_parked()
            assert (len(notes), run.statistics().strands_parked) == (4, 6)
            run.gate.resume()
            await run.result()
            assert sorted(notes) == list(range(10))

    virtually(main)


def test_demands_are_not_gated():
    """A paused run's data can be evaluated: demands pass the gate (G1)."""

    class Reader(tf.Node, id="reader", initiator=True):
        x = tf.DataIn(int, lazy=True)
        then = tf.ExecOut()

        async def execute(self, ctx: tf.Context) -> None:
            await trio.sleep(1)
            ctx.services.get("notes").append(await ctx.get_input(self.x))

    with tf.build() as g:
        reader = g.add(Reader)
        g.connect(g.add(increment, x=1).result, reader.x)

    async def main():
        notes = []
        async with tf.open_run(g.graph, services={"notes": notes}) as run:
            await trio.sleep(0.5)
            run.gate.pause()
            await trio.sleep(1)
            assert notes == [2]
            run.gate.resume()

    virtually(main)


def test_breakpoint():
    """A breakpoint closes the gate where its node would be dispatched, if its condition holds, and reports it (G3)."""
    with tf.build() as g:
        g.variable("n", "int", 0)
        start, loop = g.add(tf.nodes.Start), g.add(tf.nodes.ForLoop, times=4)
        count = g.add(tf.nodes.UpdateVariable, "count", name="n", value=1)
        g.connect(start.then, loop.enter)
        g.connect(loop.body, count.enter)

    async def main():
        async with tf.open_run(g.graph, options=STEADY) as run:
            log = run.events()
            run.gate.add_breakpoint("count", lambda read: read("n") == 2)
            await run.gate.wait_parked()
            assert run.gate.statistics().reason == "breakpoint on 'count'"
            assert run.statistics().steps == 4
            run.gate.remove_breakpoint("count")
            run.gate.resume()
            assert (await run.result()).variables == {"n": 4}
            kinds = [type(event).__name__ async for event in log]
            assert [kind for kind in kinds if not kind.startswith("Node")] == [
                "RunStarted", "BreakpointHit", "RunPaused", "RunResumed", "RunCompleted"
            ]  # fmt: skip

    virtually(main)


def test_breakpoint_without_condition_stops_each_time():
    """Without a condition a breakpoint stops each time its node comes up (G3)."""

    async def main():
        async with tf.open_run(loop_graph(times=2), services={"notes": []}) as run:
            run.gate.add_breakpoint("wait")
            for _ in range(2):
                await run.gate.wait_parked()
                assert run.gate.closed
                run.gate.resume()
            await run.result()

    virtually(main)


def test_pausing_changes_no_result(bench):
    """A run that is paused and stepped all the way leaves what it leaves without (G4)."""
    with tf.build() as g:
        g.variable("total", "int", 0, merge="sum")
        start, items = g.add(tf.nodes.Start), g.add(Items, count=4)
        add = g.add(tf.nodes.UpdateVariable, name="total", value=items.item)
        g.connect(start.then, items.enter)
        g.connect(items.body, add.enter)
    plain = bench.run(g.graph)

    async def main():
        async with tf.open_run(g.graph) as run:
            run.gate.pause()
            while run.status is tf.RunStatus.PAUSED or run.status is tf.RunStatus.NOT_STARTED:
                await run.gate.wait_parked()
                if run.status is tf.RunStatus.PAUSED:
                    run.gate.step()
            return await run.result()

    stepped = virtually(main)
    assert (stepped.variables, stepped.outputs) == (plain.variables, plain.outputs)


def test_a_dying_strand_gives_its_step_back():
    """A strand that is cancelled after it was let pass does not use up the step (G2)."""
    with tf.build() as g:
        start, race = g.add(tf.nodes.Start), g.add(tf.nodes.Race)
        quick, slow = g.add(Wait, "quick", seconds=1.0), g.add(Wait, "slow", seconds=2.0)
        late, never = g.add(Note, "late", value="late"), g.add(Note, "never", value="never")
        g.connect(start.then, race.enter)
        g.connect(race.a, quick.enter)
        g.connect(race.b, slow.enter)
        g.connect(slow.then, never.enter)
        g.connect(race.done, late.enter)

    async def main():
        notes = []
        async with tf.open_run(g.graph, services={"notes": notes}, options=STEADY) as run:
            await trio.sleep(0.5)
            run.gate.pause()
            await run.gate.wait_parked()
            run.gate.step()
            await run.gate.wait_parked()
            assert notes[-1] == "late"
            run.gate.resume()

    virtually(main)


def test_wrong_use_of_the_gate():
    """Stepping an open gate, a count below one, a breakpoint on nothing, or a run that is over: errors that tell."""

    async def main():
        async with tf.open_run(loop_graph(times=1), services={"notes": []}) as run:
            with pytest.raises(RuntimeError, match=r"there is nothing to step. Call gate.pause\(\) first"):
                run.gate.step()
            run.gate.resume()
            run.gate.pause()
            run.gate.pause("again")
            assert run.gate.statistics() == tf.GateStatistics(True, "paused", 0, ())
            with pytest.raises(ValueError, match=r"step\(count\) needs at least 1, got 0"):
                run.gate.step(0)
            with pytest.raises(tf.UnknownName, match="There is no node 'lop' to stop at. Did you mean 'loop'"):
                run.gate.add_breakpoint("lop")
            with pytest.raises(tf.UnknownName, match="There is no breakpoint on 'loop'"):
                run.gate.remove_breakpoint("loop")
            run.gate.resume()
            await run.result()
            with pytest.raises(tf.RunFinished, match="The run has ended: there is nothing to pause"):
                run.gate.pause()
            await run.gate.wait_parked()

    virtually(main)


def test_cancelled_while_parked():
    """A paused run can be cancelled; nothing stays behind (G1, R5)."""

    async def main():
        with trio.move_on_after(1) as scope:
            async with tf.open_run(loop_graph(), services={"notes": []}) as run:
                run.gate.pause()
                await trio.sleep_forever()
        assert scope.cancelled_caught
        assert run.status is tf.RunStatus.CANCELLED
        assert run.gate.statistics().parked == 0

    virtually(main)


def test_steps_add_up():
    """Steps that are given faster than they are used are all used; whoever has passed is forgotten (G2)."""

    async def main():
        paused = []
        async with tf.open_run(loop_graph(), services={"notes": []}, options=STEADY, observers=[paused.append]) as run:
            assert repr(run.gate) == "<Gate: open, 0 parked>"
            with pytest.raises(RuntimeError, match=r"^The gate is open: there is nothing to step\. Call gate"):
                run.gate.step()
            run.gate.resume()
            assert paused == []
            run.gate.pause("look around")
            await run.gate.wait_parked()
            for _ in range(3):
                run.gate.step()
            await run.gate.wait_parked()
            assert run.statistics().steps == 3
            assert run.gate._barrier._stepping == set()
            run.gate.resume()
            await run.result()
            with pytest.raises(tf.RunFinished, match=r"The run has ended: there is nothing to step\.$"):
                run.gate.step()
        assert [event.reason for event in paused if isinstance(event, tf.events.RunPaused)] == ["look around"]

    virtually(main)


def test_who_dies_waiting_leaves_no_step():
    """A strand that is cancelled while it waits, and was not let pass, lets nobody else pass (G2)."""
    with tf.build() as g:
        start, race = g.add(tf.nodes.Start), g.add(tf.nodes.Race)
        quick, slow = g.add(Wait, "quick", seconds=1.0), g.add(Wait, "slow", seconds=0.7)
        late, never = g.add(Note, "late", value="late"), g.add(Wait, "never", seconds=1.0)
        g.connect(start.then, race.enter)
        g.connect(race.a, quick.enter)
        g.connect(race.b, slow.enter)
        g.connect(slow.then, never.enter)
        g.connect(race.done, late.enter)

    async def main():
        notes = []
        async with tf.open_run(g.graph, services={"notes": notes}, options=STEADY) as run:
            await trio.sleep(0.5)
            run.gate.pause()
            await trio.sleep(0.3)
            assert run.gate.statistics().parked == 1
            await trio.sleep(0.7)
            assert run.gate.statistics().parked == 1
            assert "late" not in notes
            run.gate.resume()
        assert "late" in notes

    virtually(main)
