"""Moments: a run goes on in the middle of its loops, without what was recorded before (J26)."""

from __future__ import annotations

from collections import Counter

import attrs
import pytest
import trio
from durable.graphs import NODES, STOP, WORLD, Stop, act
from postgres import NEEDS_POSTGRES, fresh_address
from trio.testing import MockClock

import trioflow as tf
from trioflow.conformance.crashing import Crash, Faults, FaultyJournal
from trioflow.durable.archive import export_lines, import_lines
from trioflow.durable.moment import MOMENTS, ROUND, Moment, moments_among
from trioflow.durable.whole import discarded, whole

FUEL: dict[str, int] = {}
"""After how many effects the process stops, before the next one."""


class Noting(tf.Node, id="moments.note", durable="recorded"):
    """Notes what it gets, and keeps a count of its own."""

    enter = tf.ExecIn()
    value = tf.DataIn(object)
    then = tf.ExecOut()
    told = tf.DataOut(list)

    async def execute(self, ctx: tf.Context) -> tf.ExecOut:
        value = await ctx.get_input(self.value)
        if FUEL:
            FUEL["left"] -= 1
            if not FUEL["left"]:
                raise Stop
        ctx.state["count"] = ctx.state.get("count", 0) + 1
        act((value, ctx.state["count"], ctx.random.randrange(1000), ctx.key))
        ctx.set_output(self.told, [value, ctx.state["count"]])
        return self.then


@tf.data_node(id="moments.roll", volatile=True)
def roll(ctx: tf.DataContext) -> int:
    return ctx.random.randrange(1000)


REGISTRY = tf.Registry.standard(plugins=False)
REGISTRY.add(*NODES, Noting, roll)
LOOPS = (
    "flow.for", "flow.for_step", "flow.for_reverse", "flow.repeat", "flow.while", "flow.do_while", "flow.repeat_until",
    "flow.forever", "flow.for_each", "flow.for_each_dict", "flow.for_each_batch", "flow.for_each_pair",
)  # fmt: skip


def loop_of(g, kind, name, rounds):
    """A loop that goes round so often; gives what to enter it by, what its rounds begin with, and what comes after."""
    given = {
        "flow.for": {"times": rounds},
        "flow.for_step": {"start": 1, "end": 1 + 2 * rounds, "step": 2},
        "flow.for_reverse": {"end": rounds},
        "flow.repeat": {"times": rounds},
        "flow.for_each": {"items": [*range(rounds)]},
        "flow.for_each_dict": {"items": dict.fromkeys(range(rounds), "value")},
        "flow.for_each_batch": {"items": [*range(2 * rounds)], "size": 2},
        "flow.for_each_pair": {"a": [*range(rounds)], "b": ["b"] * rounds},
    }
    if kind in given:
        loop = g.add(kind, name, **given[kind])
        return loop.enter, loop.body, loop.done
    count = f"{name}_rounds"
    g.variable(count, "int", default=0)
    loop = g.add(kind, name)
    more = g.add("variable.add", f"{name}_more", name=count, value=1)
    now = g.add("variable.get", f"{name}_now", name=count).result
    g.connect(loop.body, more.enter)
    if kind == "flow.forever":
        enough = g.add("flow.branch", f"{name}_enough", condition=g.add("logic.greater", a=now, b=rounds).result)
        g.connect(more.then, enough.enter)
        g.connect(enough.true, g.add("flow.break", f"{name}_leave").enter)
        return loop.enter, enough.false, loop.done
    test = "logic.greater_equal" if kind == "flow.repeat_until" else "logic.less"
    g.connect(g.add(test, a=now, b=rounds).result, loop.condition)
    return loop.enter, more.then, loop.done


def nested(*kinds, rounds=2):
    """Loops inside of each other, with effects before each, in the innermost, after each; and another initiator."""
    with tf.build(REGISTRY) as g:
        g.variable("sum", "int", default=0)
        total = g.add("variable.get", name="sum").result
        last = g.add("flow.start").then
        for place, kind in enumerate(kinds):
            before, after = (g.add(Noting, f"{when}{place}", value=total) for when in ("before", "after"))
            more = g.add("variable.add", f"more{place}", name="sum", value=g.add(roll, f"roll{place}").result)
            enter, body, done = loop_of(g, kind, f"loop{place}", rounds)
            g.connect(last, before.enter)
            g.connect(before.then, more.enter)
            g.connect(more.then, enter)
            g.connect(done, after.enter)
            g.connect(last, g.add(Noting, f"beside{place}", value=total).enter)  # dispatched after all of the loop
            last = body
        g.connect(last, g.add(Noting, "inner", value=total).enter)
        g.connect(g.add("flow.start", "other").then, g.add(Noting, "end", value=total).enter)
    return g.graph


def journal(every=1, history=True):
    made = tf.MemoryJournal()
    made.checkpoint = tf.Checkpoint(every=every, history=history)
    return made


def run(graph, journal, run_id="a", **options):
    """What it came to, and what it did to the world."""
    WORLD.clear()

    async def main():
        return await tf.run(
            graph, registry=REGISTRY, journal=journal, run_id=run_id, options=tf.RunOptions(seed=1, **options)
        )

    result = trio.run(main, clock=MockClock(autojump_threshold=0))
    outputs = {node: {name: told(value) for name, value in each.items()} for node, each in result.outputs.items()}
    return dict(result.variables), outputs, result.statistics.steps, [*WORLD]


def told(value):
    return repr(value) if isinstance(value, Exception) else value


def died(graph, kept, at):
    """What was done to the world until the process died at an operation."""
    with pytest.raises(BaseException) as caught:  # noqa: PT011 - it may be in a group
        run(graph, FaultyJournal(kept, Faults(at)))
    assert caught.group_contains(Crash) if isinstance(caught.value, BaseExceptionGroup) else caught.type is Crash
    kept.steal("a")
    return [*WORLD]


def everywhere(graph, *, every=1, step=1, in_flight=1, **made):
    """Die at every operation and go on; gives how many of the runs went on from a moment.

    With several effects in flight nothing is said of their order.
    """
    counting = Faults()
    undisturbed = run(graph, FaultyJournal(journal(every, **made), counting))
    assert loosely(undisturbed, in_flight) == loosely(run(graph, journal(10**9)), in_flight)
    began_in_the_middle = 0
    for at in range(1, counting.count + 1, step):
        kept = journal(every, **made)
        try:
            before = died(graph, kept, at)
        except pytest.fail.Exception:  # how often it writes is a matter of the schedule, if several do
            assert in_flight > 1
            continue
        began_in_the_middle += bool(moments_among(kept.entries("a")))
        ended = kept.show("a").status == "completed"
        *came, world = run(graph, kept)
        variables, outputs, steps, all_done = undisturbed
        if ended:
            assert came[:2] == [variables, outputs]
            continue
        assert came == [variables, outputs, steps]
        again = Counter(map(str, before + world)) - Counter(map(str, all_done))
        assert again.total() <= in_flight
        assert len(before) + len(world) - again.total() == len(all_done)  # none is lost
        if in_flight == 1:
            assert before[: len(all_done) - len(world)] + world == all_done
    return began_in_the_middle


def loosely(came, in_flight):
    *same, world = came
    return [*same, world if in_flight == 1 else sorted(map(str, world))]


@pytest.mark.unmeasured
@pytest.mark.parametrize("kind", LOOPS)
def test_dying_in_a_loop_in_a_loop(kind):
    """J26: with a moment at each step, it comes to the same, and nothing that is recorded is done again."""
    assert everywhere(nested("flow.repeat", kind), step=9) > 1


def test_deep_loops():
    """J26: however deep they nest, beyond what is nested as calls of Python."""
    kinds = ["flow.repeat", "flow.for", "flow.while", "flow.for_each", "flow.forever"] * 4
    assert everywhere(nested(*kinds, rounds=1), step=97) > 0


def test_what_a_moment_supersedes():
    """J26: the journal stays at one size, with what was superseded in the history if that is wanted."""
    graph = nested("flow.for", rounds=50)
    sizes = {}
    for history in (True, False):
        kept = journal(every=10, history=history)
        died(graph, kept, 100)
        sizes[history] = len(kept.entries("a")), len(kept.history("a"))
        assert moments_among(kept.entries("a"))
    assert sizes[True][0] == sizes[False][0] < 15
    assert sizes[True][1] > 40
    assert sizes[False][1] == 0
    alone = journal(every=10**9)
    died(graph, alone, 100)
    kept = journal(every=10)
    died(graph, kept, 100)
    assert 40 < len(whole(kept, "a"))
    assert alone.entries("a")[: len(whole(kept, "a"))] == whole(kept, "a")


def test_large_moments_are_rare():
    """J26: what a moment costs to write is spread over as many records; else a long list would be written each time."""
    with tf.build(REGISTRY) as g:
        each = g.add("flow.for_each", "each", items=[*range(400)])
        g.connect(g.add("flow.start").then, each.enter)
        g.connect(each.body, g.add(Noting, "note", value=each.item).enter)
    kept = journal(every=1)
    run(g.graph, kept)
    moments_taken = [entry for entry in kept.history("a") + kept.entries("a") if entry.kind in MOMENTS]
    assert 5 < len(moments_taken) < 40
    assert len(moments_taken[0].data) > 1500


@pytest.fixture(params=["sqlite", "file", pytest.param("postgres", marks=NEEDS_POSTGRES)])
def on_disk(request, tmp_path):
    """A journal that outlives its process."""
    if request.param == "postgres":
        pytest.importorskip("psycopg", reason="needs the extra postgres")
        with tf.PostgresJournal(fresh_address()) as made:
            yield made
    else:
        yield tf.SqliteJournal(tmp_path / "runs.db") if request.param == "sqlite" else tf.FileJournal(tmp_path)


def test_dying_several_times(on_disk):
    """J26: in one run after the other."""
    graph = nested("flow.for", "flow.while", rounds=3)
    *undisturbed, all_done = run(graph, journal(10**9))
    kept = on_disk
    kept.checkpoint = tf.Checkpoint(every=3)
    done = []
    while True:
        FUEL["left"] = 5
        try:
            *came, world = run(graph, kept)
            break
        except Stop:
            done += WORLD
        finally:
            FUEL.clear()
    assert came == undisturbed
    assert done + world == all_done


def volatile_while():
    with tf.build(REGISTRY) as g:
        loop = g.add("flow.while", "loop", condition=g.add("logic.less", a=g.add(roll, "roll").result, b=600).result)
        g.connect(g.add("flow.start").then, loop.enter)
        g.connect(loop.body, g.add(Noting, "note", value=1).enter)
    return g.graph


def test_a_volatile_condition():
    """J26, D6: how often a loop has asked for it is kept, so its records are found again."""
    assert everywhere(volatile_while()) > 3


def test_a_while_counts_on():
    """J26: the rounds that it has had before its run was resumed count towards its `most`."""
    with tf.build(REGISTRY) as g:
        loop = g.add("flow.while", "loop", condition=True, most=4)
        g.connect(g.add("flow.start").then, loop.enter)
        g.connect(loop.body, g.add(Noting, "note", value=1).enter)
    assert everywhere(g.graph) > 3
    assert len(run(g.graph, journal(10**9))[-1]) == 4


# --- what else may be open -------------------------------------------------------------------------------------------


def inside(around, body_of=None):
    """A loop over an effect, with something around it."""
    with tf.build(REGISTRY) as g:
        g.variable("sum", "int", default=0)
        g.variable("log", "list", default=[], merge="append")
        enter, body = around(g)
        loop, note = (
            g.add("flow.repeat", "loop", times=4),
            g.add(Noting, "note", value=g.add("variable.get", name="sum").result),
        )
        more = g.add("variable.add", "more", name="sum", value=loop.round)
        g.connect(g.add("flow.start").then, enter)
        g.connect(body, loop.enter)
        g.connect(loop.body, note.enter)
        g.connect(note.then, more.enter)
        g.connect(loop.done, g.add(Noting, "after", value=g.add("variable.get", name="sum").result).enter)
    return g.graph


def within_a_time_limit(g):
    limit = g.add("flow.timeout", seconds=100.0)
    return limit.enter, limit.body


def beside_what_is_put_off(g):
    later = g.add("flow.later", seconds=1.0)
    return later.enter, later.then


def put_off(g):
    later = g.add("flow.later", seconds=1.0)
    return later.enter, later.done


def in_a_sequence(g):
    sequence = g.add("flow.sequence")
    g.connect(sequence.second, g.add(Noting, "second", value=2).enter)
    return sequence.enter, sequence.first


def in_a_try(g):
    attempt = g.add("flow.try")
    return attempt.enter, attempt.body


def concurrent(g):
    loop = g.add("flow.parallel_for", times=3)
    return loop.enter, loop.body


AROUND = [within_a_time_limit, beside_what_is_put_off, put_off, in_a_sequence, in_a_try, concurrent]


@pytest.mark.parametrize("around", AROUND, ids=lambda each: each.__name__)
def test_what_is_open_around_it(around):
    """J26: a loop has moments whatever else is open: all that is run again, and comes to them."""
    assert everywhere(inside(around), step=3, in_flight=3 if around is concurrent else 1) > 1


def inside_of(around):
    """Loops in two initiators, or in what hears an event of the host."""
    with tf.build(REGISTRY) as g:
        g.variable("sum", "int", default=0, merge="sum")
        begun = [g.add("flow.start", name).then for name in ("one", "two")]
        if around == "events":
            g.event("asked")
            begun.append(g.add("event.listen", "heard", event="asked").then)
        for place, start in enumerate(begun):
            loop, note = g.add("flow.repeat", f"loop{place}", times=8), g.add(Noting, f"note{place}", value=place)
            g.connect(start, loop.enter)
            g.connect(loop.body, note.enter)
            g.connect(note.then, g.add("variable.add", f"more{place}", name="sum", value=loop.round).enter)
    return g.graph


class Waiting(tf.Node, id="moments.wait", durable="replayed"):
    """Takes a signal."""

    enter = tf.ExecIn()
    name = tf.DataIn(str)
    value = tf.DataOut(object)
    then = tf.ExecOut()

    async def execute(self, ctx: tf.Context) -> tf.ExecOut:
        ctx.set_output(self.value, await ctx.signal(await ctx.get_input(self.name), timeout=3600))
        return self.then


REGISTRY.add(Waiting)


def asking(rounds=3):
    with tf.build(REGISTRY) as g:
        loop, wait = g.add("flow.repeat", "loop", times=rounds), g.add(Waiting, "wait", name="go")
        first = g.add(Noting, "first", value="first")
        g.connect(g.add("flow.start").then, first.enter)
        g.connect(first.then, loop.enter)
        g.connect(loop.body, wait.enter)
        g.connect(wait.then, g.add(Noting, "note", value=wait.value).enter)
    return g.graph


def until(left, graph, kept):
    """Run for so many effects; what was done."""
    FUEL["left"] = left + 1
    try:
        run(graph, kept)
    except Stop:
        pass
    finally:
        FUEL.clear()
    return [value for value, *_ in WORLD]


def test_signals_that_were_taken():
    """J26, J21: a signal is taken once, though the record of its taking was superseded."""
    kept = journal()
    assert until(0, asking(), kept) == []
    for number in range(3):
        tf.send_signal(kept, "a", "go", number)
    seen = []
    while kept.show("a").status == "running":
        seen += until(1, asking(), kept)
    assert seen == ["first", 0, 1, 2]


@pytest.mark.parametrize("every", [1, 100])
def test_a_fork_takes_signals_of_its_own(every):
    """J16, J21: their numbers are none of those that the other run has taken, be it in a moment or not."""
    kept = journal(every, history=every > 1)
    until(0, asking(2), kept)
    tf.send_signal(kept, "a", "go", "one")
    tf.send_signal(kept, "a", "go", "two")
    assert until(2, asking(2), kept) == ["first", "one"]
    lines = [*export_lines(kept, "a")]
    tf.fork_run(kept, "a", "b", at=(0, 2, 2))
    tf.send_signal(kept, "b", "go", "another")
    assert [value for value, *_ in run(asking(2), kept, "b")[-1]] == ["another"]
    elsewhere = journal(every)
    import_lines(elsewhere, lines)
    assert [value for value, *_ in run(asking(2), elsewhere)[-1]] == ["two"]


def stopped_in_a_loop(every=1, history=True, rounds=6, left=9):
    """A run that has died in its loop, after a moment."""
    kept = journal(every, history)
    FUEL["left"] = left
    try:
        run(nested("flow.for", rounds=rounds), kept)
    except Stop:
        pass
    finally:
        FUEL.clear()
    assert moments_among(kept.entries("a"))
    return kept


def test_forks_before_a_moment():
    """J26, J16: what was superseded is in the history, so a run can be forked anywhere, and looked at there."""
    graph = nested("flow.for", rounds=6)
    *undisturbed, all_done = run(graph, journal(10**9))
    kept = stopped_in_a_loop()
    for at in [(0, 1), (0, 3, 1), (0, 3, 2), None]:
        name = f"fork at {at}"
        info = tf.fork_run(kept, "a", name, at=at)
        *came, world = run(graph, kept, name)
        assert came == undisturbed
        assert len(world) == len(all_done) - sum(
            1 for entry in whole(kept, "a")[: info.state.entries] if entry.kind == "done"
        )
    assert tf.past_of(kept, "a", (0, 3, 2)).outputs["inner.told"][1] == 2
    assert tf.fork_run(kept, "a", "other", variables={"sum": 5}).state.entries == len(whole(kept, "a"))


def test_forks_without_a_history():
    """J26: without it, only what comes after the last moment can be looked at and forked; else it is said from where."""
    graph = nested("flow.for", rounds=6)
    *undisturbed, _ = run(graph, journal(10**9))
    kept = stopped_in_a_loop(history=False)
    tf.fork_run(kept, "a", "b")
    assert list(run(graph, kept, "b")[:-1]) == undisturbed
    assert tf.past_of(kept, "a", (0, 9)).outputs["inner.told"][1] == 6
    for refused in (
        lambda: tf.fork_run(kept, "a", "c", at=(0, 3, 0)),
        lambda: tf.fork_run(kept, "a", "c", variables={"sum": 1}),
        lambda: tf.past_of(kept, "a", (0, 3, 1)),
    ):
        with pytest.raises(tf.JournalError, match=r"before 0\.3\.\d was superseded by a moment, and its history"):
            refused()


@pytest.mark.parametrize(("node", "told"), [
    ("loop0", "has a moment of node 'loop0', but the run comes to a round of node 'other_loop0' there"),
    ("inner", "moments at which node 'inner' was written, and that is not in the graph any more"),
    (["o", "inner", "other"], "moments at which output 'other' of node 'inner' was written"),
    (["v", "", "other"], "moments at which variable 'other' was written"),
    (["s", "another", "count"], "moments at which node 'another' was written"),
])  # fmt: skip
def test_another_graph_at_a_moment(node, told):
    """J26, J13: what was open or written must be there."""
    kept = stopped_in_a_loop()
    if isinstance(node, list):
        [entry] = [each for each in kept.entries("a") if each.kind == ROUND]
        moment = Moment.of(entry)
        replace(kept, entry, attrs.evolve(moment, cells=[*moment.cells, [0, *node, 1]]).entry())
    graph = tf.dumps(nested("flow.for", rounds=6)).replace(f'"{node}', f'"other_{node}')

    async def go_on():
        async with tf.resume_run(kept, "a", tf.loads(graph), registry=REGISTRY, on_change="compatible") as run:
            await run.result()

    with pytest.raises(tf.Diverged, match=told):
        trio.run(go_on)
    assert kept.show("a").status == "running"


def replace(kept, entry, other):
    """Have another entry in place of one."""
    session = kept.take("a")
    session.rewrite([other if each is entry else each for each in session.entries], [])
    session.close()


def test_what_was_retried_is_not_in_the_way():
    """J26, J18: what somebody has retried lies in the history, too, and counts for nothing."""
    with tf.build(REGISTRY) as g:
        loop, fails = g.add("flow.repeat", "loop", times=4), g.add("durable.failing", "fails")
        note = g.add(Noting, "note", value=loop.round)
        g.connect(g.add("flow.start").then, loop.enter)
        g.connect(loop.body, note.enter)
        more = g.add("flow.branch", condition=g.add("logic.equal", a=loop.round, b=3).result)
        g.connect(note.then, more.enter)
        g.connect(more.true, fails.enter)
    kept = journal()
    with pytest.raises(ValueError):
        run(g.graph, kept)

    STOP["mended"] = True
    try:
        WORLD.clear()
        trio.run(go_on_retrying(kept, g.graph), clock=MockClock(autojump_threshold=0))
    finally:
        del STOP["mended"]
    assert [entry.node for entry in discarded(kept, "a")] == ["fails"]
    assert [entry.node for entry in whole(kept, "a")] == ["note", "note", "note", "fails", "note"]


def go_on_retrying(kept, graph):
    async def main():
        async with tf.resume_run(kept, "a", graph, registry=REGISTRY, retry=True) as run:
            return await run.result()

    return main


def test_limits_count_over_the_whole_run():
    """J26: steps before a moment were steps."""
    graph = nested("flow.for", rounds=6)
    steps = run(graph, journal())[2]
    kept = stopped_in_a_loop()
    with pytest.raises(tf.LimitExceeded):
        run(graph, kept, max_steps=steps - 1)
    kept = stopped_in_a_loop()
    assert run(graph, kept, max_steps=steps)[2] == steps


@tf.data_node(id="moments.thing")
def thing() -> object:
    return object()


REGISTRY.add(thing)


def test_what_cannot_be_recorded():
    """J26, J15: as long as such a value is in the store there is no moment, and the run is as good without."""
    with tf.build(REGISTRY) as g:
        g.variable("thing", "any")
        loop, keep = (
            g.add("flow.repeat", "loop", times=3),
            g.add("variable.set", name="thing", value=g.add(thing).result),
        )
        g.connect(g.add("flow.start").then, loop.enter)
        g.connect(loop.body, keep.enter)
        g.connect(keep.then, g.add(Noting, "note", value=1).enter)
    kept = journal()
    run(g.graph, kept)
    assert {entry.kind for entry in kept.entries("a")} == {"done"}


class Forgetful(tf.Node, id="moments.forgetful", durable="replayed"):
    """Says what it could go on from, and does not ask for it."""

    enter = tf.ExecIn()
    body = tf.ExecOut()
    asks = True

    async def execute(self, ctx: tf.Context) -> None:
        first = ctx.resumed(0) if self.asks else 0
        for index in range(first, 4):
            await ctx.trigger_at(index, self.body)


class Auto(Forgetful, id="moments.auto"):
    """The same, of which it is not said whether it is replayed."""


REGISTRY.add(Forgetful, Auto)


@pytest.mark.parametrize("kind", [Forgetful, Auto])
def test_a_loop_that_does_not_go_on(monkeypatch, kind):
    """J26, J12: a body that begins anew though it was open at a moment has diverged; nothing is done."""
    with tf.build(REGISTRY) as g:
        loop = g.add(kind, "loop")
        g.connect(g.add("flow.start").then, loop.enter)
        g.connect(loop.body, g.add(Noting, "note", value=1).enter)
    assert everywhere(g.graph) > 1
    kept = journal()
    FUEL["left"] = 3
    with pytest.raises(Stop):
        run(g.graph, kept)
    FUEL.clear()
    monkeypatch.setattr(Forgetful, "asks", False)
    with pytest.raises(tf.Diverged, match="a moment of 0.1, and the body there does not go on from that"):
        run(g.graph, kept)
    assert WORLD == []


def forgets(field, value):
    """Of each moment this is as if nothing had been there."""
    of = Moment.of

    def mutant(monkeypatch):
        monkeypatch.setattr(Moment, "of", lambda entry: attrs.evolve(of(entry), **{field: value}))

    mutant.__name__ = f"forgets_{field}"
    return mutant


def supersedes_too_much(monkeypatch):
    covers = Moment.covers
    monkeypatch.setattr(Moment, "covers", lambda self, key: covers(attrs.evolve(self, count=self.count + 1), key))


MUTANTS = [
    forgets("cells", ()), forgets("steps", 0), forgets("volatile", {}), forgets("came_back", 0),
    forgets("later", ()), forgets("gone", ()), forgets("put_off", 0), supersedes_too_much,
]  # fmt: skip


@pytest.mark.unmeasured
@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda each: each.__name__)
def test_mutants_are_noticed(monkeypatch, mutant):
    """Each forgets one thing that a moment must have."""
    from durable import open_graphs  # noqa: PLC0415 - which are made of nodes of this module

    made = {
        "forgets_volatile": volatile_while, "forgets_came_back": volatile_while, "forgets_later": open_graphs.reminding,
        "forgets_gone": open_graphs.every_second, "forgets_put_off": open_graphs.reminding,
    }  # fmt: skip
    graph = made[mutant.__name__]() if mutant.__name__ in made else nested("flow.repeat", "flow.for")
    everywhere(graph, step=17)
    mutant(monkeypatch)
    with pytest.raises((AssertionError, tf.TrioflowError, BaseExceptionGroup)):
        everywhere(graph, step=1)
