"""Runs that are put away because all of them waits, and need no process until they are woken (J22)."""

from __future__ import annotations

import datetime

import pytest
import trio
from durable.graphs import NODES, WORLD
from durable.test_running import Clock
from durable.test_stores import MAKE
from trio.testing import MockClock

import trioflow as tf

REGISTRY = tf.Registry.standard(plugins=False)
REGISTRY.add(*NODES)


def asking():
    """Asks, and does what was answered; at most two days."""
    with tf.build(REGISTRY) as g:
        before, ask = g.add("durable.effect", value="asked"), g.add("flow.approve", "ask", timeout="2d")
        g.connect(g.add("flow.start").then, before.enter)
        g.connect(before.then, ask.enter)
        for each in ("approved", "rejected", "timed_out"):
            g.connect(ask[each], g.add("durable.effect", each, value=each).enter)
    return g.graph


class Office:
    """A journal, a clock that is turned, and processes that begin and end."""

    def __init__(self, store):
        self.journal = store
        self.clock = Clock()
        self.clock.time = datetime.datetime(2026, 3, 1, 20, tzinfo=datetime.UTC)

    def turn(self, **by):
        self.clock.time += datetime.timedelta(**by)

    def process(self, work):
        """What it did to the world."""
        WORLD.clear()
        trio.run(work, clock=MockClock(autojump_threshold=0))
        return [*WORLD]

    def begin(self, graph, **arguments):
        async def main():
            await tf.run(
                graph, registry=REGISTRY, journal=self.journal, run_id="a", services={tf.Clock: self.clock}, **arguments
            )

        return self.process(main)

    def recover(self, **arguments):
        came = {}

        async def main():
            services = {tf.Clock: self.clock}
            came.update(await tf.recover(self.journal, registry=REGISTRY, services=services, **arguments))

        return came, self.process(main)


@pytest.fixture(params=["memory", "file", "sqlite", "sqlite, power"])
def office(request, tmp_path):
    return Office(MAKE[request.param](tmp_path))


def test_an_approval_that_waits_overnight(office):
    """J22, J10: no process has it until somebody has decided, or too late."""
    with pytest.raises(
        tf.RunSuspended, match=r"waits for the signal 'approve' or 2026-03-03 20:00:00\+00:00"
    ) as caught:
        office.begin(asking(), suspend_after=1)
    error = caught.value
    due = datetime.datetime(2026, 3, 3, 20, tzinfo=datetime.UTC)
    assert (error.run_id, error.due, error.waits_for) == ("a", due, ("approve",))
    assert WORLD == ["asked"]
    info = office.journal.show("a")
    assert (info.status, info.owner) == ("suspended", None)
    office.turn(hours=12)
    assert office.recover(suspend_after=0) == ({}, []), "nobody has decided"
    tf.send_signal(office.journal, "a", "other", True)
    assert office.recover(suspend_after=0) == ({}, [])
    tf.send_signal(office.journal, "a", "approve", {"ok": True, "comment": "fine"}, by="eve")
    came, world = office.recover(suspend_after=0)
    assert (came["a"].output("ask", "comment"), world) == ("fine", ["approved"])
    assert office.journal.show("a").status == "completed"


def test_an_approval_that_nobody_gives(office):
    """J22: it is woken when its timer is due, and not a moment before."""
    with pytest.raises(tf.RunSuspended):
        office.begin(asking(), suspend_after=1)
    office.turn(hours=47, minutes=59)
    assert office.recover() == ({}, [])
    office.turn(minutes=1)
    assert office.recover()[1] == ["timed_out"]


def test_it_is_put_away_again(office):
    """J22: what was answered says neither yes nor no; then it waits on, for what is left."""
    with pytest.raises(tf.RunSuspended):
        office.begin(asking(), suspend_after=1)
    tf.send_signal(office.journal, "a", "approve", "perhaps")
    office.turn(hours=1)
    came, world = office.recover(suspend_after=0.5)
    assert isinstance(came["a"], tf.RunSuspended)
    assert (world, office.journal.show("a").status) == ([], "suspended")
    tf.send_signal(office.journal, "a", "approve", False)
    assert office.recover(limit=1, suspend_after=0.5)[1] == ["rejected"]


def both(*kinds):
    """Two branches at once: the nodes in each, with their inputs."""
    with tf.build(REGISTRY) as g:
        fork = g.add("flow.parallel", "fork")
        g.connect(g.add("flow.start").then, fork.enter)
        for number, (kind, given) in enumerate(kinds):
            node = g.add(kind, **given)
            g.connect(fork["ab"[number]], node.enter)
            after = g.add("durable.effect", value=f"{number}")
            g.connect(node["received" if kind == "flow.wait_signal" else "then"], after.enter)
    return g.graph


def test_not_while_anything_else_goes_on():
    """J22: it is put away as soon as everything waits, and not before."""
    office = Office(tf.MemoryJournal())
    with pytest.raises(tf.RunSuspended) as caught:
        office.begin(
            both(("durable.slow", {"value": "slow", "seconds": 30.0}), ("flow.sleep", {"duration": "1d"})),
            suspend_after=1,
        )
    assert WORLD == ["slow begins", "slow ends", "0"]
    assert (caught.value.waits_for, caught.value.due) == ((), office.clock.time + datetime.timedelta(days=1))
    office.turn(days=1)
    assert office.recover()[1] == ["1"]


def test_whoever_is_first_wakes_it():
    """J22: one signal of two, and then the other one."""
    office = Office(tf.MemoryJournal())
    graph = both(("flow.wait_signal", {"name": "x"}), ("flow.wait_signal", {"name": "y"}))
    with pytest.raises(tf.RunSuspended, match="waits for the signal 'x' or the signal 'y'") as caught:
        office.begin(graph, suspend_after=0)
    assert caught.value.due is None
    tf.send_signal(office.journal, "a", "y")
    assert office.recover(suspend_after=0)[1] == ["1"]
    tf.send_signal(office.journal, "a", "x")
    assert office.recover(suspend_after=0)[1] == ["0"]


def test_not_inside_of_a_time_limit():
    """J22, J9: a time limit begins anew after a resume, so it would never expire."""
    office = Office(tf.MemoryJournal())
    with tf.build(REGISTRY) as g:
        limit, wait = g.add("flow.timeout", seconds=100.0), g.add("flow.wait_signal", name="x")
        late = g.add("durable.effect", value="late")
        g.connect(g.add("flow.start").then, limit.enter)
        g.connect(limit.body, wait.enter)
        g.connect(limit.timed_out, late.enter)
    assert office.begin(g.graph, suspend_after=1) == ["late"]


def test_by_the_host():
    """J22: what it was doing is in flight; nothing wakes it but somebody who asks for it."""
    office = Office(tf.MemoryJournal())
    with tf.build(REGISTRY) as g:
        slow = g.add("durable.slow", value="slow", seconds=30.0)
        g.connect(g.add("flow.start").then, slow.enter)

    async def evening():
        async with tf.open_run(g.graph, registry=REGISTRY, journal=office.journal, run_id="a") as run:
            await trio.sleep(10)
            await run.suspend("for the night")
            with pytest.raises(
                tf.RunSuspended, match=r"put away \(for the night\): it waits for somebody to resume it"
            ):
                await run.result()
            assert run.status is tf.RunStatus.CANCELLED

    assert office.process(evening) == ["slow begins"]
    assert office.journal.show("a").status == "suspended"
    assert office.recover() == ({}, [])
    assert office.begin(g.graph) == ["slow begins", "slow ends"]


def test_a_journal_that_can_not_be_written():
    """J22: then it was not put away, and that is said."""
    office = Office(tf.MemoryJournal())

    async def main():
        async with tf.open_run(asking(), registry=REGISTRY, journal=office.journal, run_id="a") as run:
            await trio.sleep(10)
            office.journal.steal("a")
            await run.suspend()
            with pytest.raises(tf.RunOwned):
                await run.result()

    office.process(main)
    assert office.journal.show("a").status == "running"


def test_of_what_it_takes():
    """Only of runs that are kept, and a number."""
    with pytest.raises(TypeError, match="suspend_after= is for runs that are kept"):
        trio.run(lambda: tf.run(asking(), registry=REGISTRY, suspend_after=1))


# A clock that jumps when all tasks wait jumps while a thread waits for the disk, too, and so past any time limit.
WITHOUT_THREADS = pytest.mark.parametrize("office", ["memory", "file", "sqlite"], indirect=True)


def in_time(**policy):
    """A workflow: asks, and does what was answered, or that nobody has."""
    with tf.workflow(registry=REGISTRY) as w:
        before, ask = w.add("durable.effect", value="asked"), w.add("flow.approve", "ask", policy=tf.Policy(**policy))
        w.after(before, ask)
        for each in ("approved", "rejected"):
            w.connect(ask[each], w.add("durable.effect", each, value=each).enter)
        late = w.add("durable.effect", "late", value="late")
        w.connect(ask, late, on="failed")
        w.connect(late.then, w.add("flow.wait_signal", name="filed").enter)
    return w.graph


@WITHOUT_THREADS
def test_a_time_limit_of_a_policy_wakes_it(office):
    """J22, J10: it is a timer, which goes on while no process has the run; what it has cut off stays so."""
    with pytest.raises(tf.RunSuspended, match=r"the signal 'approve' or 2026-03-02 20:00:00\+00:00"):
        office.begin(in_time(timeout="24h"), suspend_after=1)
    assert WORLD == ["asked"]
    office.turn(hours=23, minutes=59)
    assert office.recover(suspend_after=0) == ({}, [])
    tf.send_signal(office.journal, "a", "approve", "perhaps")
    assert office.recover(suspend_after=0)[1] == [], "which is no answer, and begins nothing anew"
    office.turn(minutes=1)
    came, world = office.recover(suspend_after=0)
    assert (world, type(came["a"])) == (["late"], tf.RunSuspended)
    tf.send_signal(office.journal, "a", "approve", True)  # too late
    tf.send_signal(office.journal, "a", "filed")
    came, world = office.recover(suspend_after=0)
    assert (world, office.journal.show("a").status) == ([], "completed")


@WITHOUT_THREADS
def test_an_answer_in_time(office):
    """J21, J22: it counts, though the limit is over when somebody looks."""
    with pytest.raises(tf.RunSuspended):
        office.begin(in_time(timeout="24h"), suspend_after=1)
    tf.send_signal(office.journal, "a", "approve", True)
    office.turn(days=2)
    assert office.recover(suspend_after=0)[1] == ["approved"]


@WITHOUT_THREADS
def test_the_limit_of_an_attempt(office):
    """J22, J23: each has its own, and they come one after the other, whoever has the run."""
    policy = {"attempt_timeout": "1h", "retry": tf.RetryPolicy(2, delay=60.0, jitter=0.0)}
    with pytest.raises(tf.RunSuspended) as caught:
        office.begin(in_time(**policy), suspend_after=1)
    assert caught.value.due == office.clock.time + datetime.timedelta(hours=1)
    office.turn(hours=1)
    came, _ = office.recover(suspend_after=0)
    assert came["a"].due == office.clock.time + datetime.timedelta(seconds=60)
    office.turn(seconds=60)
    came, _ = office.recover(suspend_after=0)
    assert came["a"].due == office.clock.time + datetime.timedelta(hours=1)
    office.turn(hours=1)
    assert office.recover(suspend_after=0)[1] == ["late"]


def test_a_limit_that_nobody_waits_in():
    """A node that does not wait for a timer or signal has a limit as before, and leaves no entry of it."""
    office = Office(tf.MemoryJournal())
    with tf.build(REGISTRY) as g:
        slow = g.add("durable.slow", "slow", value="slow", seconds=30.0)
        g.configure(slow, policy=tf.Policy(timeout="1m"))
        g.connect(g.add("flow.start").then, slow.enter)
    assert office.begin(g.graph) == ["slow begins", "slow ends"]
    assert [each.kind for each in office.journal.entries("a")].count("timer") == 0
