"""What is undone in kept runs, whatever dies in between (W17, W21, W22), and scopes of reports (W23); with moments too."""

from __future__ import annotations

from collections import Counter

import pytest
import trio
from durable.graphs import STOP, WORLD, act
from durable.open_graphs import Reporting, effects, fails, then_note
from durable.test_moments import REGISTRY, Noting, died, everywhere, journal, run
from trio.testing import MockClock

import trioflow as tf
from trioflow.conformance.crashing import Faults, FaultyJournal
from trioflow.durable.codec import parse
from trioflow.durable.keys import path_key, path_of
from trioflow.durable.moment import ROUND, Moment, moments_among
from trioflow.durable.recorder import UNDONE


def saga(last, *, undo_each=False, **settings):
    """A loop over an effect, then two that are undone, then what `last` adds; with `undo_each` the first is, too."""
    with tf.workflow(REGISTRY, **settings) as w:
        w.variable("sum", "int", default=0, merge="sum")
        total = w.add("variable.get", name="sum").result
        loop, one = w.add("flow.repeat", "loop", times=4), w.add(Noting, "one", value=total, undo="undo")
        each = w.add(Noting, "each", value=loop.round, **({"undo": "undo"} if undo_each else {}))
        two = w.add(Noting, "two", value=2, undo="undo")
        w.add(Noting, "undo", value=total)
        for left, right in (
            (w.declare_entry("enter"), loop.enter), (loop.body, each.enter),
            (each.then, w.add("variable.add", "more", name="sum", value=1).enter), (loop.done, one.enter),
            (one.then, two.enter),
        ):  # fmt: skip
            w.connect(left, right)
        last(w, two.then)
    return w.graph


def failing(w, left):
    w.connect(left, w.add(fails, "wrong").enter)


def failed_begun(w, left):
    w.connect(left, w.add(fails, "wrong", value=9, undo="undo", undo_from="started").enter)


def cut_off(w, left):
    slow = w.add("durable.slow", "slow", value="slow", seconds=9.0, undo="undo", undo_from="started")
    w.connect(left, slow.enter)
    w.connect(left, w.add(fails, "wrong", after=1.0).enter)


def called(inner):
    """A workflow that is called."""
    g = tf.Builder(REGISTRY)
    g.connect(g.add("flow.start").then, g.add(g.define("inner", inner), "call").enter)
    return g.graph


def caught(inner):
    """The same, and its failure is caught."""
    g = tf.Builder(REGISTRY)
    g.variable("sum", "int", default=0, merge="sum")
    guard, call = g.add("flow.try", "guard"), g.add(g.define("inner", inner), "call")
    g.connect(g.add("flow.start").then, guard.enter)
    g.connect(guard.body, call.enter)
    then_note(g, guard.catch, "caught")
    return g.graph


def undone(graph):
    """What nodes that undo have noted: the values."""
    return [each[0] for each in run(graph, journal(10**9))[-1] if isinstance(each, tuple)]


FAILING = {failing: [4, 4], failed_begun: [4, 4, 4], cut_off: [4, 4, 4]}


@pytest.mark.parametrize("last", FAILING, ids=lambda each: each.__name__)
def test_what_failed_is_undone(last):
    """J26, W17, W21: each once, and loops beside it have moments."""
    graph = caught(saga(last))
    assert undone(graph) == [1, 2, 3, 4, 4, 2, *FAILING[last], 0]
    assert everywhere(graph, step=5, in_flight=2) > 1


def test_what_is_undone_is_behind_no_moment():
    """J26, W17: of a loop in which something was done that is to be undone there is none, until it was undone."""
    graph = caught(saga(failing, undo_each=True))
    assert undone(graph) == [1, 2, 3, 4, 4, 2, 4, 4, 3, 2, 1, 0, 0]
    everywhere(graph, step=5, in_flight=2)
    kept = journal(1)
    run(graph, kept)
    found = moments_among(kept.entries("a") + kept.history("a"))
    assert not [each for each in found if each.node == "call/loop"]


def test_reports():
    """J26, W23: their scopes come in their order, whatever dies."""
    with tf.workflow(REGISTRY) as w:
        w.variable("sum", "int", default=0, merge="sum")
        report, told = w.add(Reporting, "report"), w.add(Noting, "told", value=1)
        w.connect(w.add("flow.start").then, report.enter)
        w.connect(report, told, on="progress", data={"value": "[progress.done]"})
        done = effects(w, told.then, times=3)
        w.connect(done, w.add("variable.add", "more", name="sum", value=1).enter)
        then_note(w, report.then)
    assert everywhere(w.graph, step=5, in_flight=3) > 1


def circle(*, undo_each_round):
    """A workflow that goes in a circle, in which each round does something that can be undone."""
    with tf.workflow(REGISTRY) as w:
        w.variable("sum", "int", default=0)
        total = w.add("variable.get", name="sum").result
        work, more = w.add(Noting, "work", value=total, undo="undo"), w.add("variable.add", "more", name="sum", value=1)
        w.add(Noting, "undo", value="undone")
        again = w.add("flow.branch", "again", condition=w.add("logic.less", a=total, b=6).result)
        last = more
        if undo_each_round:
            last = w.add("flow.undo", "back")
            w.connect(more.then, last.enter)
        for left, right in (
            (w.declare_entry("enter"), work.enter), (work.then, more.enter), (last.then, again.enter),
            (again.true, work.enter), (again.false, w.add(fails, "wrong").enter),
        ):  # fmt: skip
            w.connect(left, right)
    return w.graph


@pytest.mark.parametrize("undo_each_round", [True, False])
def test_a_circle(undo_each_round):
    """J26, W17: it has moments as soon as all was undone that was done."""
    graph = caught(circle(undo_each_round=undo_each_round))
    assert undone(graph).count("undone") == 6
    everywhere(graph, step=5, in_flight=2, history=False)
    kept = journal(1)
    run(graph, kept)
    found = moments_among(kept.entries("a") + kept.history("a"))
    assert any(each.at for each in found) == undo_each_round


def test_what_undoes_is_as_old_as_what_it_undoes():
    """J26, W17: a moment of a scope stands for what was undone of the firings behind it, and not of others."""
    moment = Moment(path=path_key([4, 1]), node="scope", kind=ROUND, number=1, at=(3, 2, 0))
    undone = {(2, 7, 0): True, (3, 1, 300): True, (3, 2, 0): False, (4, 1, 0): False}
    assert {firing: moment.covers(path_key([4, 1, 0, 600, *firing])) for firing in undone} == undone


def then_loop(w, left):
    """Another loop, and it fails."""
    loop = w.add("flow.repeat", "other", times=3)
    w.connect(left, loop.enter)
    w.connect(loop.body, w.add(Noting, "others", value="other").enter)
    failing(w, loop.done)


def on_the_way(w, left):
    """It is undone by the workflow itself, before that fails."""
    back = w.add("flow.undo", "back")
    w.connect(left, back.enter)
    failing(w, back.then)


def failed(graph, kept):
    """Let it fail, and mend that: what was done so far."""
    with pytest.raises(LookupError):
        run(graph, kept)
    STOP["mended"] = True
    return said()


def said():
    """What was done to the world."""
    return [each[0] if isinstance(each, tuple) else each for each in WORLD]


def go_on(graph, kept, **how):
    async def main():
        async with tf.resume_run(kept, "a", graph, registry=REGISTRY, **how) as resumed:
            with trio.fail_after(1e6):
                await resumed.result()

    WORLD.clear()
    try:
        trio.run(main, clock=MockClock(autojump_threshold=0))
    finally:
        STOP.pop("mended", None)
    return said()


RETRIED = {
    failing: ([4, 2, "fails 0"], []),
    failed_begun: ([4, 2, "fails 9"], []),
    cut_off: ([4, 2], ["fails 0", "slow begins", "slow ends"]),
    then_loop: ([4, 2, "other", "other", "other", "fails 0"], []),
    on_the_way: (["fails 0"], []),
}


@pytest.mark.parametrize("every", [1, 10**9])
@pytest.mark.parametrize("last", RETRIED, ids=lambda each: each.__name__)
def test_a_retry_does_again_what_was_undone(last, every):
    """J18, W17: with all that came after it; and what was cut off is begun again. What came before is not."""
    graph, kept = called(saga(last)), journal(every)
    failed(graph, kept)
    again, beside = RETRIED[last]
    done = go_on(graph, kept, retry=True)
    assert done[: len(again)] == again
    assert sorted(done[len(again) :]) == beside
    assert kept.show("a").status == "completed"


@tf.exec_node(id="undoing.stubborn")
async def stubborn(seconds: float = 1.0) -> str:
    """Does what it has begun, whatever is cancelled."""
    with trio.CancelScope(shield=True):
        await trio.sleep(seconds)
    act("was done")
    return "was done"


def test_a_retry_of_what_ended_while_it_was_cut_off():
    """J18, J8: it has ended, and waits for nobody to cut it off again."""
    g = tf.Builder(REGISTRY)
    both, wrong = g.add("flow.parallel", "both"), g.add(fails, "wrong", after=0.5)
    g.connect(g.add("flow.start").then, both.enter)
    g.connect(both.a, g.add(stubborn, "stubborn").enter)
    g.connect(both.b, wrong.enter)
    kept = journal(10**9)
    assert failed(g.graph, kept) == ["fails 0", "was done"]
    assert go_on(g.graph, kept, retry=True) == ["fails 0"]


@pytest.mark.parametrize(
    ("last", "node", "again"),
    [(failing, "wrong", ["fails 0"]), (on_the_way, "back", [4, 4, "fails 0"]), (on_the_way, "wrong", ["fails 0"])],
)
def test_a_fork_before_it_was_undone(last, node, again):
    """J16, W17: what was undone later is not, though the path of what undoes it comes before all others."""
    graph, kept = called(saga(last)), journal(10**9)
    failed(graph, kept)
    entries = kept.entries("a")
    by = next((parse(each.data)[1] for each in entries if each.kind == UNDONE))
    at = by if node == "back" else next(path_of(each.key) for each in entries if each.node == "call/wrong")
    tf.fork_run(kept, "a", "b", at=at)
    WORLD.clear()
    try:
        run(graph, kept, "b")
    finally:
        STOP.pop("mended", None)
    assert said() == again


@tf.exec_node(id="undoing.doing")
async def doing(what: str, seconds: float = 1.0) -> str:
    """Does something, and takes its time."""
    await trio.sleep(seconds)
    act(("do", what))
    return what


@tf.exec_node(id="undoing.back")
async def back(what: str) -> None:
    """Takes it back."""
    await trio.sleep(0.1)
    act(("back", what))


def lanes(length=4, **settings):
    """Two lanes in which one thing is done after the other; each is undone."""
    with tf.workflow(REGISTRY, **settings) as w:
        enter = w.declare_entry("enter")
        for lane in "ab":
            left = enter
            for number in range(length):
                name = f"{lane}{number}"
                step = w.add(doing, name, what=name, seconds=1.0 if lane == "a" else 0.7, undo=f"back {name}")
                w.add(back, f"back {name}", what=step.result)
                w.connect(left, step.enter)
                left = step.then
            w.connect(left, w.add("durable.slow", f"ever {lane}", value="ever", seconds=1e6).enter)
    return w, enter


def lanes_that_fail():
    w, enter = lanes(14)
    w.connect(enter, w.add(fails, "wrong", after=8.0).enter)
    return caught(w.graph)


def lanes_in_a_run(around, undo_on):
    """The same two lanes, which something around them cuts off."""
    w, _ = lanes(undo_on=undo_on)
    g = tf.Builder(REGISTRY)
    g.variable("sum", "int", default=0, merge="sum")
    call = g.add(g.define("inner", w.graph), "call")
    left = around(g, call)
    then_note(g, left, "caught")
    return g.graph


def within_a_limit(g, call):
    limit = g.add("flow.timeout", "limit", seconds=2.5)
    g.connect(g.add("flow.start").then, limit.enter)
    g.connect(limit.body, call.enter)
    return limit.timed_out


def within_a_policy(g, call):
    guard = g.add("flow.try", "guard")
    g.configure(call, policy=tf.Policy(timeout=2.5))
    g.connect(g.add("flow.start").then, guard.enter)
    g.connect(guard.body, call.enter)
    return guard.catch


def in_a_race(g, call):
    race, other = g.add("flow.race", "race"), g.add("durable.slow", "other", value="other", seconds=2.5)
    g.connect(g.add("flow.start").then, race.enter)
    g.connect(race.a, call.enter)
    g.connect(race.b, other.enter)
    return race.done


CUT_OFF = {
    "failed": lanes_that_fail(),
    "limit": lanes_in_a_run(within_a_limit, ["timeout"]),
    "policy": lanes_in_a_run(within_a_policy, ["timeout"]),
    "race": lanes_in_a_run(in_a_race, ["cancelled"]),
}


@pytest.mark.parametrize("every", [1, 10**9])
@pytest.mark.parametrize("graph", CUT_OFF.values(), ids=CUT_OFF)
def test_all_that_was_done_is_undone(graph, every, step=3):
    """J8, W17, W22: whatever dies while it is done, cut off, or undone."""
    counting = Faults()
    *_, world = run(graph, FaultyJournal(journal(every), counting))
    assert world.index(("do", "b2")) < world.index(("back", "b2"))
    for at in range(1 + counting.count // 2, counting.count + 1, step):
        kept = journal(every)
        try:
            before = died(graph, kept, at)
        except pytest.fail.Exception:  # how often it writes is a matter of the schedule
            continue
        *_, after = run(graph, kept)
        assert kept.show("a").status == "completed"
        noted = Counter(each for each in before + after if each[0] in ("do", "back"))
        did, undid = ({what for how, what in noted if how == verb} for verb in ("do", "back"))
        assert did == undid, at
        assert sum(noted.values()) <= len(noted) + 3, at
