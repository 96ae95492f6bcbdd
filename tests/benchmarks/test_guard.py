"""What steps and runs cost may not grow unnoticed: counted in bytecode instructions, which no machine's mood changes.

Each bound is a ratio to the same step written by hand, an awaited function with a check for cancellation, so that it is
the same for each version of Python. It has head-room of about a tenth: whoever makes the engine faster lowers it.
"""

from __future__ import annotations

import functools
import gc
import re
import tracemalloc
from pathlib import Path

import pytest
import trio
import trio.testing
from counting import instructions

import trioflow as tf
from benchmarks.subjects import by_hand
from benchmarks.subjects import trioflow as ours
from trioflow.cli.trace import Trace

FEW, MANY = 100, 600


def nothing(event):
    """An observer that does nothing."""


def observe(*kinds, values=False):
    return tf.observe(nothing, kinds=kinds or None, values=values)


BOUNDS = {
    # What is measured: (workload, most instructions for one of hand-written).
    "a trigger in a loop": ("loop", 5.5),
    "a hand-over": ("hand_over", 3.4),
    "a node that is needed once": ("chain", 4.1),
    "a node that is never reached": ("first_step", 0.01),
    "a re-used demand": ("data_reuse", 1.0),
    "the evaluation of a data node": ("data_chain", 3.5),
    "a round of a loop whose body takes what depends on the index": ("loop_data", 15.1),
    "a trigger in a loop that one observer watches": ("observers_1", 8.7),
    "a function in a loop": ("function_loop", 8.6),
    "a function behind a function": ("function_chain", 4.7),
    "a concurrent item": ("emit", 18.0),
    "a concurrent item that writes, merged": ("emit_writes", 30.0),
}
PRICES = {
    # The rows of the table in docs/events.md: (who observes, most instructions for one of a run that nobody watches in
    # a loop with an empty body, and in one whose body asks for what a data node makes of the index).
    "nobody": ([], 1.002, 1.002),
    "failures": ([observe("failures")], 1.05, 1.02),
    "one kind (`NodeCompleted`)": ([observe("NodeCompleted")], 1.55, 1.25),
    "steps": ([observe("steps")], 1.8, 1.35),
    "all": ([nothing], 1.7, 2.3),
    "all, with values": ([observe(values=True)], 3.5, 3.2),
}
MOST_OF_A_WATCHED_EVALUATION = 17
"""Steps written by hand whose instructions the evaluation of a data node may take if one observer watches."""
MOST_OF_A_TRACE = 24
"""Steps written by hand whose instructions a trigger may take if its events are written to a file."""
MOST_OF_A_RUN = 55
"""Steps written by hand whose instructions a run of two nodes may take, what trio does for its checkpoint included."""


def per_step(subject, workload):
    """Instructions for each step more; what a run costs once is not among them."""

    def of(size):
        run = getattr(subject, workload)(size)
        trio.run(run)  # the first run fills caches
        return instructions(lambda: trio.run(run))

    return (of(MANY) - of(FEW)) / (MANY - FEW)


@pytest.fixture(autouse=True)
def no_turns_by_the_clock(monkeypatch):
    """The scheduler gets its turn after so many steps alone: how long they take is the machine's mood."""
    monkeypatch.setattr(tf, "RunOptions", functools.partial(tf.RunOptions, turn_after=3600.0))


@pytest.fixture(scope="module")
def step_by_hand():
    return per_step(by_hand, "loop")


@pytest.mark.parametrize("what", BOUNDS)
def test_instructions_of_a_step(what, step_by_hand):
    """The hottest paths take no more instructions than they are allowed."""
    workload, bound = BOUNDS[what]
    ratio = per_step(ours, workload) / step_by_hand
    assert ratio <= bound, (
        f"{what} takes {ratio * step_by_hand:.0f} instructions, {ratio:.2f} times the {step_by_hand:.0f} of a step "
        f"written by hand; it may take {bound} times as many"
    )


def test_instructions_of_a_watched_evaluation(step_by_hand, monkeypatch):
    """Nor does the evaluation of a data node that one observer watches."""
    monkeypatch.setattr(ours, "_planned", functools.partial(ours._planned, observers=[lambda event: None]))
    ratio = per_step(ours, "data_chain") / step_by_hand
    assert ratio <= MOST_OF_A_WATCHED_EVALUATION, (
        f"the evaluation of a data node that is watched takes {ratio:.1f} times the instructions of a step written by "
        f"hand; it may take {MOST_OF_A_WATCHED_EVALUATION} times as many"
    )


@pytest.mark.parametrize("row", PRICES)
def test_prices_of_being_watched(row, monkeypatch):
    """Who watches costs no more than the page on events says, for each row of its table."""
    observers, *bounds = PRICES[row]
    for workload, bound in zip(("loop", "loop_data"), bounds, strict=True):
        alone = per_step(ours, workload)
        with monkeypatch.context() as watched:
            watched.setattr(ours, "_planned", functools.partial(ours._planned, observers=observers))
            ratio = per_step(ours, workload) / alone
        assert ratio <= bound, (
            f"{row}: {ratio:.2f} times the instructions in {workload}; it may take {bound} times as many"
        )


def test_the_page_on_events_has_these_prices():
    """Each row of the table is guarded here, but for glances, which are a matter of time."""
    page = (Path(__file__).parents[2] / "docs" / "events.md").read_text(encoding="utf-8")
    table = page.partition("| watched by an observer of |")[2].partition("\n\n")[0]
    assert re.findall(r"^\| (\D*?) \| [\d.]+ \|", table, re.MULTILINE) == [*PRICES, "glance"]


def test_a_glance_watches_little():
    """A glance watches for a few percent of the time at most, whatever it watches."""

    async def main():
        watched = 0
        async with tf.open_run(endless) as run, trio.open_nursery() as nursery:
            nursery.start_soon(lambda: run.glance(nothing))
            for _ in range(4000):
                await trio.sleep(0.001)
                watched += bool(run._state.observed and run._state.observed.observers)
            nursery.cancel_scope.cancel()
            run.cancel()
        assert 0 < watched < 0.1 * 4000

    with tf.build() as g:
        g.connect(g.add(tf.nodes.Start).then, g.add(tf.nodes.Delay, seconds=1000.0).enter)
    endless = tf.make_plan(g.graph, tf.Registry.standard())
    trio.run(main, clock=trio.testing.MockClock(autojump_threshold=0))


def test_instructions_of_a_trace(step_by_hand, monkeypatch, tmp_path):
    """Nor does a trigger in a loop whose events are written to a file."""
    with Trace(str(tmp_path / "trace.jsonl")) as trace:
        monkeypatch.setattr(ours, "_planned", functools.partial(ours._planned, observers=[trace]))
        ratio = per_step(ours, "loop") / step_by_hand
    assert ratio <= MOST_OF_A_TRACE, (
        f"a trigger of which a file is told takes {ratio:.1f} times the instructions of a step written by hand; it may "
        f"take {MOST_OF_A_TRACE} times as many"
    )


def test_instructions_of_a_run(step_by_hand):
    """To start and to end a run inside a running loop takes no more instructions than it is allowed."""
    once = ours.first_step(2)

    async def runs(number):
        for _ in range(number):
            await once()

    trio.run(runs, 1)
    of_eleven, of_one = (instructions(lambda number=number: trio.run(runs, number)) for number in (11, 1))
    ratio = (of_eleven - of_one) / 10 / step_by_hand
    assert ratio <= MOST_OF_A_RUN, (
        f"a run of two nodes takes as many instructions as {ratio:.1f} steps written by hand; it may take "
        f"{MOST_OF_A_RUN} times as many"
    )


class Changes(tf.Node, id="guard.changes"):
    """Writes its output and asks for its input, `times` times."""

    enter = tf.ExecIn()
    value = tf.DataIn(int, lazy=True)
    leaf = tf.DataOut(int)

    async def execute(self, ctx: tf.Context) -> None:
        for number in range(ctx.services.get("times")):
            ctx.set_output(self.leaf, number)
            await ctx.get_input(self.value)


@tf.data_node(id="guard.above")
def above(a: int = 0, b: int = 0) -> int:
    return max(a, b) + 1


def per_change(leaves):
    """Instructions for each change more at the bottom of a tree."""
    with tf.build() as g:
        start, changes = g.add(tf.nodes.Start), g.add(Changes)
        layer = [g.add(above, a=changes.leaf), *(g.add(above) for _ in range(leaves - 1))]
        while len(layer) > 1:
            pairs = zip(layer[::2], layer[1::2], strict=True)
            layer = [g.add(above, a=left.result, b=right.result) for left, right in pairs]
        g.connect(layer[0].result, changes.value)
        g.connect(start.then, changes.enter)
    plan = tf.make_plan(g.graph, tf.Registry.standard())

    def of(times):
        return instructions(lambda: trio.run(lambda: tf.run(plan, options=tf.RunOptions(), services={"times": times})))

    of(1)
    return (of(30) - of(10)) / 20


def test_a_change_costs_what_depends_on_it():
    """In a tree of 512 leaves, of which one has changed, no more is looked at than in one of 32, but for its height."""
    few, many = per_change(32), per_change(512)
    assert many < 2 * few, f"{few:.0f} instructions for a change below 5 layers, {many:.0f} below 9"


def test_the_count_does_not_depend_on_the_machine():
    """Counted again, it is the same."""
    first, second = per_step(ours, "loop"), per_step(ours, "loop")
    assert first == pytest.approx(second, rel=0.002)


@pytest.mark.parametrize("workload", ["loop", "hand_over"])
def test_a_longer_run_keeps_no_more(workload):
    """Twenty times the steps need the same memory: nothing is kept of a step that has been done."""

    def most(size):
        run = getattr(ours, workload)(size)
        trio.run(run)
        tracemalloc.start()
        try:
            trio.run(run)
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    few, many = most(500), most(10_000)
    assert many - few < 150_000, f"{few:,} bytes for 500 steps, {many:,} for 10,000"


def per_node(make, nodes=20, rounds=(10, 30)):
    """Instructions for each data node more in a chain behind the index of a loop, which is asked for in each round."""

    def of(length, times):
        with tf.build() as g:
            start, loop = g.add(tf.nodes.Start), g.add(tf.nodes.ForLoop, times=times)
            last = loop.index
            for _ in range(length):
                last = make(g, last)
            take = g.add(ours._take, value=g.add("convert.to_int", value=last).result)
            g.connect(start.then, loop.enter)
            g.connect(loop.body, take.enter)
        plan = tf.make_plan(g.graph, tf.Registry.standard())

        def once():
            trio.run(lambda: tf.run(plan, options=tf.RunOptions()))

        once()
        return instructions(once)

    few, many = rounds
    longer, shorter = (of(length, many) - of(length, few) for length in (nodes, 1))
    return (longer - shorter) / (nodes - 1) / (many - few)


COMMON = {
    # The common cases, most instructions for each node of steps written by hand.
    "math.add": (lambda g, last: g.add("math.add", a=last, b=1).result, 5.8),
    "logic.select": (lambda g, last: g.add("logic.select", condition=True, if_true=last, if_false=0).result, 21),
    "a node that awaits": (lambda g, last: g.add(awaits, value=last).result, 15),
}


@tf.data_node(id="guard.awaits")
async def awaits(value: int) -> int:
    return value


@pytest.mark.parametrize("what", COMMON)
def test_instructions_of_common_cases(what, step_by_hand):
    """Standard nodes, lazy inputs and bodies that could await cost what they cost, and no more."""
    make, bound = COMMON[what]
    ratio = per_node(make) / step_by_hand
    assert ratio <= bound, f"{what}: {ratio:.1f} steps written by hand; it may take {bound}"


@pytest.mark.unmeasured  # coverage needs memory, too
@pytest.mark.parametrize(
    ("workload", "bytes_"),
    [("workflow_chain", 500), ("workflow_layers", 1500), ("workflow_fan", 2000), ("workflow_fan_waiting", 6000)],
)
def test_a_node_of_a_workflow_needs_little(workload, bytes_):
    """What a run adds for each node, at most at once: of a fan all are there together, and those that wait have tasks."""

    def most(size):
        run = getattr(ours, workload)(size)
        trio.run(run)
        gc.collect()
        tracemalloc.start()
        try:
            trio.run(run)
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    few, many = most(100), most(500)
    assert many - few < 400 * bytes_, f"{(many - few) / 400:,.0f} bytes a node"
