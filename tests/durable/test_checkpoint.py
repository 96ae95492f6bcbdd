"""When moments are taken, how long what they supersede is kept, and what becomes of them in another graph (J26)."""

from __future__ import annotations

from collections import Counter

import attrs
import pytest
import trio
from durable.graphs import WORLD, Stop
from durable.open_graphs import begun, effects, every_second, inner_graph, putting_off
from durable.test_moments import FUEL, REGISTRY, Noting, inside_of, journal, nested, on_disk, run, stopped_in_a_loop
from trio.testing import MockClock

import trioflow as tf
from trioflow.durable import moments
from trioflow.durable.moment import MOMENTS, Moment, as_pairs, compacted, moments_among, numbers_in
from trioflow.durable.records import Entry
from trioflow.durable.whole import whole

_ = on_disk


def kinds(kept):
    return [entry.kind for entry in kept.entries("a")]


def looping(**settings):
    """A run of eight rounds, one a second, that has died in the last; its journal."""
    kept = tf.MemoryJournal()
    kept.checkpoint = tf.Checkpoint(**{"every": 10**6, "history": False, **settings})
    until_death(slow_loop(), kept, 8)
    return kept


def slow_loop():
    with tf.build(REGISTRY) as g:
        loop, wait = g.add("flow.repeat", "loop", times=8), g.add("flow.sleep", duration="1s")
        g.connect(g.add("flow.start").then, loop.enter)
        g.connect(loop.body, wait.enter)
        g.connect(wait.then, g.add(Noting, "note", value=loop.round).enter)
    return g.graph


def until_death(graph, kept, effects):
    FUEL["left"] = effects
    with pytest.raises(Stop):
        run(graph, kept)
    FUEL.clear()
    kept.steal("a")
    return [*WORLD]


def test_after_so_many_seconds():
    """J26: also when so much time has passed, though few things were recorded."""
    assert not MOMENTS & {*kinds(looping())}
    kept = looping(seconds=3.0)
    [moment] = moments_among(kept.entries("a"))
    assert moment.count == 10  # two dispatches a round
    assert run(slow_loop(), kept)[-1][0][0] == 8


@pytest.mark.parametrize("node", ["note", "loop"])
def test_at_named_nodes(node):
    """J26: after each record of a node, and in each round of a loop."""
    kept = looping(nodes=[node])
    assert moments_among(kept.entries("a"))[-1].count == 14
    assert run(slow_loop(), kept)[-1][0][0] == 8
    assert not moments_among(looping(nodes=["other"]).entries("a"))


@pytest.mark.parametrize("settings", [{"every": 0}, {"history": 0}, {"history": "all"}, {"seconds": 0.0}])
def test_settings_that_are_none(settings):
    """J26: each is refused."""
    with pytest.raises((ValueError, TypeError)):
        tf.Checkpoint(**settings)


def test_by_hand():
    """J26: a loop says where it is when it comes round, and what is superseded goes with the next one."""
    kept = tf.MemoryJournal()
    seen = []

    async def main():
        async with tf.open_run(slow_loop(), registry=REGISTRY, journal=kept, run_id="a") as run:
            for at in (3.5, 5.5, 6.5):
                await trio.sleep_until(began + at)
                await run.checkpoint()
                seen.append(kinds(kept).count("done"))
            await run.result()
            with pytest.raises(tf.RunFinished, match="nothing to go on from"):
                await run.checkpoint()

    clock = MockClock(autojump_threshold=0)
    began = clock.current_time()
    trio.run(main, clock=clock)
    assert seen == [3, 1, 0]
    assert [entry.node for entry in whole(kept, "a") if entry.kind == "done"] == ["note"] * 8


def checked(*, every=1, rounds=8):
    """A loop of effects, of which the graph says that it is to be kept where it is."""
    with tf.build(REGISTRY) as g:
        loop = g.add("flow.repeat", "loop", times=rounds)
        note = g.add(Noting, "note", value=loop.round)
        check = g.add("flow.checkpoint", "check", every=every)
        g.connect(g.add("flow.start").then, loop.enter)
        g.connect(loop.body, note.enter)
        g.connect(note.then, check.enter)
    return g.graph


@pytest.mark.parametrize(("every", "count"), [(1, 12), (3, 12), (5, 10), (7, 0)])
def test_where_the_graph_says(every, count):
    """J26: what is recorded before is durable, and a loop says where it is when it comes to the next round."""
    kept = tf.MemoryJournal()
    kept.checkpoint = tf.Checkpoint(every=10**6)
    until_death(checked(every=every), kept, 7)
    assert [moment.count for moment in moments_among(kept.entries("a"))][-1:] == [count] * (count > 0)
    assert whole(kept, "a")[-1].node == "note"
    *came, world = run(checked(every=every), kept)
    *undisturbed, all_done = run(checked(every=every), tf.MemoryJournal())
    assert (came, world) == (undisturbed, all_done[6:])


def test_where_the_graph_says_so_beside_much_else():
    """J26: what is read for it is no more than some times what was written."""
    with tf.build(REGISTRY) as g:
        items, check = g.add("flow.parallel_for", "items", times=60, limit=1), g.add("flow.checkpoint", "check")
        note = g.add(Noting, "note", value=items.index)
        loop = g.add("flow.repeat", "loop", times=2)
        g.connect(g.add("flow.start").then, items.enter)
        g.connect(items.body, loop.enter)
        g.connect(loop.body, note.enter)
        g.connect(note.then, check.enter)
    kept, read = tf.MemoryJournal(), []
    entries = kept.entries
    kept.entries = lambda run_id: read.append(found := entries(run_id)) or found
    run(g.graph, kept)
    assert 3 < len(read) < 40
    assert sum(map(len, read)) < 10 * 120


def test_a_graph_says_so_where_nothing_is_kept():
    """J26: in a run of which no journal keeps anything it makes no difference."""
    assert trio.run(lambda: tf.run(checked(), registry=REGISTRY)).statistics.steps == 18
    kept = tf.MemoryJournal()
    kept.checkpoint = None
    run(checked(), kept)
    assert not moments_among(kept.entries("a"))


def test_a_history_of_the_last_three(on_disk):
    """J26: what the last moments have superseded is kept, and no more; one can go back so far."""
    kept = on_disk
    kept.checkpoint = tf.Checkpoint(every=4, history=3)
    graph = nested("flow.for", rounds=40)
    FUEL["left"] = 36
    with pytest.raises(Stop):
        run(graph, kept)
    FUEL.clear()
    assert [entry.kind for entry in kept.history("a")].count("superseded") == 3
    [moment] = moments_among(whole(kept, "a"))
    with pytest.raises(tf.JournalError, match="its history was not kept"):
        tf.fork_run(kept, "a", "b", at=(0, 3, moment.count - 1))
    tf.fork_run(kept, "a", "b", at=(0, 3, moment.count))
    *came, world = run(graph, kept, "b")
    *undisturbed, _ = run(graph, journal(10**9))
    assert came == undisturbed
    assert len(world) == 40 - moment.count + 3


@pytest.mark.parametrize("migrated", [True, False])
def test_moments_in_another_graph(migrated):
    """J26, J16: a moment may be migrated, with the names of nodes and variables, and what was written."""
    kept = stopped_in_a_loop(history=migrated)
    *_, all_done = run(nested("flow.for", rounds=6), journal(10**9))
    kept.checkpoint = journal().checkpoint
    text = tf.dumps(nested("flow.for", rounds=6))
    for name in ("loop0", "inner", "sum"):
        text = text.replace(f'"{name}"', f'"new_{name}"').replace(f'"{name}.', f'"new_{name}.')
    seen = []

    def moved(moment):
        seen.append(moment)
        return attrs.evolve(
            moment, node=f"new_{moment.node}",
            outputs={renamed(name): value for name, value in moment.outputs.items()},
            variables={f"new_{name}": value for name, value in moment.variables.items()},
            state={(renamed(node), name): value for (node, name), value in moment.state.items()},
        )  # fmt: skip

    def renamed(name):
        return f"new_{name}" if name.split(".")[0] in {"loop0", "inner"} else name

    def converted(recorded):
        return attrs.evolve(recorded, node=renamed(recorded.node))

    tf.fork_run(kept, "a", "b", graph=text, migrate=converted, migrate_moment=moved)
    *_, world = run(tf.loads(text), kept, "b")
    assert [each[:2] for each in world][-2:] == [each[:2] for each in all_done][-2:]
    assert len(world) < 4
    assert seen[0].path == (0, 3)
    assert seen[0].mark == (seen[0].outputs["loop0.index"] + 1, 1, 6 - seen[0].outputs["loop0.index"] - 1)
    assert seen[0].state["inner", "count"] == seen[0].outputs["inner.told"][1]
    if not migrated:
        with pytest.raises(tf.JournalError, match="Say what becomes of moments, too"):
            tf.fork_run(kept, "a", "c", graph=text, migrate=converted)


def test_moments_that_are_done_anew():
    """J16: what a moment stands for is done again, if it is to be nothing in the new run."""
    kept = stopped_in_a_loop(history=False)
    tf.fork_run(kept, "a", "b", migrate_moment=lambda moment: None, migrate=lambda recorded: None)
    assert run(nested("flow.for", rounds=6), kept, "b")[-1][0][0] == 0


def test_moments_in_called_graphs():
    """J26: what was written in graphs further out is named as it is seen from there."""
    g, start = begun()
    call = g.add(g.define("inner", inner_graph()), "call", times=6)
    g.connect(start, call.enter)
    effects(g, call.each, times=1, name="outer")
    kept = journal(3, history=False)
    until_death(g.graph, kept, 9)
    seen = []
    tf.fork_run(kept, "a", "b", migrate_moment=lambda moment: seen.append(moment) or moment)
    [moment] = [each for each in seen if each.node == "call/loop"]
    assert moment.outputs["outer_note.told"][1] == moment.outputs["call/called.told"][1]
    assert {*moment.variables} == {"sum", "call/sum"}
    assert {*moment.state} == {("outer_note", "count"), ("call/called", "count")}
    *undisturbed, _ = run(g.graph, journal(10**9))
    assert list(run(g.graph, kept, "b")[:-1]) == undisturbed
    assert tf.past_of(kept, "a", (9,)).outputs["call/called.told"][1] >= moment.outputs["call/called.told"][1]


def test_numbers_of_signals():
    """J26: they are kept as pairs."""
    assert as_pairs([4, 1, 2, 7, 8, 9]) == [[1, 3], [4, 5], [7, 10]]
    assert numbers_in(as_pairs([4, 1, 2])) == {1, 2, 4}
    assert as_pairs([]) == []


def test_of_one_activation_the_last_moment_counts():
    """J26: it supersedes the one before, and all that is below one is its."""
    path = b"\x01\x03"
    first, second = (
        Moment(path=path, node="loop", kind="round", number=number, count=number, mark=1) for number in (1, 2)
    )
    below = [Entry(path + bytes((1, place)), "note", "done", "{}") for place in range(3)]
    own = [Entry(path, "loop", "ran", "null"), Entry(path + b"\xffo0", "loop", "now", "1")]
    found = compacted([*own, below[0], first.entry(), below[1], second.entry(), below[2]])
    assert found.keep == [*own, second.entry(), below[2]]
    assert found.superseded == {2: [below[0], first.entry(), below[1]]}
    assert Moment.of(second.entry()) == second


@pytest.mark.parametrize("around", ["parallel initiators", "events"])
def test_a_host_in_the_run(around):
    """J26: while the host takes part, there are moments in each of its strands."""
    graph = inside_of(around)
    everything = []
    kept = journal(1, history=False)
    for _ in range(40):
        FUEL["left"] = 6
        try:
            came = go(graph, kept, around)
            break
        except BaseException:
            everything += WORLD
            kept.steal("a")
        finally:
            FUEL.clear()
    assert came == go(graph, journal(10**9), around)
    assert moments_among(kept.entries("a"))


def test_putting_off_for_ever():
    """J26: the agenda has moments of its own, so its journal stays at one size, and it goes on from the last."""
    kept = journal(10, history=False)
    until_death(every_second(200), kept, 100)
    entries = kept.entries("a")
    [moment] = [each for each in moments_among(entries) if each.node == "later"]
    assert len(entries) < 50
    assert moment.asked > 70
    assert [each[1] for each in moment.gone] == [0]  # what the first initiator had put off, and was handled
    *came, world = run(every_second(200), kept)
    *undisturbed, all_done = run(every_second(200), journal(10**9))
    assert (came, world) == (undisturbed, all_done[99:])


def test_what_was_put_off_is_in_another_graph(monkeypatch):
    """J26, J24: what a moment has put off goes on, events too; in a graph that has not that, it is said."""
    monkeypatch.setattr(moments, "_BYTES_OF_A_RECORD", 10**9)  # so that also such small ones are worth it
    graph, kept = putting_off(), journal(1, history=False)
    *undisturbed, all_done = run(graph, journal(10**9))
    done = until_death(graph, kept, 8)
    [moment] = [each for each in moments_among(kept.entries("a")) if each.node == "loop"]
    assert {each[3] for each in moment.later} == {"later", "other", "post"}
    text = tf.dumps(graph).replace('"asked"', '"another"')

    async def go_on():
        async with tf.resume_run(kept, "a", tf.loads(text), registry=REGISTRY, on_change="compatible") as opened:
            await opened.result()

    with pytest.raises(tf.Diverged, match="moments with what node 'post' has put off, and that is not in the graph"):
        trio.run(go_on)
    done += until_death(graph, kept, 4)
    *came, world = run(graph, kept)
    assert came == undisturbed
    assert done + world == all_done


def hearing():
    """A graph that does something at each event of the host, now and later."""
    g = tf.Builder(REGISTRY)
    g.variable("sum", "int", default=0, merge="sum")
    g.event("asked")
    heard = g.add("event.listen", "heard", event="asked")
    total = g.add("variable.get", name="sum").result
    note, more = g.add(Noting, "note", value=total), g.add("variable.add", name="sum", value=heard.payload)
    later, after = g.add("flow.later", "later", seconds=0.5), g.add(Noting, "after", value="later")
    for source, target in (
        (heard.then, note.enter), (note.then, more.enter), (more.then, later.enter), (later.done, after.enter),
    ):  # fmt: skip
        g.connect(source, target)
    return g.graph


def open_for(graph, kept, events):
    """A run that stays open, to which so many events are published, one a second; its variables, and what was done."""
    WORLD.clear()

    async def main():
        options = tf.RunOptions(seed=1, stay_open=True)
        async with tf.open_run(graph, registry=REGISTRY, journal=kept, run_id="a", options=options) as opened:
            for number in range(opened.recorder.published_so_far, events):
                await opened.publish("asked", number)
                await trio.sleep(1)
        return dict((await opened.result()).variables)

    return trio.run(main, clock=MockClock(autojump_threshold=0)), [*WORLD]


@pytest.mark.parametrize(("every", "history"), [(1, True), (1, False), (7, False)])
def test_hearing_for_ever(every, history):
    """J26, J25: so has the strand of the host's events, and what it has put off is handled once."""
    (undisturbed, all_done), kept, done = open_for(hearing(), journal(10**9), 40), journal(every, history), []
    deaths = 0
    assert len(all_done) == 80
    while True:
        FUEL["left"] = 15
        try:
            came, world = open_for(hearing(), kept, 40)
            break
        except BaseException:
            done += WORLD
            deaths += 1
            kept.steal("a")
            entries = kept.entries("a")
            assert len(entries) < 60
            whole(kept, "a")
        finally:
            FUEL.clear()
    assert came == undisturbed
    again = Counter(map(str, done + world)) - Counter(map(str, all_done))
    assert {*map(str, done + world)} == {*map(str, all_done)}
    assert again.total() <= deaths  # what was in flight in the other strand
    nodes = {each.node for each in moments_among(entries)}
    assert {"host", "later"} <= nodes
    if history:
        tf.fork_run(kept, "a", "b")
        assert kept.show("b").state.entries == len(whole(kept, "a"))


def test_a_host_whose_events_were_superseded():
    """J26, J16: there is no fork before that, and a run that was put away in between has its host again."""
    kept = journal(1, history=False)
    FUEL["left"] = 30
    with pytest.raises(BaseException):  # noqa: B017, PT011 - the process stops
        open_for(hearing(), kept, 40)
    FUEL.clear()
    kept.steal("a")
    with pytest.raises(tf.JournalError, match="its history was not kept"):
        tf.fork_run(kept, "a", "b", at=(0,))
    came = trio.run(
        lambda: tf.run(hearing(), registry=REGISTRY, journal=kept, run_id="a", options=tf.RunOptions(seed=1)),
        clock=MockClock(autojump_threshold=0),
    )
    assert came.variables["sum"] == sum(range(15))


def go(graph, kept, around):
    WORLD.clear()

    async def main():
        options = tf.RunOptions(seed=1, parallel_initiators=around != "events")
        async with tf.open_run(graph, registry=REGISTRY, journal=kept, run_id="a", options=options) as opened:
            if around == "events" and not opened.recorder.published:
                for number in range(3):
                    opened.publish_nowait("asked", number)
            return dict((await opened.result()).variables)

    return trio.run(main, clock=MockClock(autojump_threshold=0))
