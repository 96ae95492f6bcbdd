"""Controlled schedules: they reach all interleavings, each can be had again, and what they don't control is reported."""

from __future__ import annotations

import itertools
import math

import pytest
import trio
from trio.testing import MockClock

import trioflow as tf
from trioflow.conformance.schedule import Deadlock, Step, Undecided, controlled, every_schedule, turn


def under(choices, *tasks):
    """Run tasks under a schedule; its steps, and what they wrote down."""
    written = []

    async def main():
        async with controlled(choices) as schedule, trio.open_nursery() as nursery:
            for task in tasks:
                nursery.start_soon(task, written)
        return schedule.steps

    return trio.run(main, clock=MockClock()), written


def stepping(name, steps):
    """A task that takes steps."""

    async def task(written):
        for _ in range(steps):
            await turn(name)
            written.append(name)

    return task


@pytest.mark.unmeasured
@pytest.mark.parametrize(("tasks", "steps", "count"), [(2, 2, 6), (3, 2, 90), (3, 3, 1680), (4, 2, 2520)])
def test_all_interleavings_are_reached(tasks, steps, count):
    """Exactly as many schedules as there are interleavings, and each is another one."""
    program = [stepping(f"task {number}", steps) for number in range(tasks)]
    orders = []

    def run(choices):
        made, written = under(choices, *program)
        orders.append(tuple(written))
        return made

    assert len([*every_schedule(run)]) == count == math.factorial(tasks * steps) // math.factorial(steps) ** tasks
    assert len({*orders}) == len(orders) == count


def test_the_same_choices_give_the_same_run():
    """Choices beyond the enabled sets are taken modulo their number, missing ones are 0."""
    program = stepping("a", 2), stepping("b", 2)
    steps, written = under([1, 0], *program)
    assert written == ["b", "a", "a", "b"]
    assert under([3, 2, 0, 7], *program) == (steps, written)
    assert steps == [
        Step(("a", "b"), "b"), Step(("a", "b"), "a"), Step(("a", "b"), "a"), Step(("b",), "b"),
    ]  # fmt: skip


def test_labels_are_sorted_bytewise():
    """So every language has the same order: not that of UTF-16 code units, nor of any alphabet."""
    labels = ["é", "Z", "a", "\U0001f600", "\uffff", "a 10", "a 9"]
    steps, _ = under([], *(stepping(label, 1) for label in labels))
    assert steps[0].enabled == ("Z", "a", "a 10", "a 9", "é", "\uffff", "\U0001f600")


# --- what is not controlled ---


def test_a_program_that_remembers_is_reported():
    """Each schedule begins anew: what an earlier one left behind must not decide."""
    runs = itertools.count(1)

    def run(choices):
        names = "ab" if next(runs) == 1 else "ac"
        return under(choices, *(stepping(name, 1) for name in names))[0]

    with pytest.raises(Undecided, match=r"the choices \[\] led to Step\(.*'b'.*\) at step 0, and run again to .*'c'"):
        [*every_schedule(run, twice=True)]


def test_a_decision_that_changes_is_reported_without_running_twice():
    names = itertools.chain(["ab", "ac"], itertools.repeat("ab"))

    def run(choices):
        return under(choices, *(stepping(name, 1) for name in next(names)))[0]

    with pytest.raises(
        Undecided, match=r"the choices \[1\] led to \('a', 'b'\) at decision 0 in one run, and to \('a', 'c'\)"
    ):
        [*every_schedule(run)]


def test_steps_that_vanish_are_reported():
    """With `twice` also what leaves no choice is compared, to the end."""
    lengths = itertools.cycle([2, 1])

    def run(choices):
        return under(choices, stepping("a", next(lengths)))[0]

    assert len([*every_schedule(run)]) == 1
    with pytest.raises(Undecided, match="and run again to "):
        [*every_schedule(run, twice=True)]


def test_a_program_that_is_controlled_passes_twice():
    def run(choices):
        return under(choices, stepping("a", 2), stepping("b", 2))[0]

    assert len([*every_schedule(run, twice=True)]) == 6


def test_too_many_schedules():
    def run(choices):
        return under(choices, stepping("a", 2), stepping("b", 2))[0]

    assert len([*every_schedule(run, limit=6)]) == 6
    with pytest.raises(RuntimeError, match="more than 5 schedules"):
        [*every_schedule(run, limit=5)]


# --- deadlock, time, cancellation ---


def test_a_deadlock_is_reported():
    """It comes out as it is, and says what went on last."""

    async def waits(written):
        await turn("waiter")
        await trio.Event().wait()

    with pytest.raises(Deadlock, match="After 1 steps, the last of which let 'waiter' go on, nothing can go on"):
        under([], waits)


def test_a_deadlock_that_only_one_order_has_is_found():
    """Two locks, taken in the other order."""
    stuck = []

    def run(choices):
        one, two = trio.Lock(), trio.Lock()

        def taking(name, first, second):
            async def task(written):
                await turn(name)
                async with first:
                    await turn(name)
                    async with second:
                        written.append(name)

            return task

        steps = []

        async def main():
            async with controlled(choices) as schedule:
                nonlocal steps
                steps = schedule.steps
                async with trio.open_nursery() as nursery:
                    nursery.start_soon(taking("a", one, two), [])
                    nursery.start_soon(taking("b", two, one), [])

        try:
            trio.run(main, clock=MockClock())
        except Deadlock:
            stuck.append(tuple(step.chosen for step in steps))
        return steps

    assert len([*every_schedule(run)]) == 6
    assert sorted(stuck) == [("a", "b", "a", "b"), ("a", "b", "b", "a"), ("b", "a", "a", "b"), ("b", "a", "b", "a")]


def test_time_jumps_when_nobody_can_go_on():
    """To the next deadline, no earlier and no further; sleeping takes no time of ours."""

    async def early(written):
        await trio.sleep(5)
        written.append(trio.current_time())

    async def late(written):
        await trio.sleep(3600)
        written.append(trio.current_time())

    async def busy(written):
        await turn("busy")
        written.append("busy")

    steps, written = under([], late, early, busy)
    assert written == ["busy", 5, 3600]
    assert steps == [Step(("busy",), "busy"), Step(now=5), Step(now=3600)]


def test_time_counts_from_the_beginning_of_the_block():
    async def main():
        clock = trio.lowlevel.current_clock()
        clock.jump(100)
        async with controlled() as schedule:
            await trio.sleep(2)
        return schedule.steps

    assert trio.run(main, clock=MockClock()) == [Step(now=2)]


def test_a_parked_task_can_be_cancelled():
    """Its label is not enabled any more, and may be used again."""

    async def canceller(written):
        async with trio.open_nursery() as nursery:
            nursery.start_soon(turn, "victim")
            await turn("a canceller")
            nursery.cancel_scope.cancel()
        await turn("victim")
        written.append("again")

    steps, written = under([], canceller)
    assert written == ["again"]
    assert steps == [Step(("a canceller", "victim"), "a canceller"), Step(("victim",), "victim")]


def test_who_can_go_on_does_before_any_time_passes():
    async def in_time(written):
        with trio.move_on_after(1):
            await turn("x")
            written.append(trio.current_time())

    assert under([], in_time) == ([Step(("x",), "x")], [0])


def test_two_tasks_with_one_label_are_refused():
    """The one that comes second is told; it is the block that fails, not the schedule."""
    with pytest.raises(ExceptionGroup) as caught:
        under([], stepping("same", 1), stepping("same", 1))
    (error,) = caught.value.exceptions
    assert isinstance(error, ValueError)
    assert str(error) == "Two tasks wait for a turn as 'same'. Give each a label of its own."


@pytest.mark.parametrize("clock", [None, MockClock(autojump_threshold=0)], ids=["real", "autojump"])
def test_a_clock_that_moves_by_itself_is_refused(clock):
    async def main():
        async with controlled():
            raise AssertionError

    with pytest.raises(TypeError, match=r"Run the test with trio\.run\(\.\.\., clock=trio\.testing\.MockClock\(\)\)"):
        trio.run(main, clock=clock)


def test_what_the_block_raises_comes_out_as_it_is():
    async def main():
        async with controlled():
            await turn("a")
            raise KeyError("mine")

    with pytest.raises(KeyError, match="mine"):
        trio.run(main, clock=MockClock())


def test_a_turn_without_a_schedule_is_a_checkpoint():
    """So code that is written for a controlled test works everywhere."""

    async def main():
        with trio.CancelScope() as scope:
            scope.cancel()
            await turn("x")
            raise AssertionError
        assert scope.cancelled_caught
        await turn("x")
        await turn("x")

    trio.run(main)


def test_where_the_block_ends_so_does_the_schedule():
    async def main():
        async with controlled() as schedule:
            await turn("inside")
        await turn("outside")
        return [step.chosen for step in schedule.steps]

    assert trio.run(main, clock=MockClock()) == ["inside"]


# --- graphs ---


class Racer(tf.Node, id="schedule.racer"):
    """Writes its name into a list that it shares with others, which no graph should do."""

    enter = tf.ExecIn()
    name = tf.DataIn(str)

    async def execute(self, ctx):
        ctx.services.get("order").append(await ctx.get_input(self.name))


class Start(tf.Node, id="schedule.start", initiator=True):
    left = tf.ExecOut()
    right = tf.ExecOut()

    async def execute(self, ctx):
        async with ctx.branches() as branches:
            branches.start(self.left)
            branches.start(self.right)


def test_a_graph_under_every_schedule():
    """The strands of a run park by themselves: a race that plain runs never show is found."""
    with tf.build(tf.Registry.standard(plugins=False)) as g:
        start = g.add(Start, "start")
        for side, name in ((start.left, "a"), (start.right, "b")):
            g.connect(side, g.add(Racer, name, name=name).enter)
    orders = set()

    def run(choices):
        order = []

        async def main():
            async with controlled(choices) as schedule:
                await tf.run(g.graph, services={"order": order})
            return schedule.steps

        steps = trio.run(main, clock=MockClock())
        orders.add(tuple(order))
        return steps

    assert [*every_schedule(run, twice=True)] == [(0,), (1,)]
    assert orders == {("a", "b"), ("b", "a")}
