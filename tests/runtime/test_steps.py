"""Plain functions as steps of their own: nobody sees that neither an activation nor a coroutine was made (T2, T3, E2)."""

from __future__ import annotations

import pytest
import trio

import trioflow as tf
from trioflow.testing import run_virtual

STANDARD = tf.Registry.standard(plugins=False)
CALLS = []


@tf.exec_node(id="steps.double")
def double(value: int) -> int:
    CALLS.append(value)
    return 2 * value


@tf.exec_node(id="steps.sum")
def total(a: int, b: int = 1) -> int:
    return a + b


@tf.exec_node(id="steps.one")
def one() -> int:
    return 1


@tf.exec_node(id="steps.note")
def note(value: int, word: str = "") -> None:
    CALLS.append((word, value))


@tf.data_node(id="steps.plus")
def plus(value: int) -> int:
    return value + 1


def in_a_row(g, first, *nodes):
    for node in nodes:
        g.connect(first, node.enter)
        first = node.then
    return first


def looped(times=4):
    """A loop of each kind of function: with one input, several, none, and without a result; and what is computed of them."""
    with tf.build(STANDARD) as g:
        start, loop = g.add(tf.nodes.Start), g.add(tf.nodes.ForLoop, times=times)
        g.connect(start.then, loop.enter)
        twice = g.add(double, "double", value=loop.index)
        single = g.add(one, "one")
        both = g.add(total, "sum", a=twice.result, b=single.result)
        more = g.add(total, "more", a=g.add(plus, value=both.result).result)
        noted = g.add(note, "note", value=more.result, word="so")
        in_a_row(g, loop.body, twice, single, both, more, noted)
    return g.graph


def watched(graph, **arguments):
    events = []
    CALLS.clear()
    result = run_virtual(graph, observers=[events.append], **arguments)
    return result, list(CALLS), [(type(each).__name__, each.node, each.path.as_tuple()) for each in events]


def test_nobody_sees_it():
    """Values, calls, steps and evaluations are the same for whoever watches, and for whoever does not."""
    result, calls, _ = watched(looped())
    CALLS.clear()
    alone = run_virtual(looped())
    assert (alone.outputs, alone.statistics.steps, alone.statistics.evaluations) == (
        result.outputs,
        result.statistics.steps,
        result.statistics.evaluations,
    )
    assert calls == CALLS == [each for index in range(4) for each in (index, ("so", 2 * index + 3))]


@tf.exec_node(id="steps.fails")
def fails(value: int) -> int:
    if value == 2:
        raise ValueError("no 2")
    return value


@tf.exec_node(id="steps.stops")
def stops() -> int:
    raise StopIteration(1)


def failing(kind):
    with tf.build(STANDARD) as g:
        start, loop = g.add(tf.nodes.Start), g.add(tf.nodes.ForLoop, times=5)
        g.connect(start.then, loop.enter)
        node = g.add(kind, "bad", **({"value": loop.index} if kind is fails else {}))
        in_a_row(g, loop.body, g.add(one, "before"), node)
    return g.graph


@pytest.mark.parametrize("kind", [fails, stops])
def test_a_failure_is_told_as_ever(kind):
    """The error, its notes, and what an observer of failures is told of it are those of a step that was watched."""

    def fail(observer):
        with pytest.raises((ValueError, RuntimeError)) as caught:
            run_virtual(failing(kind), observers=[observer])
        return type(caught.value), str(caught.value), getattr(caught.value, "__notes__", [])

    told, all_told = [], []
    some = tf.observe(
        lambda event: told.append((type(event).__name__, event.node, event.path.as_tuple())), kinds=["failures"]
    )
    found = fail(some)

    def note_failures(event):
        if type(event).__name__ in ("NodeFailed", "RunFailed"):
            all_told.append((type(event).__name__, event.node, event.path.as_tuple()))

    assert found == fail(note_failures)
    assert told == all_told
    assert ("NodeFailed", "bad", (0, 1, 5) if kind is fails else (0, 1, 1)) in told


@tf.exec_node(id="steps.leaves")
def leaves() -> int:
    trio.CancelScope().__enter__()
    return 1


def test_a_scope_that_is_left_open_is_an_error():
    """Whoever enters a cancel scope and does not leave it is named."""
    with pytest.raises(tf.NodeError, match="Node 'bad' .* has entered 1 cancel scope and not left it"):
        run_virtual(failing(leaves))


def test_an_observer_that_comes_meanwhile_is_told_of_the_end():
    """A function that lets somebody watch has not been seen to start; that it has completed is told, and all that follows."""
    events = []
    runs = []

    @tf.exec_node(id="steps.watch")
    def watch(value: int) -> int:
        if value == 1:
            runs[0].observe(lambda event: events.append((type(event).__name__, event.node, event.path.as_tuple())))
        return value

    with tf.build(STANDARD) as g:
        start, loop = g.add(tf.nodes.Start), g.add(tf.nodes.ForLoop, times=3)
        g.connect(start.then, loop.enter)
        in_a_row(g, loop.body, g.add(watch, "watch", value=loop.index), g.add(one, "one"))

    async def main():
        async with tf.open_run(g.graph) as run:
            runs.append(run)

    trio.run(main)
    assert events[:3] == [
        ("NodeCompleted", "watch", (0, 1, 2)),
        ("NodeStarted", "one", (0, 1, 3)),
        ("NodeCompleted", "one", (0, 1, 3)),
    ]


@pytest.mark.parametrize("given", [True, "3", 2.0, None])
def test_what_has_to_be_coerced_is_no_step(given):
    """A value of another type is coerced, or refused, as everywhere (D11)."""

    @tf.exec_node(id="steps.gives")
    def gives() -> object:
        return given

    def ended(**arguments):
        with tf.build(STANDARD) as g:
            start, value = g.add(tf.nodes.Start), g.add(gives, "gives")
            in_a_row(
                g, start.then, value, g.add(double, "double", value=value.result), g.add(total, "sum", a=value.result)
            )
        try:
            return run_virtual(g.graph, **arguments).outputs
        except tf.CoercionError as error:
            return str(error)

    assert ended() == ended(observers=[lambda event: None])


def test_a_missing_input_is_told():
    """What was not written yet is missing, for one input and for several (D1)."""
    for kind, name in ((double, "value"), (total, "a")):
        with tf.build(STANDARD) as g:
            start, never = g.add(tf.nodes.Start), g.add(one, "never")
            node = g.add(kind, "needs", **{name: never.result})
            in_a_row(g, start.then, node, never)
        with pytest.raises(tf.MissingInput, match=f"Input '{name}' of node 'needs'"):
            run_virtual(g.graph)


def test_the_scheduler_has_its_turn():
    """Functions in a row starve nobody (T2)."""
    with tf.build(STANDARD) as g:
        start, loop = g.add(tf.nodes.Start), g.add(tf.nodes.ForLoop, times=1_000)
        g.connect(start.then, loop.enter)
        g.connect(loop.body, g.add(double, value=loop.index).enter)
    turns = []

    async def other():
        while True:
            turns.append(None)
            await trio.lowlevel.checkpoint()

    async def main():
        async with trio.open_nursery() as nursery:
            nursery.start_soon(other)
            await tf.run(g.graph, options=tf.RunOptions(turn_every=10, turn_after=3600.0))
            nursery.cancel_scope.cancel()

    trio.run(main)
    assert len(turns) > 90
