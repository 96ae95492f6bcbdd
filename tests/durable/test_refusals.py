"""What policies refused, and what they let through, in runs that are resumed: the same again (J23)."""

from __future__ import annotations

import datetime

import pytest
import trio
from durable.graphs import STOP, WORLD, Stop, act
from trio.testing import MockClock

import trioflow as tf
from trioflow.testing import EventLog


class Clock(tf.Clock):
    """A wall clock that goes with trio's, from where the last process has left it."""

    def __init__(self):
        self.began = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)

    def now(self):
        return self.began + datetime.timedelta(seconds=trio.current_time())


@pytest.fixture
def process():
    """Runs a graph in a process of its own, which dies before `stop` is done; time goes on in between."""
    clock, journal = Clock(), tf.MemoryJournal()

    def process(graph, *, stop=None, later=0.0, **arguments):
        log = EventLog()
        WORLD.clear()
        if stop is not None:
            STOP["at"] = stop
        ended = []

        async def main():
            try:
                services = {tf.Clock: clock, **arguments.pop("services", {})}
                return await tf.run(graph, journal=journal, run_id="a", services=services, observers=[log], **arguments)
            finally:
                ended.append(trio.current_time())

        try:
            result = trio.run(main, clock=MockClock(autojump_threshold=0))
        except BaseException as error:
            if not any(isinstance(each, Stop) for each in leaves(error)):
                raise
            result = None
        clock.began += datetime.timedelta(seconds=ended[0] + later)
        return result, ended[0], log

    return process


def leaves(error):
    if isinstance(error, BaseExceptionGroup):
        for each in error.exceptions:
            yield from leaves(each)
    else:
        yield error


@tf.exec_node(id="kept.call")
def call(name: str = "", fail: bool = True) -> None:
    act(name)
    if fail:
        raise OSError(name)


def calls(policy, *, times, kind=call):
    """The same node again and again, with a pause between; what fails is caught."""
    with tf.build() as g:
        loop, each = g.add("flow.for", "loop", times=times), g.add("flow.sequence", "each")
        g.connect(g.add("flow.start").then, loop.enter)
        g.connect(loop.body, each.enter)
        named = {"name": g.add(lambda n: f"call {n}", n=loop.index).result} if kind is call else {"number": loop.index}
        node = g.add(kind, "it", **named)
        attempt = g.add("flow.try", "attempt")
        g.connect(each.first, attempt.enter)
        g.connect(attempt.body, node.enter)
        g.connect(attempt.catch, g.add("flow.marker", "caught").enter)
        mark = g.add(call, "mark", name=g.add(lambda n: f"mark {n}", n=loop.index).result, fail=False)
        g.connect(each.second, mark.enter)
        g.connect(mark.then, g.add("flow.sleep", duration="1s").enter)
        g.configure(node, policy=policy)
    return g.graph


BREAKER = tf.BreakerPolicy(calls=2, window="1000s", open="10s", probes=1)


def made():
    """The calls that were made."""
    return [each for each in WORLD if not each.startswith("mark")]


def asks(policy, *, times, fails):
    """The same node again and again, whose body is run again after a resume; with a pause in between."""

    class Asks(tf.Node, id="kept.asks", durable="replayed"):
        enter = tf.ExecIn()
        number = tf.DataIn(int)
        then = tf.ExecOut()

        async def execute(self, ctx: tf.Context) -> tf.ExecOut:
            number = await ctx.get_input(self.number)
            await ctx.once(act, f"call {number}")
            if number in fails:
                raise OSError(number)
            return self.then

    return calls(policy, times=times, kind=Asks)


def test_what_was_refused_is_refused_again(process):
    """J23: whatever the breaker would say now, a hundred seconds later."""
    graph = asks(tf.Policy(breaker=BREAKER), times=14, fails=range(14))
    process(graph, stop="mark 12", later=100)
    assert made() == ["call 0", "call 1", "call 11"]
    process(graph)
    assert made() == ["call 13"]


def test_a_quarantine_begins_where_it_began(process):
    """J23: what is run again before that is let through again, and is not counted twice."""
    graph = asks(tf.Policy(quarantine=2), times=4, fails=(0, 2))
    process(graph, stop="mark 3")
    assert made() == ["call 0", "call 1", "call 2"]
    _, _, log = process(graph)
    assert WORLD == ["mark 3"]


def test_tokens_stay_taken(process):
    """J23: two at once, one a minute more: the third call has to wait for what is left of the minute."""
    graph = calls(tf.Policy(rate=tf.RatePolicy("1/m", burst=2)), times=3)
    process(graph, stop="mark 1", later=20)
    assert made() == ["call 0", "call 1"]
    _, _, log = process(graph)
    assert made() == ["call 2"]
    (time,) = [event.time for event in log if type(event).__name__ == "NodeFailed" and event.node == "it"]
    assert time == 39
