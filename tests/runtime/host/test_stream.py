"""`stream`: a run as an iterator of its events, which nothing outlives (E3, R4, R5)."""

from __future__ import annotations

import contextlib
import gc
import signal
import subprocess
import sys
import warnings

import pytest
import trio
import trio.testing
from support import Fail, Note, Resource, chain

import trioflow as tf
from trioflow.testing import EventLog


class Worked(tf.Node, id="stream.worked"):
    """Tells for ever what it does; keeps in `life` that it has begun and ended, and its clean-up takes a while."""

    enter = tf.ExecIn()

    async def execute(self, ctx: tf.Context) -> None:
        life = ctx.services.get("life")
        life.append("begun")
        try:
            number = 0
            while True:
                number += 1
                ctx.report_progress(number)
                await trio.sleep(1)
        finally:
            with trio.CancelScope(shield=True):
                await trio.sleep(0.5)
            life.append("ended")


def endless():
    with tf.build() as g:
        chain(g, g.add(tf.nodes.Start), g.add(Worked))
    return g.graph


def short(*nodes):
    with tf.build() as g:
        chain(g, g.add(tf.nodes.Start), *(g.add(node, **inputs) for node, inputs in nodes))
    return g.graph


def tasks():
    """All tasks of this trio run, by name."""
    root = trio.lowlevel.current_root_task()
    found, todo = [], [root]
    while todo:
        task = todo.pop()
        found.append(task.name)
        todo += [child for nursery in task.child_nurseries for child in nursery.child_tasks]
    return found


@pytest.fixture
def life(request):
    return []


@pytest.fixture(autouse=True)
def nothing_is_left(life, caplog, recwarn):
    """No run goes on, nothing is logged and nothing is warned of."""
    yield
    gc.collect()
    assert life.count("begun") == life.count("ended")
    assert [record.getMessage() for record in caplog.records] == []
    assert [str(warning.message) for warning in recwarn.list] == []


async def no_task_is_left():
    """Wait until no run has a task, which it must not take long for."""
    with trio.fail_after(10):
        while "trioflow.stream" in tasks():
            await trio.sleep(0.1)


def virtually(main):
    async def whole():
        await main()
        await no_task_is_left()

    trio.run(whole, clock=trio.testing.MockClock(autojump_threshold=0))


def streamed(life, **arguments):
    return tf.stream(endless(), services={"life": life}, kinds=["messages"], **arguments)


def test_all_events_and_the_end():
    """A stream gives the events that an observer gets, ends with the run, and then has its result (E3)."""

    async def main():
        log = EventLog()
        stream = tf.stream(short((Note, {"value": 3})), services={"notes": []}, observers=[log])
        assert repr(stream).startswith("<events of <Run ")
        assert stream.run.status is tf.RunStatus.NOT_STARTED
        events = [event async for event in stream]
        assert events == log.events
        assert [event async for event in stream] == []
        assert (await stream.result()).statistics.steps == 2

    virtually(main)


def test_result_alone():
    """Who asks for the result begins the run, too."""

    async def main():
        assert (await tf.stream(short(), kinds=[]).result()).statistics.steps == 1

    virtually(main)


def test_a_loop_that_is_left_cancels_the_run(life):
    """Where a loop is left by `break`, the run ends by itself (R5)."""

    async def main():
        async for event in streamed(life):
            if event.done == 3:
                break
        await no_task_is_left()
        assert life == ["begun", "ended"]

    virtually(main)


def test_an_exception_in_the_loop_cancels_the_run(life):
    """So it is where the body of the loop raises (R5)."""

    async def main():
        try:
            async for _ in streamed(life):
                raise ValueError("mine")
        except ValueError as error:
            assert str(error) == "mine"
        await no_task_is_left()
        assert life == ["begun", "ended"]

    virtually(main)


@pytest.mark.parametrize("leaves", ["break", "raise"])
def test_a_block_waits_until_all_is_torn_down(life, leaves):
    """With `async with`, everything is torn down where the block ends (R1, R5)."""

    async def main():
        with pytest.raises(ValueError, match="mine") if leaves == "raise" else contextlib.nullcontext():
            async with streamed(life) as events:
                async for _ in events:
                    if leaves == "break":
                        break
                    raise ValueError("mine")
        assert life == ["begun", "ended"]
        assert "trioflow.stream" not in tasks()
        with pytest.raises(tf.RunAborted):
            await events.result()

    virtually(main)


@pytest.mark.slow
@pytest.mark.parametrize("at", range(6))
@pytest.mark.parametrize("block", [True, False])
def test_cancelled_at_every_checkpoint(life, at, block):
    """Wherever the task that iterates is cancelled: the run is torn down before the cancellation goes on (R5)."""

    async def main():
        with trio.CancelScope() as scope:
            seen = 0
            async with streamed(life) if block else contextlib.nullcontext(streamed(life)) as events:
                if at == 0:
                    scope.cancel()
                async for _ in events:
                    seen += 1
                    if seen == at:
                        scope.cancel()
                    if at == 5 and seen == 2:
                        scope.deadline = trio.current_time() + 0.3
        assert scope.cancelled_caught
        assert life in ([], ["begun", "ended"])
        assert "trioflow.stream" not in tasks()

    virtually(main)


def test_cancelled_in_the_body_of_the_loop(life):
    """A cancellation outside of the iterator, too, ends the run (R5)."""

    async def main():
        with trio.move_on_after(2.5):
            async for _ in streamed(life):
                await trio.sleep_forever()
        await no_task_is_left()
        assert life == ["begun", "ended"]

    virtually(main)


def test_closed(life):
    """`aclose` ends the run and waits for that; what is closed is over, also if it never began (R5)."""

    async def main():
        events = streamed(life)
        await anext(events)
        await events.aclose()
        assert life == ["begun", "ended"]
        await events.aclose()
        never = streamed(life)
        await never.aclose()
        assert [event async for event in never] == []
        with pytest.raises(tf.RunAborted, match="closed before it began"):
            await never.result()
        assert life == ["begun", "ended"]

    virtually(main)


def test_closed_while_cancelled(life):
    """Closing waits for the end, whatever cancels it, and then goes on with the cancellation (R5)."""

    async def main():
        events = streamed(life)
        await anext(events)
        with trio.CancelScope() as scope:
            scope.cancel()
            await events.aclose()
        assert scope.cancelled_caught
        assert life == ["begun", "ended"]

    virtually(main)


@pytest.mark.parametrize("block", [True, False])
def test_in_a_generator_that_is_left(life, block):
    """An async generator may iterate and yield: left early and closed, it takes the run with it (R5)."""

    async def generator():
        if block:
            async with streamed(life) as events:
                async for event in events:
                    yield event.done
        else:
            async for event in streamed(life):
                yield event.done

    async def main():
        async with contextlib.aclosing(generator()) as numbers:
            async for number in numbers:
                if number == 2:
                    break
        if block:
            assert life == ["begun", "ended"]
        await no_task_is_left()
        assert life == ["begun", "ended"]

    virtually(main)


def test_in_a_generator_that_is_dropped(life):
    """One that is dropped without being closed, too; trio warns of the generator, and of nothing else (R5)."""

    async def generator():
        async for event in streamed(life):
            yield event.done

    async def main():
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            async for _ in generator():
                break
            gc.collect()
            await no_task_is_left()
        assert life == ["begun", "ended"]
        assert all("Async generator" in str(each.message) for each in caught)

    virtually(main)


@pytest.mark.parametrize("kind", [ValueError, KeyboardInterrupt, SystemExit, StopIteration])
def test_a_failure_of_the_run(kind):
    """The loop ends by raising what the run failed with, as it is, after the last event; and once (R4)."""

    class Raises(tf.Node, id="stream.raises"):
        enter = tf.ExecIn()

        async def execute(self, ctx: tf.Context) -> None:
            raise error

    error = kind("no")

    async def main():
        log = EventLog()
        stream = tf.stream(short((Raises, {})))
        with pytest.raises(BaseException) as caught:
            async for event in stream:
                log(event)
        assert caught.value is error or caught.value.__cause__ is error
        assert type(log.events[-1]).__name__ == "RunFailed"
        assert [event async for event in stream] == []

    virtually(main)


def test_a_failure_that_would_end_the_loop():
    """A graph that fails with StopAsyncIteration does not pass for one that has ended (R4)."""

    async def main():
        with pytest.raises(RuntimeError, match="StopAsyncIteration"):
            async for _ in tf.stream(short((stops, {}))):
                pass

    virtually(main)


@tf.exec_node(id="stream.stops")
def stops() -> None:
    raise StopAsyncIteration


def test_a_failure_while_it_is_closed():
    """What the teardown of a run that is left fails with is raised where the block ends, and noted on what it raised (R1)."""

    async def main():
        graph = short((Resource, {"fail_in": "teardown"}), (tf.nodes.Delay, {"seconds": 10}))
        services = {"life": []}
        with pytest.raises(OSError, match="teardown of"):
            async with tf.stream(graph, services=services, kinds=["NodeStarted"]) as events:
                await anext(events)
                await anext(events)
        with pytest.raises(ValueError, match="mine") as caught:
            async with tf.stream(graph, services=services, kinds=["NodeStarted"]) as events:
                await anext(events)
                await anext(events)
                raise ValueError("mine")
        assert "the run has failed, too: OSError" in caught.value.__notes__[0]

    virtually(main)


def test_a_failure_after_it_was_left(caplog):
    """What a run fails with when nobody iterates any more is logged (R1)."""

    async def main():
        graph = short((Resource, {"fail_in": "teardown"}), (tf.nodes.Delay, {"seconds": 10}))
        async for event in tf.stream(graph, services={"life": []}, kinds=["NodeStarted"]):
            if event.node != "start":
                break
        await no_task_is_left()

    virtually(main)
    (record,) = caplog.records
    assert "failed after nobody iterated" in record.getMessage()
    assert "teardown of" in str(record.exc_info[1])
    caplog.clear()


def test_a_run_that_the_host_cancels(life):
    """A run that is cancelled by its host ends the loop after its last event; there is no result (R5)."""

    async def main():
        stream = tf.stream(endless(), services={"life": life})
        names = []
        async for event in stream:
            names.append(type(event).__name__)
            if names[-1] == "Progress":
                stream.run.cancel()
        assert names[-1] == "RunCancelled"
        with pytest.raises(tf.RunAborted):
            await stream.result()

    virtually(main)


def test_a_run_inside_a_run(life):
    """A node may stream a run of its own: cancelling the outer one ends the inner one first (R5)."""

    class Streams(tf.Node, id="stream.streams"):
        enter = tf.ExecIn()

        async def execute(self, ctx: tf.Context) -> None:
            async for event in tf.stream(endless(), services={"life": life}, kinds=["messages"]):
                ctx.report_progress(event.done)
                if event.done == 3 and ctx.services.get("leaves"):
                    break

    async def main():
        for leaves in (True, False):
            async for event in tf.stream(short((Streams, {})), services={"leaves": leaves}, kinds=["messages"]):
                if event.done == 2 and not leaves:
                    break
            await no_task_is_left()
        assert life == ["begun", "ended"] * 2

    virtually(main)


def test_fifty_at_once(life):
    """Many streams go on beside each other; each that is left ends alone (R5)."""

    async def main():
        async def one(number):
            async for event in streamed(life):
                if event.done == number % 5 + 1:
                    break

        async with trio.open_nursery() as nursery:
            for number in range(50):
                nursery.start_soon(one, number)
        await no_task_is_left()
        assert life.count("ended") == 50

    virtually(main)


def test_a_stream_outlives_trio(life):
    """What is still there when trio has ended was torn down by then, and goes without a word."""
    kept = []

    async def main():
        events = streamed(life)
        kept.append(events)
        await anext(events)

    trio.run(main, clock=trio.testing.MockClock(autojump_threshold=0))
    assert life == ["begun", "ended"]
    kept.clear()
    gc.collect()


@pytest.mark.slow
def test_collected_in_another_thread(life):
    """The garbage collector may come by in any thread."""

    async def main():
        events = [streamed(life)]
        await anext(events[0])
        await trio.to_thread.run_sync(events.clear)
        with trio.fail_after(5):
            while life != ["begun", "ended"]:
                await trio.sleep(0.01)
        await no_task_is_left()

    trio.run(main)


def test_context_is_that_of_who_begins_it():
    """Bodies see the context variables of the task that asked for the first event."""
    from contextvars import ContextVar

    variable = ContextVar("variable", default="none")

    @tf.exec_node(id="stream.reads")
    def reads(ctx: tf.Context) -> None:
        ctx.emit_feedback(variable.get())

    async def main():
        stream = tf.stream(short((reads, {})), kinds=["messages"])
        variable.set("mine")
        assert [event.message async for event in stream] == ["mine"]

    virtually(main)


def test_slow_consumers_lose_the_oldest_but_no_failure():
    """The run does not wait: the oldest events are dropped, and failures are not (E3)."""

    async def main():
        names = []
        with pytest.raises(ValueError, match="boom"):
            async for event in tf.stream(short(*[(tf.nodes.Delay, {"seconds": 0.01})] * 20, (Fail, {})), buffer=3):
                names.append(type(event).__name__)
                await trio.sleep(1)
        assert names[:2] == ["RunStarted", "EventsDropped"]
        assert {"NodeFailed", "RunFailed"} <= set(names)

    virtually(main)


INTERRUPTED = """
import gc, os, signal, sys, warnings
import trio
import trioflow as tf

warnings.simplefilter("error")

class Worked(tf.Node, id="w"):
    enter = tf.ExecIn()
    async def execute(self, ctx):
        try:
            while True:
                ctx.report_progress(1)
                await trio.sleep(0.01)
        finally:
            print("ended")

async def main():
    with tf.build() as g:
        g.connect(g.add(tf.nodes.Start).then, g.add(Worked).enter)
    count = 0
    async for event in tf.stream(g.graph, kinds=["messages"]):
        count += 1
        if count == 3:
            os.kill(os.getpid(), signal.SIGINT)

try:
    trio.run(main)
except KeyboardInterrupt:
    print("interrupted")
gc.collect()
"""


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="a process can't interrupt itself alone there")
def test_an_interrupt():
    """An interrupt comes out of the loop, after the run has been torn down (R4)."""
    done = subprocess.run([sys.executable, "-c", INTERRUPTED], capture_output=True, text=True, timeout=60)
    assert (done.stdout.split(), done.stderr, done.returncode) == (["ended", "interrupted"], "", 0)
    assert signal.SIGINT
