"""Loops, and leaving them."""

from __future__ import annotations

import pytest
import trio
from hypothesis import given
from hypothesis import strategies as st
from support import Note, chain

import trioflow as tf
from trioflow.nodes.loop import NoLoop
from trioflow.testing import fire


def outputs(fired):
    return [output for output, _ in fired]


def values(fired, name, output="body"):
    return [each[name] for fired_output, each in fired if fired_output == output]


@given(st.integers(-20, 20), st.integers(-20, 20), st.integers(-5, 5).filter(bool))
def test_for_step_counts_as_ranges_do(start, end, step):
    """The end is left out, whichever way it goes."""
    fired = fire("flow.for_step", start=start, end=end, step=step)
    assert (values(fired, "index"), fired[-1][0]) == (list(range(start, end, step)), "done")


@given(st.integers(-20, 20), st.integers(-5, 5), st.integers(-2, 10))
def test_for_counts_from_the_start_in_steps(start, step, times):
    """As often as it is to, also in steps of nothing."""
    fired = fire("flow.for", start=start, step=step, times=times)
    assert values(fired, "index") == [start + number * step for number in range(times)]


@pytest.mark.parametrize("step", [0, 1])
def test_for_may_be_left_however_long_it_would_be(step):
    """`times` may be any number."""
    assert len(fire("flow.for", times=10**20, step=step, body="flow.break")) == 2


@given(st.integers(-10, 10), st.integers(-10, 10))
def test_for_reverse_is_the_opposite_order(start, end):
    assert values(fire("flow.for_reverse", start=start, end=end), "index") == list(range(start, end))[::-1]


def test_a_step_of_zero():
    """It would never end: an error."""
    with pytest.raises(ValueError, match="flow.for_step: a step of 0 never leads from 1 to 5."):
        fire("flow.for_step", start=1, end=5, step=0)


@pytest.mark.parametrize(("times", "rounds"), [(3, [1, 2, 3]), (0, []), (-1, [])])
def test_repeat(times, rounds):
    assert values(fire("flow.repeat", times=times), "round") == rounds


def test_bounds_are_read_once(bench):
    """What the body does to the number of rounds changes nothing."""
    with tf.build() as g:
        g.variable("n", "int", 2)
        loop = g.add("flow.repeat", times=g.add("variable.get", name="n").result)
        g.connect(g.add("flow.start").then, loop.enter)
        g.connect(loop.body, g.add("variable.add", name="n").enter)
    assert bench.run(g.graph).variables == {"n": 4}


def test_conditions_are_asked_afresh(bench):
    """while asks before, do_while and repeat_until after each round."""
    for node_type, start, expected in (
        ("flow.while", 0, 3), ("flow.while", 5, 5), ("flow.do_while", 5, 6), ("flow.repeat_until", 5, 6),
    ):  # fmt: skip
        with tf.build() as g:
            g.variable("n", "int", start)
            n = g.add("variable.get", name="n")
            condition = "logic.greater_equal" if node_type == "flow.repeat_until" else "logic.less"
            loop = g.add(node_type, condition=g.add(condition, a=n.result, b=3).result)
            chain(g, g.add("flow.start"), loop)
            g.connect(loop.body, g.add("variable.add", name="n").enter)
        assert bench.run(g.graph).variables == {"n": expected}, node_type


def test_a_continued_round_is_followed_by_its_condition():
    """continue does not skip the condition after the round."""
    assert outputs(fire("flow.do_while", condition=False, body="flow.continue")) == ["body", "done"]
    assert outputs(fire("flow.repeat_until", condition=True, body="flow.continue")) == ["body", "done"]


LOOPS = {
    "flow.for": {"times": 3}, "flow.for_step": {"end": 3}, "flow.for_reverse": {"end": 3}, "flow.repeat": {"times": 3},
    "flow.for_each": {"items": [1, 2, 3]}, "flow.for_each_dict": {"items": {1: 1, 2: 2, 3: 3}},
    "flow.for_each_batch": {"items": [1, 2, 3], "size": 1}, "flow.for_each_pair": {"a": [1, 2, 3], "b": [1, 2, 3]},
    "flow.every": {"seconds": 1, "times": 3},
}  # fmt: skip


@pytest.mark.parametrize("node_type", LOOPS)
def test_every_loop_can_be_left(node_type):
    """break ends it, continue only the round; both go on at `done` in the end."""
    inputs = LOOPS[node_type]
    assert outputs(fire(node_type, **inputs)) == ["body", "body", "body", "done"]
    assert outputs(fire(node_type, body="flow.continue", **inputs)) == ["body", "body", "body", "done"]
    assert outputs(fire(node_type, body="flow.break", **inputs)) == ["body", "done"]


@pytest.mark.parametrize("node_type", ["flow.while", "flow.do_while", "flow.repeat_until", "flow.forever"])
def test_conditional_loops_can_be_left(node_type):
    inputs = {} if node_type == "flow.forever" else {"condition": node_type != "flow.repeat_until"}
    assert outputs(fire(node_type, body="flow.break", **inputs)) == ["body", "done"]


@pytest.mark.parametrize(("most", "rounds"), [(1, 1), (2, 2), (5, 3)])
def test_a_while_may_have_a_most(bench, most, rounds):
    """It ends by its condition or after so many rounds, and goes on at `done` in both cases."""
    with tf.build() as g:
        g.variable("n", "int", 0)
        less = g.add("logic.less", a=g.add("variable.get", name="n").result, b=3)
        loop = g.add("flow.while", condition=less.result, most=most)
        chain(g, g.add("flow.start"), loop)
        g.connect(loop.body, g.add("variable.add", name="n").enter)
    assert bench.run(g.graph).variables == {"n": rounds}
    assert outputs(fire("flow.while", condition=True, most=2, body="flow.continue")) == ["body", "body", "done"]
    with pytest.raises(ValueError, match="flow.while needs 0 or more for `most`, got -1."):
        fire("flow.while", condition=True, most=-1)


@pytest.mark.parametrize("items", [[], [1], [1, 2, 3, 4, 5]])
@pytest.mark.parametrize("size", [1, 2, 10])
def test_batches_are_all_items_in_order(items, size):
    batches = values(fire("flow.for_each_batch", items=items, size=size), "batch")
    assert [item for batch in batches for item in batch] == items
    assert all(len(batch) == size for batch in batches[:-1])


def test_lists_that_do_not_fit():
    """Pairs need lists of the same length, batches a size."""
    with pytest.raises(ValueError, match="flow.for_each_pair: a has 2 items and b has 1; they must be as many."):
        fire("flow.for_each_pair", a=[1, 2], b=[1])
    with pytest.raises(ValueError, match="flow.for_each_batch needs a size of 1 or more, got 0."):
        fire("flow.for_each_batch", items=[1], size=0)


def test_a_dict_that_its_loop_changes():
    """The entries are those that there were before the first round."""
    entries = {"a": 1, "b": 2}

    def clear() -> None:
        entries.clear()

    with tf.build() as g:
        each = g.add("flow.for_each_dict", items=g.add(lambda: entries).result)
        g.connect(g.add("flow.start").then, each.enter)
        g.connect(each.body, g.add(tf.exec_node(clear)).enter)
    assert tf.testing.run_virtual(g.graph).output("for_each_dict", "index") == 1


def test_every():
    """Ticks come by the clock, whatever the body takes; those that it misses are left out and counted."""
    ticks = []

    async def body():
        ticks.append(trio.current_time())
        await trio.sleep([0.5, 2.5, 0.0, 1.0, 0.0][len(ticks) - 1])

    fired = fire("flow.every", seconds=1, times=5, body=body)
    assert [tick - ticks[0] for tick in ticks] == [0, 1, 4, 5, 7]
    assert [each["missed"] for _, each in fired[:-1] if "missed" in each] == [0, 0, 2, 2, 3]


@pytest.mark.parametrize("seconds", [0.0, -1.0, float("nan"), float("inf")])
def test_every_needs_seconds(seconds):
    with pytest.raises(ValueError, match="flow.every needs more than 0 seconds, got"):
        fire("flow.every", seconds=seconds)


def test_every_is_cancelled_while_it_waits(bench):
    with tf.build() as g:
        every = g.add("flow.every", "every", seconds=60.0)
        g.connect(g.add("flow.start").then, every.enter)
    bench.fails(tf.LimitExceeded, g.graph, options=tf.RunOptions(timeout=90))
    assert bench.log.rows("started", "cancelled", time=True)[-1] == (90.0, "cancelled", "every", "0.1")


def looping(build, loop="flow.repeat", **inputs):
    """A loop of three rounds around what `build(g, loop)` makes, then a note."""
    with tf.build() as g:
        node = g.add(loop, "loop", **(inputs or {"times": 3}))
        g.connect(g.add("flow.start").then, node.enter)
        g.connect(node.body, build(g, node).enter)
        g.connect(node.done, g.add(Note, "after", value="after").enter)
    return g.graph


def test_what_is_left_ends_as_cancelled(bench):
    """A break is no failure: the activations in between end as cancelled, and what would have come is left out."""

    def body(g, loop):
        sequence = g.add("flow.sequence", "sequence")
        g.connect(sequence.first, g.add("flow.break", "break").enter)
        g.connect(sequence.second, g.add(Note, value="never").enter)
        return sequence

    bench.run(looping(body))
    assert bench.notes == ["after"]
    assert bench.log.rows("started", "completed", "failed", "cancelled") == [
        ("started", "start", "0.0"), ("completed", "start", "0.0"), ("started", "loop", "0.1"),
        ("started", "sequence", "0.1.0"), ("started", "break", "0.1.0.0"), ("cancelled", "break", "0.1.0.0"),
        ("cancelled", "sequence", "0.1.0"), ("completed", "loop", "0.1"), ("started", "after", "0.2"),
        ("completed", "after", "0.2"),
    ]  # fmt: skip


@pytest.mark.parametrize(("leave", "expected"), [
    ("flow.break", ["cleanup", "after"]), ("flow.continue", ["cleanup", "cleanup", "cleanup", "after"]),
])  # fmt: skip
def test_cleanup_runs_and_catch_does_not(bench, leave, expected):
    """Through a try, all of `cleanup` runs, also what waits; `catch` and `done` do not."""

    def body(g, loop):
        guarded = g.add("flow.try", "try")
        g.connect(guarded.body, g.add(leave, "leave").enter)
        wait = g.add("flow.delay", seconds=1.0)
        g.connect(guarded.cleanup, wait.enter)
        g.connect(wait.then, g.add(Note, "cleanup", value="cleanup").enter)
        for output in ("catch", "done"):
            g.connect(guarded[output], g.add(Note, output, value=output).enter)
        return guarded

    bench.run(looping(body))
    assert bench.notes == expected
    assert bench.log.rows("failed") == []


@pytest.mark.parametrize("through", [
    ("flow.retry", "body", {}), ("flow.timeout", "body", {"seconds": 5.0}), ("flow.shield", "body", {"seconds": 5.0}),
    ("flow.fallback", "first", {}), ("flow.measure", "body", {}), ("flow.alongside", "body", {}),
    ("flow.sequence", "second", {}), ("flow.branch", "true", {"condition": True}),
])  # fmt: skip
def test_a_break_passes(bench, through):
    """Nothing in between takes it for a failure, tries again or goes on."""
    node_type, output, inputs = through

    def body(g, loop):
        node = g.add(node_type, "through", **inputs)
        g.connect(node[output], g.add("flow.break").enter)
        if node_type == "flow.alongside":
            g.connect(node.background, g.add("flow.delay", seconds=60.0).enter)
        return node

    result = bench.run(looping(body))
    assert (bench.notes, bench.log.rows("failed"), result.statistics.elapsed) == (["after"], [], 0.0)


def test_an_outer_loop_by_name(bench):
    """A loop further out is left, or continued, by the name of its node."""
    for leave, rounds in ("flow.break", 1), ("flow.continue", 3):

        def body(g, loop):
            inner = g.add("flow.for_each", "inner", items=[1, 2])
            note = g.add(Note, value="inner")
            g.connect(inner.body, note.enter)
            g.connect(note.then, g.add(leave, loop="loop").enter)  # noqa: B023 - called at once
            g.connect(inner.done, g.add(Note, value="done").enter)
            return inner

        bench.run(looping(body))
        assert bench.notes == ["inner"] * rounds + ["after"]


def test_from_far_below(bench):
    """However deep the break is, and whatever the engine does to nest that deep."""

    with tf.build() as g:
        loop = g.add("flow.repeat", "loop", times=3)
        counter, deep = g.add("flow.at_most", times=300), g.add("flow.sequence")
        g.connect(g.add("flow.start").then, loop.enter)
        g.connect(loop.body, deep.enter)
        g.connect(deep.first, counter.enter)
        g.connect(counter.then, deep.enter)
        g.connect(counter.over, g.add("flow.break").enter)
        g.connect(loop.done, g.add(Note, value="after").enter)
    bench.run(g.graph)
    assert (bench.notes, len(bench.log.rows("cancelled"))) == (["after"], 302)


def test_from_a_listener(bench):
    """An event is handled in the strand of whoever publishes it: it may end the loop around that."""
    with tf.build() as g:
        g.event("stop")
        loop, publish = g.add("flow.repeat", "loop", times=3), g.add("event.publish", event="stop")
        g.connect(g.add("flow.start").then, loop.enter)
        g.connect(loop.body, publish.enter)
        g.connect(publish.then, g.add(Note, "never", value="never").enter)
        g.connect(g.add("event.listen", event="stop").then, g.add("flow.break").enter)
        g.connect(loop.done, g.add(Note, "after", value="after").enter)
    bench.run(g.graph)
    assert bench.notes == ["after"]


@pytest.mark.parametrize("leave", ["flow.break", "flow.continue"])
def test_without_a_loop(bench, leave):
    """It is an error that says so, also when the loop has ended before."""
    with tf.build() as g:
        chain(g, g.add("flow.start"), g.add(leave, "leave"))
    assert str(bench.fails(NoLoop, g.graph)) == (
        f"{leave} at node 'leave': there is no loop around it. Wire it to something that a loop's body leads to."
    )
    with tf.build() as g:
        loop = g.add("flow.repeat", times=1)
        g.connect(g.add("flow.start").then, loop.enter)
        g.connect(loop.done, g.add(leave, "leave").enter)
    bench.fails(NoLoop, g.graph)


def test_without_a_loop_of_that_name(bench):
    graph = looping(lambda g, loop: g.add("flow.break", "break", loop="lop"))
    assert str(bench.fails(NoLoop, graph)) == (
        "flow.break at node 'break': there is no loop 'lop' around it. Around it are: loop."
    )


@pytest.mark.parametrize("mode", ["stream", "branch"])
def test_from_a_concurrent_strand(bench, mode):
    """A concurrent item or branch can't end the loop that goes on without it: the error says what to do."""

    def body(g, loop):
        leave = g.add("flow.break", "break")
        if mode == "stream":
            return leave
        parallel = g.add("flow.parallel")
        g.connect(parallel.a, leave.enter)
        return parallel

    graph = looping(body, "flow.parallel_for_each", items=[1]) if mode == "stream" else looping(body)
    error = bench.fails(NoLoop, graph)
    assert "flow.break at node 'break': it runs in a concurrent strand inside the loop 'loop'" in str(error)


def test_a_loop_inside_a_concurrent_strand(bench):
    """Each strand may leave the loops of its own."""

    def body(g, loop):
        inner = g.add("flow.forever", "inner")
        g.connect(inner.body, g.add("flow.break").enter)
        g.connect(inner.done, g.add(Note, value="left").enter)
        return inner

    bench.run(looping(body, "flow.parallel_for_each", items=[1, 2]))
    assert bench.notes == ["left", "left", "after"]


def test_breaking_and_failing_at_the_same_time(bench):
    """A failure of what runs meanwhile is not lost because the body leaves the loop."""

    class FailsWhenCancelled(tf.Node):
        enter = tf.ExecIn()

        async def execute(self, ctx):
            try:
                await trio.sleep_forever()
            finally:
                raise OSError("clean-up failed")

    def body(g, loop):
        node, wait = g.add("flow.alongside"), g.add("flow.delay")
        g.connect(node.background, g.add(FailsWhenCancelled).enter)
        g.connect(node.body, wait.enter)
        g.connect(wait.then, g.add("flow.break").enter)
        return node

    error = bench.fails(ExceptionGroup, looping(body))
    assert [type(each) for each in error.exceptions] == [OSError]
    assert bench.notes == []
