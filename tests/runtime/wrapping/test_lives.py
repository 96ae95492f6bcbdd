"""The lives of middlewares: what is around a run (A7)."""

from __future__ import annotations

from contextlib import asynccontextmanager

import pytest
import trio
import trio.testing
from support import STANDARD, Fail, Note, Resource, Wait, chain

import trioflow as tf
from trioflow.testing import run_virtual


class Living(tf.Middleware):
    """A middleware whose life is made of a function."""

    def __init__(self, life, *nodes):
        self.nodes = nodes or None
        self._life = life

    async def __call__(self, invocation):
        return await invocation()

    def life(self, run):
        return self._life(run)

    def __repr__(self):
        return f"Living({self._life.__name__})"


def graph(*nodes):
    with tf.build(STANDARD) as g:
        chain(g, g.add(tf.nodes.Start, "start"), *(g.add(each, each.__name__.lower()) for each in nodes))
    return g.graph


def noting(notes, name):
    @asynccontextmanager
    async def life(run):
        notes.append(f"enter {name}")
        try:
            yield
        finally:
            notes.append(f"leave {name}")

    return life


def test_a_life_is_around_everything(bench):
    """Entered before nodes are set up, left after they are torn down, the first outermost (A7)."""
    lives = [Living(noting(bench.life, name)) for name in "ab"]
    bench.run(graph(Resource, Note), middleware=[*lives, tf.TimeLimit(9)])
    assert bench.life == ["enter a", "enter b", "up resource", "down resource", "leave b", "leave a"]
    kinds = [type(event).__name__ for event in bench.log]
    assert (kinds[0], kinds[-1]) == ("RunStarted", "RunCompleted")


def test_what_a_life_is_told(bench):
    """Plan, names of the nodes that it is for, services, and a nursery for tasks (A7)."""
    told = []

    @asynccontextmanager
    async def life(run):
        told.append((run.plan.graph, run.addresses, run.services.get("notes") is bench.notes))
        run.nursery.start_soon(trio.sleep_forever)
        yield

    made = graph(Note)
    bench.run(made, middleware=[Living(life), Living(life, "note"), Living(life, "no.such*"), Living(lambda run: None)])
    assert told == [(made, ["start", "note"], True), (made, ["note"], True), (made, [], True)]


def test_a_life_with_a_nursery(bench):
    """A life may open nurseries and scopes around the run (A7)."""
    done = []

    @asynccontextmanager
    async def life(run):
        async with trio.open_nursery() as nursery:
            nursery.start_soon(trio.sleep_forever)
            with trio.CancelScope():
                yield
            await trio.sleep(1)
            done.append(trio.current_time())
            nursery.cancel_scope.cancel()

    bench.run(graph(Wait), middleware=[Living(life), Living(life)])
    assert done == [2, 3]
    error = bench.fails(ValueError, graph(Fail), middleware=[Living(life), Living(life)])
    assert str(error) == "boom"


def test_tasks_live_until_their_life_is_left(bench):
    """A task of the run's nursery may help until the last life is left (A7)."""
    notes = []

    @asynccontextmanager
    async def life(run):
        send, receive = trio.open_memory_channel(0)

        async def take():
            async for each in receive:
                notes.append(each)

        run.nursery.start_soon(take)
        yield
        await send.send("last words")

    bench.run(graph(Wait), middleware=[Living(life)])
    bench.fails(ValueError, graph(Fail), middleware=[Living(lambda run: None)])
    assert notes == ["last words"]


def test_a_life_that_fails_on_entering(bench):
    """The run fails with that, nothing is set up, and lives that were entered are left (A7)."""

    @asynccontextmanager
    async def life(run):
        raise OSError("no")
        yield

    error = bench.fails(
        OSError, graph(Resource), middleware=[Living(noting(bench.life, "a")), Living(life), Living(life)]
    )
    assert error.__notes__ == ["while the life of Living(life) was entered"]
    assert bench.life == ["enter a", "leave a"]


def test_a_life_that_fails_on_leaving(bench):
    """No error hides another, and those around are left (A7, R1)."""

    @asynccontextmanager
    async def life(run):
        yield
        raise OSError("no")

    lives = [Living(noting(bench.life, "a")), Living(life)]
    error = bench.fails(OSError, graph(Note), middleware=lives)
    assert error.__notes__ == ["while the life of Living(life) was left"]
    assert bench.life == ["enter a", "leave a"]

    @asynccontextmanager
    async def stubborn(run):
        try:
            yield
        finally:
            raise OSError("no")

    group = bench.fails(ExceptionGroup, graph(Fail), middleware=[Living(stubborn)])
    assert [*map(repr, group.exceptions)] == ["ValueError('boom')", "OSError('no')"]
    assert str(group).startswith("the run ended badly, and so did its teardown")


def test_a_life_hides_no_failure(bench):
    """What a life swallows is the run's failure all the same (A7, R4)."""

    @asynccontextmanager
    async def life(run):
        try:
            yield
        except ValueError as error:
            bench.life.append(repr(error))

    error = bench.fails(ValueError, graph(Fail), middleware=[Living(life)])
    assert (str(error), bench.life) == ("boom", ["ValueError('boom')"])


def test_a_task_that_fails_ends_the_run(bench):
    """The run is cancelled, and fails with it (A7)."""

    async def fails():
        await trio.sleep(0.5)
        raise OSError("task")

    @asynccontextmanager
    async def life(run):
        run.nursery.start_soon(fails)
        yield

    error = bench.fails(OSError, graph(Resource, Wait), middleware=[Living(life)])
    assert str(error) == "task"
    assert bench.life == ["up resource", "down resource"]
    assert [row[1] for row in bench.log.rows("cancelled")] == ["wait"]


@pytest.mark.parametrize("within", [2, 10])
def test_a_life_is_left_within_the_grace_period(bench, within):
    """Where it is left it is shielded, for so long (A7, R1)."""
    done = []

    @asynccontextmanager
    async def life(run):
        yield
        await trio.sleep(5)
        done.append(trio.current_time())

    @asynccontextmanager
    async def around(run):
        try:
            yield
        finally:
            await trio.sleep(0.5)
            done.append(trio.current_time())

    lives = [Living(around), Living(life)]
    options = tf.RunOptions(grace=within)
    if within > 5:
        bench.run(graph(Wait), middleware=lives, options=options)
        assert done == [6, 6.5]
    else:
        error = bench.fails(tf.TeardownTimeout, graph(Wait), middleware=lives, options=options)
        assert "The life of Living(life) took longer to end than the grace period of 2 s" in str(error)
        assert done == [3.5]


def test_cancelled_while_a_life_is_left():
    """A cancellation from outside waits for lives that are being left, which come to their end (A7, R5)."""
    done = []

    @asynccontextmanager
    async def life(run):
        try:
            yield
        finally:
            await trio.sleep(3)
            done.append(trio.current_time())

    async def main(timeout):
        done.clear()
        with trio.move_on_after(timeout) as scope:
            await tf.run(graph(Wait), middleware=[Living(life), Living(life)], services={"notes": []})
        return scope.cancelled_caught, [*done], trio.current_time()

    for timeout, ended in ((0.5, 6.5), (2, 7), (5, 7)):
        clock = trio.testing.MockClock(autojump_threshold=0)
        cancelled, times, now = trio.run(main, timeout, clock=clock)
        assert (times, now) == ([ended - 3, ended], ended)
        assert cancelled == (timeout == 0.5)


def test_lives_in_open_run():
    """The same for a run with a host, which may cancel it, and sees what it fails with (A7)."""
    notes = []

    @asynccontextmanager
    async def late(run):
        yield
        raise OSError("late")

    async def main():
        async with tf.open_run(graph(Wait), middleware=[Living(noting(notes, "a"))], services={"notes": notes}) as run:
            await trio.sleep(0.5)
            run.cancel()
            with pytest.raises(tf.RunAborted):
                await run.result()
        assert run.status is tf.RunStatus.CANCELLED
        async with tf.open_run(graph(Note), middleware=[Living(late)], services={"notes": notes}) as run:
            with pytest.raises(OSError, match="late"):
                await run.result()
        assert run.status is tf.RunStatus.FAILED

    trio.run(main, clock=trio.testing.MockClock(autojump_threshold=0))
    assert notes == ["enter a", "end of wait", "leave a", None]


def test_one_middleware_for_several_runs():
    """Each run has a life of its own (A7)."""
    notes = []
    middleware = Living(noting(notes, "a"))

    async def main():
        async with trio.open_nursery() as nursery:
            for _ in range(2):
                nursery.start_soon(lambda: tf.run(graph(Wait), middleware=[middleware], services={"notes": notes}))

    trio.run(main, clock=trio.testing.MockClock(autojump_threshold=0))
    assert sorted(notes) == ["end of wait"] * 2 + ["enter a"] * 2 + ["leave a"] * 2


def test_without_lives_there_is_no_nursery():
    """A run whose middlewares have no lives pays nothing for them (A7)."""
    counts = []

    class Counts(tf.Middleware):
        async def __call__(self, invocation):
            counts.append(len(trio.lowlevel.current_task().child_nurseries))
            return await invocation()

    run_virtual(graph(Note), middleware=[Counts()], services={"notes": []})
    run_virtual(graph(Note), middleware=[Counts(), Living(lambda run: None)], services={"notes": []})
    assert counts == [0, 0, 1, 1]
