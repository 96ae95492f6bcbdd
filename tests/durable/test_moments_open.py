"""Moments while other things are open: all that is run again, and comes to the moments in its turn (J26)."""

from __future__ import annotations

import attrs
import pytest
import trio
from durable.graphs import STOP, WORLD
from durable.open_graphs import (
    asking,
    auto,
    begun,
    branches,
    called,
    caught,
    collecting,
    concurrent_items,
    effects,
    every_second,
    few_at_a_time,
    in_a_circle,
    in_rounds,
    inner_graph,
    long_items,
    putting_off,
    raced,
    reminding,
    source,
    then_note,
    waiting,
    workflow,
)
from durable.test_moments import FUEL, REGISTRY, Noting, everywhere, journal, run
from trio.testing import MockClock

import trioflow as tf
from trioflow.conformance.crashing import Tally, crash_everywhere, deterministic
from trioflow.conformance.workflows import random_workflow
from trioflow.durable import moments
from trioflow.durable.moment import WHOLE, compacted, moments_among

ALONE = [source, in_rounds, auto, asking, called, workflow, collecting, caught, every_second, putting_off, reminding]
BESIDE = {concurrent_items: 3, long_items: 3, few_at_a_time: 2, branches: 3, raced: 2, waiting: 2}


@pytest.mark.unmeasured
@pytest.mark.parametrize("graph", ALONE, ids=lambda each: each.__name__)
def test_dying_anywhere(graph):
    """J26: it comes to the same, with the same effects in the same order."""
    assert everywhere(graph(), step=3) > 1


def test_a_time_limit_of_a_loops_own():
    """J26, J9: there is no moment of a loop inside of a time limit that it has itself, as that would begin anew."""
    assert everywhere(asking(limit=True), step=4) == 0


@pytest.mark.unmeasured
@pytest.mark.parametrize("graph", BESIDE, ids=lambda each: each.__name__)
def test_dying_anywhere_beside_others(graph):
    """J26: nothing is lost, and only what was in flight is done again."""
    assert everywhere(graph(), step=3, in_flight=BESIDE[graph]) > 1


@pytest.mark.unmeasured
def test_dying_several_times_with_all_open():
    """J26: one moment after the other, each from what the one before has left."""
    g, start = begun()
    sequence, call = g.add("flow.sequence"), g.add(g.define("inner", inner_graph()), "call", times=6)
    limit = g.add("flow.timeout", seconds=1e6)
    g.connect(start, limit.enter)
    g.connect(limit.body, sequence.enter)
    g.connect(sequence.first, call.enter)
    effects(g, call.each, times=2)
    effects(g, sequence.second, name="second")
    *undisturbed, all_done = run(g.graph, journal(10**9))
    kept, done = journal(2, history=False), []
    while True:
        FUEL["left"] = 4
        try:
            *came, world = run(g.graph, kept)
            break
        except BaseException:
            kept.steal("a")
            done += WORLD
        finally:
            FUEL.clear()
    assert came == undisturbed
    assert done + world == all_done


@pytest.mark.parametrize("graph", [called, few_at_a_time, auto, asking, source, raced], ids=lambda each: each.__name__)
def test_dying_here_and_there(monkeypatch, graph):
    """J26: the same at a few operations, with few strands remembered."""
    monkeypatch.setattr(moments, "_MANY", 1)
    assert everywhere(graph(), step=7, in_flight=BESIDE.get(graph, 1)) >= (graph not in BESIDE)


def test_items_that_have_ended():
    """J26: each is one record, while others go on; and they are merged in their order, as if nothing had happened."""
    graph = long_items(60, limit=2)
    *undisturbed, all_done = run(graph, journal(10**9))
    kept = journal(10, history=False)
    FUEL["left"] = 200
    with pytest.raises(BaseException):  # noqa: B017, PT011 - the process stops
        run(graph, kept)
    FUEL.clear()
    kept.steal("a")
    assert len(kept.entries("a")) < 80
    assert sum(moment.node == "items" for moment in moments_among(kept.entries("a"))) > 30
    *came, world = run(graph, kept)
    assert came == undisturbed
    assert len(all_done) - 200 <= len(world) <= len(all_done) - 198


def test_what_ended_is_not_run_again():
    """J26: of a stream that has ended there is one record, and after it comes the rest."""
    kept = journal(1, history=False)
    FUEL["left"] = 10
    with pytest.raises(BaseException):  # noqa: B017, PT011 - the process stops
        run(concurrent_items(), kept)
    FUEL.clear()
    kept.steal("a")
    # When what it stands for is taken away is a matter of time; what it stands for is not.
    keep = compacted(kept.entries("a")).keep
    assert [each.node for each in moments_among(keep) if each.kind == WHOLE] == ["items"]
    assert not any(entry.node == "loop_note" for entry in keep)
    *_, world = run(concurrent_items(), kept)
    assert len(world) == 4


def with_join(graph, node, kind):
    """The same workflow, but that a node joins in another way."""
    nodes = [attrs.evolve(each, join=kind) if each.id == node else each for each in graph.nodes]
    return attrs.evolve(graph, nodes=tuple(nodes))


CIRCLES = {
    "at once": in_a_circle(4),
    "one at a time": attrs.evolve(in_a_circle(4), limit=1),
    "parallel": with_join(in_a_circle(4), "meet", "parallel"),
    "inclusive": with_join(in_a_circle(4), "meet", "inclusive"),
    "first": with_join(in_a_circle(4), "work", "first"),
}


@pytest.mark.unmeasured
@pytest.mark.parametrize("graph", CIRCLES.values(), ids=CIRCLES)
def test_a_workflow_that_goes_in_a_circle(graph):
    """J26: where one firing begins and nothing else is alive, its scope has a moment."""
    assert everywhere(graph, step=5, in_flight=2, history=False) > 1


@pytest.mark.parametrize("kind", ["one at a time", "inclusive"])
def test_a_circle_here_and_there(kind):
    """J26: the same at a few operations."""
    assert everywhere(CIRCLES[kind], step=13, in_flight=2, history=False) > 0


def test_workflows_in_circles_for_ever():
    """J26: their journals stay at one size, also of those that are called in each round of one."""
    with tf.workflow(REGISTRY) as inner:
        note = inner.add(Noting, "note", value=inner.declare_input("times", "int"))
        inner.connect(inner.declare_entry("enter"), note.enter)
        inner.connect(note.then, inner.declare_exit("done"))
    with tf.workflow(REGISTRY) as w:
        w.variable("sum", "int", default=0)
        total = w.add("variable.get", name="sum").result
        call, more = (
            w.add(w.define("inner", inner.graph), "call", times=total),
            w.add("variable.add", name="sum", value=1),
        )
        again = w.add("flow.branch", condition=w.add("logic.less", a=total, b=60).result)
        for left, right in (
            (w.add("flow.start").then, call.enter), (call.done, more.enter), (more.then, again.enter),
            (again.true, call.enter),
        ):  # fmt: skip
            w.connect(left, right)
    for graph, most in ((in_a_circle(60), 100), (w.graph, 50)):
        *undisturbed, all_done = run(graph, journal(10**9))
        kept = journal(5, history=False)
        FUEL["left"] = most
        with pytest.raises(BaseException):  # noqa: B017, PT011 - the process stops
            run(graph, kept)
        FUEL.clear()
        kept.steal("a")
        assert len(kept.entries("a")) < 30
        assert any(moment.at for moment in moments_among(kept.entries("a")))
        *came, world = run(graph, kept)
        assert came == undisturbed
        assert len(world) < len(all_done) - most + 5


@pytest.mark.unmeasured
@pytest.mark.parametrize("number", [3, 17, 1189])
def test_drawn_workflows(monkeypatch, number):
    """J26: with all moments that there may be."""
    monkeypatch.setattr(moments, "_BYTES_OF_A_RECORD", 10**9)
    request = {**random_workflow(f"durable/{number}", most=12), "options": {"max_steps": 300}, "level": 3}
    if deterministic(request):
        crash_everywhere(request, Tally(), step=3, moments=True)


def test_what_can_be_undone():
    """J26, W17: there are moments of what has nothing behind it that may be undone, and around all of that."""
    g, start = begun()
    loop, guard = g.add("flow.repeat", "loop", times=4), g.add("flow.try", "guard")
    call = g.add(g.define("inner", undoing()), "call", fails=g.add("logic.equal", a=loop.round, b=3).result)
    g.connect(start, loop.enter)
    g.connect(loop.body, guard.enter)
    g.connect(guard.body, call.enter)
    then_note(g, guard.catch, "caught")
    assert everywhere(g.graph, step=9) > 1
    kept = journal(1)
    *_, world = run(g.graph, kept)
    assert [value for value, *_ in world].count("undone") == 1
    found = {moment.node for moment in moments_among(kept.entries("a") + kept.history("a"))}
    assert {"loop", "call/times"} <= found


def undoing():
    """A workflow whose effects are undone if it fails."""
    inner = tf.Builder(REGISTRY)
    start, fails = inner.declare_entry("enter"), inner.declare_input("fails", "bool")
    loop = inner.add("flow.repeat", "times", times=3)
    done, undo = inner.add(Noting, "done", value="done"), inner.add(Noting, "undo", value="undone")
    other, branch = inner.add(Noting, "other", value="other"), inner.add("flow.branch", "branch", condition=fails)
    inner.configure(done, undo=undo)
    for left, right in (
        (start, loop.enter), (loop.body, other.enter), (loop.done, done.enter), (done.then, branch.enter),
        (branch.true, inner.add("durable.failing", "wrong").enter), (branch.false, inner.declare_exit("done")),
    ):  # fmt: skip
        inner.connect(left, right)
    return attrs.evolve(inner.graph, kind="workflow")


def test_a_retry_keeps_what_was_beside_the_failure():
    """J26, J18: a moment of a loop that had begun before the failure stays, what it stands for with it."""
    g, start = begun()
    both, sleep, fails = g.add("flow.parallel", "both"), g.add("flow.sleep", duration="5s"), g.add("durable.failing")
    loop, wait = g.add("flow.repeat", "loop", times=8), g.add("flow.sleep", "wait", duration="1s")
    g.connect(start, both.enter)
    g.connect(both.b, sleep.enter)
    g.connect(sleep.then, fails.enter)
    g.connect(both.a, loop.enter)
    g.connect(loop.body, wait.enter)
    then_note(g, wait.then, "note")
    kept = journal(1, history=False)
    with pytest.raises(ValueError):
        run(g.graph, kept)
    done = [*WORLD]
    assert moments_among(kept.entries("a"))

    async def again():
        async with tf.resume_run(kept, "a", g.graph, registry=REGISTRY, retry=True) as resumed:
            await resumed.result()

    WORLD.clear()
    STOP["mended"] = True
    try:
        trio.run(again, clock=MockClock(autojump_threshold=0))
    finally:
        del STOP["mended"]
    notes = [each for each in done + WORLD if isinstance(each, tuple)]
    assert [count for _, count, *_ in notes] == [*range(1, 9)]
