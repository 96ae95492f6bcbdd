"""Runs that are stopped, and resumed."""

from __future__ import annotations

import datetime
import sqlite3
from contextlib import nullcontext

import pytest
import trio
from durable.graphs import NODES, REGISTRY, STOP, WORLD, act, chain, go, resume, stop
from trio.testing import MockClock

import trioflow as tf
from trioflow.durable.events import RunContinued
from trioflow.durable.keys import path_key


class Clock(tf.Clock):
    """The host's clock, which is turned."""

    def __init__(self):
        self.time = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)

    def now(self):
        return self.time


@pytest.fixture
def journal():
    return tf.MemoryJournal()


def effects(*values):
    return chain(*(("durable.effect", {"value": value}) for value in values))


def registry(*nodes):
    made = tf.Registry.standard(plugins=False)
    made.add(*NODES, *nodes)
    return made


def run(graph, journal, nodes=(), **arguments):
    WORLD.clear()

    async def main():
        return await tf.run(graph, journal=journal, run_id="a", registry=registry(*nodes), **arguments)

    return trio.run(main, clock=MockClock(autojump_threshold=0))


def around(*nodes):
    """A graph with nodes of classes that no registry has."""
    with tf.build(REGISTRY) as g:
        last = g.add("flow.start").then
        for node in nodes:
            handle = g.add(node)
            g.connect(last, handle.enter)
            last = handle.then
    return g.graph


def test_it_goes_on_where_it_was(journal):
    """J6: what is recorded is not done again."""
    graph = effects("a", "b", "c")
    assert stop(graph, journal, "c") == ["a", "b"]
    result = go(graph, journal)
    assert WORLD == ["c"]
    assert result.output("effect_2") == "b"
    assert result.statistics.steps == 4


def test_an_ended_run_is_asked_for_what_it_came_to(journal):
    """J1: nothing is done for it, whoever asks."""
    graph = effects("a")
    first = go(graph, journal)
    again = go(graph, journal)
    assert WORLD == []
    assert (again.variables, again.outputs, again.statistics.steps) == (first.variables, first.outputs, 2)
    assert resume(None, journal).outputs == first.outputs


def test_journal_and_name_come_together():
    """One without the other means nothing."""
    for arguments in ({"run_id": "a"}, {"journal": tf.MemoryJournal()}):
        with pytest.raises(TypeError, match="journal= and run_id= come together"):
            trio.run(lambda given=arguments: tf.run(effects("a"), registry=REGISTRY, **given))
    with pytest.raises(TypeError, match="run_id= must not be empty"):
        go(effects("a"), tf.MemoryJournal(), "")
    with pytest.raises(TypeError, match="must be a journal, such as SqliteJournal, got str"):
        trio.run(lambda: tf.run(effects("a"), registry=REGISTRY, journal="x.db", run_id="a"))


def test_opened_runs(journal):
    """`open_run` and `resume_run` do the same in the background of a block."""
    graph = effects("a", "b")

    async def main():
        async with tf.open_run(graph, registry=REGISTRY, journal=journal, run_id="a") as run:
            assert run.run_id == "a"
            return await run.result()

    WORLD.clear()
    trio.run(main)
    assert WORLD == ["a", "b"]
    trio.run(main)
    assert WORLD == ["a", "b"]
    assert journal.show("a").owner is None


def test_a_run_that_the_host_cancels_is_put_away(journal):
    """R5: it has not ended, so it can be resumed (J8)."""
    graph = chain(("durable.effect", {"value": "a"}), ("durable.slow", {"value": "s"}))

    async def main():
        async with tf.open_run(graph, registry=REGISTRY, journal=journal, run_id="a") as run:
            await trio.sleep(0.5)
            run.cancel()

    WORLD.clear()
    trio.run(main, clock=MockClock(autojump_threshold=0))
    assert WORLD == ["a", "s begins"]
    assert journal.show("a").status == "running"
    go(graph, journal)
    assert WORLD == ["s begins", "s ends"]


# --- J1: kinds of bodies ---


def test_recorded_bodies_dispatch_nothing(journal):
    """J1: what they dispatched could not be told after a resume."""

    class Both(tf.Node, id="t.both", durable="recorded"):
        enter = tf.ExecIn()
        then = tf.ExecOut()

        async def execute(self, ctx):
            await ctx.trigger(self.then)

    with pytest.raises(tf.NodeError, match="recorded-dispatches"):
        run(around(Both, NODES[0]), journal, [Both])


def test_auto_bodies(journal):
    """J1: recorded at their ends if they have dispatched nothing, replayed otherwise."""

    class Auto(tf.Node, id="t.auto"):
        enter = tf.ExecIn()
        triggers = tf.DataIn(bool)
        then = tf.ExecOut()
        body = tf.ExecOut()

        async def execute(self, ctx):
            WORLD.append(f"auto {await ctx.get_input(self.triggers)}")
            if await ctx.get_input(self.triggers):
                await ctx.trigger(self.body)
            return self.then

    with tf.build(REGISTRY) as g:
        one, two = g.add(Auto, triggers=False), g.add(Auto, triggers=True)
        inner, last = g.add(NODES[0], value="in"), g.add(NODES[0], value="last")
        for source, target in (
            (g.add("flow.start").then, one), (one.then, two), (two.body, inner), (two.then, last)
        ):  # fmt: skip
            g.connect(source, target.enter)
    STOP["at"] = "last"
    with pytest.raises(BaseException):  # noqa: B017 - the process stops
        run(g.graph, journal, [Auto])
    assert WORLD == ["auto False", "auto True", "in"]
    run(g.graph, journal, [Auto])
    assert WORLD == ["auto True", "last"]


def test_what_types_say_of_themselves():
    """J1: refused where it means nothing."""
    for arguments, says in (
        ({"durable": "sometimes"}, "durable='sometimes'; use 'replayed' or"),
        ({"on_doubt": "maybe"}, "on_doubt='maybe'; use 'again' or 'fail'"),
        ({"durable": "source"}, "declares no stream"),
        ({"durable": "transaction"}, "a transaction is a plain function"),
    ):
        with pytest.raises(tf.NodeDefinitionError, match=says):
            tf.exec_node(**arguments)(lambda: None)
    with pytest.raises(tf.NodeDefinitionError, match="a data node is 'replayed' or 'recorded'"):
        tf.data_node(durable="auto")(lambda: 1)


def test_standard_nodes_say_what_they_are():
    """J1: each node that acts, and each volatile one. Printing twice after a resume would be a fault."""
    standard = tf.Registry.standard(plugins=False)
    assert [each.id for each in standard if (each.is_exec or each.volatile) and each.durable is None] == []
    assert standard.get("debug.print").durable == "recorded"


@pytest.mark.parametrize("at", [1, 2, 3])
def test_sources(journal, tmp_path, at):
    """J1: items that were emitted are emitted again, and the body goes on after them, whatever has come and gone."""
    for name in ("a", "c", "d"):
        (tmp_path / name).write_text("x")
    with tf.build(REGISTRY) as g:
        walk = g.add("file.walk", root=str(tmp_path))
        each = g.add(NODES[0])
        g.connect(g.add("flow.start").then, walk.enter)
        g.connect(walk.body, each.enter)
        g.connect(walk.relative, each.value)
    stop(g.graph, journal, "acd"[at - 1])
    before = [*WORLD]
    (tmp_path / "a").unlink()
    (tmp_path / "b").write_text("x")
    (tmp_path / "e").write_text("x")
    go(g.graph, journal)
    # One that was in flight is done again, though it may have gone; what came meanwhile is seen if it is further on.
    assert before + WORLD == {1: ["a", "b", "c", "d", "e"], 2: ["a", "c", "d", "e"], 3: ["a", "c", "d", "e"]}[at]
    go(g.graph, journal)
    assert WORLD == []


def test_a_source_that_has_ended_reads_nothing(journal, tmp_path):
    """J6: not even whether its file is there."""
    (tmp_path / "f").write_text("1\n2\n3\n")
    with tf.build(REGISTRY) as g:
        lines, leave = g.add("file.lines", path=str(tmp_path / "f")), g.add("flow.break")
        each, last = g.add(NODES[0]), g.add(NODES[0], value="last")
        two = g.add("text.equal") if REGISTRY.find("text.equal") else g.add("logic.equal", b="2")
        choice = g.add("flow.branch")
        for source, target in (
            (g.add("flow.start").then, lines.enter), (lines.body, each.enter), (lines.line, each.value),
            (each.then, choice.enter), (choice["true"], leave.enter), (lines.line, two.a), (two.result, choice.condition),
            (lines.done, last.enter),
        ):  # fmt: skip
            g.connect(source, target)
    assert stop(g.graph, journal, "last") == ["1", "2"]
    (tmp_path / "f").unlink()
    go(g.graph, journal)
    assert WORLD == ["last"]


def test_a_source_that_can_not_tell_where_it_was(journal):
    """J1: is in doubt, and nothing is guessed."""

    class Naive(tf.Node, id="t.naive", durable="source"):
        enter = tf.ExecIn()
        item = tf.DataOut(int)
        body = tf.ExecOut()
        items = tf.Stream(item, fires=body)

        async def execute(self, ctx):
            for number in range(3):
                await ctx.emit(self.item, number)

    with tf.build(REGISTRY) as g:
        naive, each = g.add(Naive), g.add(NODES[0])
        g.connect(g.add("flow.start").then, naive.enter)
        g.connect(naive.body, each.enter)
        g.connect(naive.item, each.value)
    STOP["at"] = 1
    with pytest.raises(BaseException):  # noqa: B017 - the process stops
        run(g.graph, journal, [Naive])
    with pytest.raises(tf.InDoubt, match="can't tell where it was"):
        run(g.graph, journal, [Naive])
    assert WORLD == []
    assert journal.show("a").status == "running"
    with pytest.raises(tf.JournalError, match="say that it has ended there"):
        tf.settle(journal, "a", (0, 1), again=True)
    tf.settle(journal, "a", (0, 1), exit=None)
    run(g.graph, journal, [Naive])
    assert WORLD == [1]


# --- J2: what is recorded ---


class Asks(tf.Node, id="t.asks", durable="replayed"):
    enter = tf.ExecIn()
    then = tf.ExecOut()
    told = tf.DataOut(list)

    async def execute(self, ctx):
        async def ask(number):
            act(f"ask {number}")
            if number == 2:
                raise KeyError(number)
            return [number]

        told = [await ctx.once(ask, 1), ctx.now(), await ctx.once(lambda: {1, 2}), ctx.random.random()]
        try:
            await ctx.once(ask, 2)
        except KeyError as error:
            told.append(str(error))
        ctx.set_output(self.told, told)
        return self.then


def test_what_a_context_is_asked(journal):
    """J2: the answers of the world are the same after a resume, also its failures."""
    clock = Clock()

    class Last(tf.Node, id="t.last", durable="recorded"):
        enter = tf.ExecIn()
        then = tf.ExecOut()

        async def execute(self, ctx):
            act("last")
            return self.then

    graph = around(Asks, Last)
    STOP["at"] = "last"
    with pytest.raises(BaseException):  # noqa: B017 - the process stops
        run(graph, journal, [Asks, Last], services={tf.Clock: clock})
    assert WORLD == ["ask 1", "ask 2"]
    before = clock.time
    clock.time += datetime.timedelta(days=1)
    result = run(graph, journal, [Asks, Last], services={tf.Clock: clock}, options=tf.RunOptions(seed=5))
    told = result.output("asks", "told")
    assert WORLD == ["last"]
    assert told[:3] + told[4:] == [[1], before, {1, 2}, "2"]
    # J11: the seed is that of the run.
    assert told[3] == run(around(Asks), tf.MemoryJournal(), [Asks]).output("asks", "told")[3]


def test_volatile_values(journal):
    """J2: what a volatile node said is what it says after a resume."""
    seen = iter(range(10))

    @tf.data_node(id="t.reading", volatile=True)
    def reading() -> list:
        return [next(seen)]

    with tf.build(REGISTRY) as g:
        first, second = g.add(NODES[0], "first"), g.add(NODES[0], "second")
        g.connect(g.add("flow.start").then, first.enter)
        g.connect(first.then, second.enter)
        read = g.add(reading)
        g.connect(read.result, first.value)
        g.connect(read.result, second.value)
    STOP["at"] = [1]
    with pytest.raises(BaseException):  # noqa: B017 - the process stops
        run(g.graph, journal, [reading])
    result = run(g.graph, journal, [reading])
    assert (result.output("first"), result.output("second")) == ([0], [1])
    assert WORLD == [[1]]


@tf.data_node(id="t.reading", volatile=True)
async def reading(n: tf.Lazy[int], ctx: tf.DataContext) -> int:
    return await n() + ctx.get_variable("m")


class AsksTwice(tf.Node, id="t.asks_twice", durable="replayed"):
    enter = tf.ExecIn()
    value = tf.DataIn(int, lazy=True)

    async def execute(self, ctx):
        for name in ("n", "m"):
            WORLD.append(await ctx.get_input(self.value))
            await ctx.once(act, f"before {name}")
            ctx.set_variable(name, 10)
        WORLD.append(await ctx.get_input(self.value))


@pytest.mark.parametrize("at", ["before n", "before m"])
def test_what_a_recorded_value_depends_on(journal, at):
    """J6, D4: what its body asked for, too: it is asked again when that has changed."""
    with tf.build(REGISTRY) as g:
        g.variable("n", "int", 1)
        g.variable("m", "int", 1)
        value = g.add(reading, n=g.add("variable.get", name="n").result)
        g.connect(g.add("flow.start").then, g.add(AsksTwice, value=value.result).enter)
    STOP["at"] = at
    with pytest.raises(BaseException):  # noqa: B017 - the process stops
        run(g.graph, journal, [AsksTwice, reading])
    run(g.graph, journal, [AsksTwice, reading])
    assert [each for each in WORLD if isinstance(each, int)] == [2, 11, 20]


def test_state_and_variables(journal):
    """J2: what a recorded body wrote is written again, and what it deleted is gone."""

    class Writes(tf.Node, id="t.writes", durable="recorded", remembers=True):
        enter = tf.ExecIn()
        then = tf.ExecOut()

        async def execute(self, ctx):
            ctx.state["count"] = ctx.state.get("count", 0) + 1
            ctx.state.setdefault("gone", 1)
            if ctx.state["count"] == 2:
                del ctx.state["gone"]
            ctx.set_variable("v", [ctx.state["count"], sorted(ctx.state)])
            act(f"write {ctx.state['count']}")
            return self.then

    with tf.build(REGISTRY) as g:
        g.variable("v", "list", default=[])
        loop, writes = g.add("flow.repeat", times=3), g.add(Writes)
        g.connect(g.add("flow.start").then, loop.enter)
        g.connect(loop.body, writes.enter)
    STOP["at"] = "write 3"
    with pytest.raises(BaseException):  # noqa: B017 - the process stops
        run(g.graph, journal, [Writes])
    result = run(g.graph, journal, [Writes])
    assert WORLD == ["write 3"]
    assert result.variables["v"] == [3, ["count", "gone"]]


# --- J3: when ---


def test_a_record_is_durable_before_the_next_effect():
    """J3: the journal is asked to keep it before anything else is done to the world, and before the end is told."""
    order = WORLD

    class Noting(tf.MemoryJournal):
        def take(self, run_id, new=None):
            session = super().take(run_id, new)
            append, state = session.append, session.set_state
            session.append = lambda entries: (
                order.append([path_key((0, 1)) in {e.key for e in entries}]),
                append(entries),
            )
            session.set_state = lambda *given: (order.append(given[0]), state(*given))
            return session

    go(effects("a", "b"), Noting())
    assert order == ["a", [True], "b", [False], "completed"]


def test_pure_work_does_not_wait():
    """J3: a loop of replayed nodes keeps nothing."""
    journal = tf.MemoryJournal()
    go(chain(("flow.for", {"times": 100})), journal)
    assert journal.entries("a") == []


# --- J4: in flight ---


def test_keys(journal):
    """J4: one key for all attempts and resumes, and one more for each attempt."""
    keys = []

    class Keyed(tf.Node, id="t.keyed", durable="recorded"):
        enter = tf.ExecIn()
        then = tf.ExecOut()

        async def execute(self, ctx):
            keys.append((ctx.key, ctx.attempt_key))
            act(f"attempt {len(keys)}")
            if len(keys) < 3:
                raise OSError("again")
            return self.then

    graph = around(Keyed)
    STOP["at"] = "attempt 2"
    arguments = {"middleware": [tf.Retry(3, delay=1)]}
    with pytest.raises(BaseException):  # noqa: B017 - the process stops
        run(graph, journal, [Keyed], **arguments)
    run(graph, journal, [Keyed], **arguments)
    assert WORLD == ["attempt 3"]  # the first attempt had failed and was recorded
    assert len({key for key, _ in keys}) == 1
    assert len({key for _, key in keys}) == 2
    other = tf.MemoryJournal()
    keys.clear()
    keys += [None, None]
    run(graph, other, [Keyed])
    assert len(keys[-1][0]) == 32


def test_in_doubt(journal):
    """J4: what may not be done twice is asked for."""
    graph = chain(("durable.careful", {"value": "pay"}))
    stop(graph, journal, "pay")
    with pytest.raises(tf.InDoubt, match="node 'careful'|Node 'careful', activation 0.1, was begun"):
        go(graph, journal)
    assert WORLD == []
    assert journal.show("a").status == "running"


def test_settling(journal):
    """J4: whoever found out says so: it was not done, or it was, with what came of it."""
    graph = chain(("durable.careful", {"value": "pay"}), ("durable.effect", {"value": "after"}))
    stop(graph, journal, "pay")
    with pytest.raises(tf.JournalError, match="Nothing is in doubt at 0.2 of run 'a'. It is in doubt at: 0.1"):
        tf.settle(journal, "a", (0, 2))
    copied = tf.MemoryJournal()
    copied.insert(journal.show("a").new, journal.show("a").state, journal.entries("a"))
    tf.settle(journal, "a", (0, 1), again=True)
    go(graph, journal)
    assert WORLD == ["pay", "after"]
    tf.settle(copied, "a", (0, 1), outputs={"result": "paid by hand"})
    result = go(graph, copied)
    assert (WORLD, result.output("careful")) == (["after"], "paid by hand")


def test_stuck(journal):
    """J4: a run whose process dies again and again before anything new is recorded is put away."""
    graph = effects("a", "b")
    stop(graph, journal, "b")
    for _ in range(3):
        journal.take("a")
        journal.steal("a")
    with pytest.raises(tf.RunStuck, match="resumed 3 times"):
        go(graph, journal)
    assert journal.show("a").status == "stuck"
    resume(graph, journal, retry=True)
    assert WORLD == ["b"]


# --- J5: transactions ---


@tf.exec_node(id="t.pay", durable="transaction")
def pay(db: tf.Transaction, amount: int = 1) -> int:
    db.execute("create table if not exists paid(amount)")
    db.execute("insert into paid values(?)", (amount,))
    if amount == 13:
        raise ValueError("unlucky")
    return len(db.execute("select * from paid"))


def test_a_transaction_and_its_record_are_one(tmp_path):
    """J5: both are there, or neither."""
    journal = tf.SqliteJournal(tmp_path / "runs.db")
    with tf.build(REGISTRY) as g:
        loop, node, each = g.add("flow.for", times=2, start=12), g.add(pay), g.add(NODES[0])
        for source, target in (
            (g.add("flow.start").then, loop.enter), (loop.body, node.enter), (loop.index, node.amount),
            (node.then, each.enter), (node.result, each.value),
        ):  # fmt: skip
            g.connect(source, target)
    with pytest.raises(ValueError, match="unlucky"):
        run(g.graph, journal, [pay])
    database = sqlite3.connect(tmp_path / "runs.db")
    assert database.execute("select amount from paid").fetchall() == [(12,)]
    assert [entry.node for entry in journal.entries("a")] == ["pay", "effect", "pay"]
    database.close()


def test_transactions_need_a_database(journal):
    """J5: found out before anything runs."""
    with pytest.raises(
        tf.JournalError, match=r"has no transactions, which nodes pay need. Keep the run in a SqliteJournal"
    ):
        run(around(pay), journal, [pay])
    assert journal.runs() == []


def test_what_a_transaction_may_not(tmp_path):
    """J5: begin or end it, wait, or keep it."""
    journal = tf.SqliteJournal(tmp_path / "runs.db")
    kept = []

    @tf.exec_node(id="t.commits", durable="transaction")
    def commits(db: tf.Transaction) -> None:
        kept.append(db)
        db.execute("commit")

    with pytest.raises(tf.JournalError, match="the journal's to begin and to end: 'commit'"):
        run(around(commits), journal, [commits])
    with pytest.raises(tf.NodeError, match="lasts as long as the function"):
        kept[0].execute("select 1")

    class Waits(tf.Middleware):
        async def __call__(self, invocation):
            await trio.sleep(1)
            return await invocation()

    with pytest.raises(tf.NodeError, match="Nothing may wait while the database is locked"):
        run(
            around(pay), tf.SqliteJournal(tmp_path / "other.db"), [pay], middleware=[Waits()],
            options=tf.RunOptions(),
        )  # fmt: skip


# --- J6, J7, J15: what comes back ---


def test_the_run_goes_on_with_what_will_come_back(journal):
    """J6: also the first time, so that a loss shows at once."""
    kept = []

    @tf.exec_node(id="t.keeps")
    def keeps() -> list:
        kept.append([1])
        return kept[0]

    with tf.build(REGISTRY) as g:
        node, each = g.add(keeps), g.add(tf.exec_node(id="t.same", durable="replayed")(same_as(kept)))
        g.connect(g.add("flow.start").then, node.enter)
        g.connect(node.then, each.enter)
        g.connect(node.result, each.value)
    assert run(g.graph, journal, [keeps]).output("same") is False


def same_as(kept):
    def same(value: list) -> bool:
        return value is kept[0]

    return same


def test_values_that_can_not_be_kept(journal):
    """J15: a failure of their node, with place and cure; it is not done again."""

    @tf.exec_node(id="t.opens")
    def opens() -> object:
        act("open")
        return [object()]

    for _ in range(2):
        with pytest.raises(
            tf.Unrecordable, match=r"node 'opens', activation 0.1: output 'result'\[0\] is a builtins.object"
        ):
            run(around(opens), journal, [opens])
    assert WORLD == []
    assert journal.show("a").status == "failed"


def test_failures(journal):
    """J7: recorded, caught the same way after a resume, and not done again."""
    with tf.build(REGISTRY) as g:
        attempt, bad = g.add("flow.try"), g.add("durable.failing", value="x")
        caught, last = g.add("durable.effect", "caught"), g.add("durable.effect", "last", value="last")
        for source, target in (
            (g.add("flow.start").then, attempt.enter), (attempt.body, bad.enter), (attempt.catch, caught.enter),
            (attempt.message, caught.value), (attempt.done, last.enter),
        ):  # fmt: skip
            g.connect(source, target)
    assert stop(g.graph, journal, "last") == ["fail x", "x"]
    go(g.graph, journal)
    assert WORLD == ["last"]


def test_failures_that_can_not_be_made_again(journal):
    """J7: they are another class at once, not only after a resume."""

    class Odd(Exception):
        def __init__(self, a, b):
            super().__init__(a)

    @tf.exec_node(id="t.odd")
    def odd() -> None:
        raise Odd("a", "b")

    for _ in range(2):
        with pytest.raises(tf.RecordedFailure, match="Odd: a"):
            run(around(odd), journal, [odd])


# --- J8, J9: cancelled, timed out, raced ---


def test_a_time_limit_expires_again(journal):
    """J9: what was cut off stays cut off, whatever the clock says now, and nothing of it is begun again."""
    with tf.build(REGISTRY) as g:
        limit = g.add("flow.timeout", seconds=5)
        one, slow = g.add("durable.effect", "one", value="one"), g.add("durable.slow", value="slow", seconds=10.0)
        late, last = g.add("durable.effect", "late", value="late"), g.add("durable.effect", "last", value="last")
        for source, target in (
            (g.add("flow.start").then, limit.enter), (limit.body, one.enter), (one.then, slow.enter),
            (limit.timed_out, late.enter), (late.then, last.enter),
        ):  # fmt: skip
            g.connect(source, target)
    assert stop(g.graph, journal, "last") == ["one", "slow begins", "late"]
    assert go(g.graph, journal).statistics.elapsed < 1
    assert WORLD == ["last"]


@pytest.mark.parametrize("how", ["trigger", "set", "signal"])
def test_a_time_limit_around_a_wait_expires_again(journal, how):
    """J9: what it cut off is not over when the process is another one, though the time is past for which it waited."""
    WORLD.clear()
    clock = Clock()

    class Limited(tf.Node, id="durable.limited"):
        enter = tf.ExecIn()
        before = tf.ExecOut()
        body = tf.ExecOut()
        then = tf.ExecOut()

        async def execute(self, ctx):
            await ctx.trigger(self.before)
            with ctx.time_limit(1) as limit:
                if how == "signal":
                    await ctx.signal("go", timeout=5)
                else:
                    await ctx.sleep(5)
                ctx.set_variable("late", True)
                if how == "trigger":
                    await ctx.trigger(self.body)
            act(f"expired: {limit.expired}, late: {ctx.get_variable('late')}")
            return self.then

    with tf.build(REGISTRY) as g:
        g.variable("late", "bool", default=False)
        limited = g.add(Limited)
        first, inside, last = (g.add("durable.effect", value=each) for each in ("first", "inside", "last"))
        g.connect(g.add("flow.start").then, limited.enter)
        g.connect(limited.before, first.enter)
        g.connect(limited.body, inside.enter)
        g.connect(limited.then, last.enter)
    given = {"nodes": (Limited,), "services": {tf.Clock: clock}}
    STOP["at"] = "last"
    with pytest.raises(BaseException):  # noqa: B017, PT011 - it dies
        run(g.graph, journal, **given)
    assert WORLD == ["first", "expired: True, late: False"]
    journal.steal("a")
    clock.time += datetime.timedelta(hours=1)
    result = run(g.graph, journal, **given)
    assert WORLD == ["expired: True, late: False", "last"]
    assert result.variables["late"] is False


def test_what_had_ended_in_time_ends_again(journal):
    """J9: a body that is run again may take as long as it likes, before the limit expires that it is in."""

    class Takes(tf.Node, id="durable.takes"):
        enter = tf.ExecIn()
        seconds = tf.DataIn(float)
        body = tf.ExecOut()
        then = tf.ExecOut()

        async def execute(self, ctx):
            await ctx.trigger(self.body)
            await trio.sleep(await ctx.get_input(self.seconds))
            act(f"after {await ctx.get_input(self.seconds):g}")
            return self.then

    with tf.build(REGISTRY) as g:
        limit = g.add("flow.timeout", seconds=5)
        one, two = g.add(Takes, "one", seconds=3.0), g.add(Takes, "two", seconds=9.0)
        first, second, last = (g.add("durable.effect", value=each) for each in ("first", "second", "last"))
        for source, target in (
            (g.add("flow.start").then, limit.enter), (limit.body, one.enter), (one.body, first.enter),
            (one.then, two.enter), (two.body, second.enter), (limit.timed_out, last.enter),
        ):  # fmt: skip
            g.connect(source, target)
    STOP["at"] = "last"
    with pytest.raises(BaseException):  # noqa: B017, PT011 - it dies
        run(g.graph, journal, (Takes,))
    assert WORLD == ["first", "after 3", "second"]
    journal.steal("a")
    run(g.graph, journal, (Takes,))
    assert WORLD == ["after 3", "last"]


def test_the_time_limit_of_a_run(journal):
    """J9: it counts the time of all processes that had it, to a hundredth of the limit; steps are counted over all."""
    with tf.build(REGISTRY) as g:
        at = g.add("flow.start").then
        for name in ("a", "b"):
            slow, note = (
                g.add("durable.slow", name, value=name, seconds=6.0),
                g.add("durable.effect", f"after {name}", value=name),
            )
            g.connect(at, slow.enter)
            g.connect(slow.then, note.enter)
            at = note.then
    ten = tf.RunOptions(timeout=10)
    assert stop(g.graph, journal, "a", options=ten) == ["a begins", "a ends"]
    with pytest.raises(tf.LimitExceeded, match="its limit of 10 s"):
        go(g.graph, journal, options=ten)  # after 4 s
    assert WORLD == ["a", "b begins"]
    with pytest.raises(tf.LimitExceeded):  # no time is left
        resume(g.graph, journal, retry=True, options=ten)
    assert WORLD == []
    left = resume(g.graph, journal, retry=True, options=tf.RunOptions(timeout=16.5))
    assert (left.statistics.steps, WORLD) == (5, ["b begins", "b ends", "b"])


def test_the_time_in_which_nobody_had_it(journal):
    """J9, J22: is not counted, and neither is that in which it was put away; nor is any recorded without a limit."""
    with tf.build(REGISTRY) as g:
        slow, wait = g.add("durable.slow", value="slow", seconds=6.0), g.add("flow.wait_signal", name="go")
        g.connect(g.add("flow.start").then, slow.enter)
        g.connect(slow.then, wait.enter)
        g.connect(wait.received, g.add("durable.slow", value="last", seconds=2.0).enter)
    for limit, name in ((8.5, "short"), (9.5, "long"), (None, "any")):
        options = tf.RunOptions(timeout=limit)
        for _ in range(2):  # it waits for half a second each time
            with pytest.raises(tf.RunSuspended):
                go(g.graph, journal, name, suspend_after=0.5, options=options)
        tf.send_signal(journal, name, "go")
        with nullcontext() if limit != 8.5 else pytest.raises(tf.LimitExceeded):
            go(g.graph, journal, name, options=options)
        noted = [entry for entry in journal.entries(name) if entry.kind == "elapsed"]
        assert len(noted) <= (0 if limit is None else 102)


def test_a_race_has_the_same_winner(journal):
    """J2, J8: and what the losers had not begun is not begun."""
    with tf.build(REGISTRY) as g:
        race, last = g.add("flow.race"), g.add("durable.effect", "last", value="last")
        g.connect(g.add("flow.start").then, race.enter)
        g.connect(race.done, last.enter)
        for way, seconds in (("a", 3.0), ("b", 1.0)):
            slow = g.add("durable.slow", way, value=way, seconds=seconds)
            after = g.add("durable.effect", f"after {way}", value=f"after {way}")
            g.connect(race[way], slow.enter)
            g.connect(slow.then, after.enter)
    assert stop(g.graph, journal, "last") == ["a begins", "b begins", "b ends", "after b"]
    result = go(g.graph, journal)
    assert WORLD == ["last"]
    assert result.output("race", "winner") == "b"


def test_whoever_failed_first_fails_first(journal):
    """J8: a failure that cancels the others does so again, and what they had not begun is not begun."""
    with tf.build(REGISTRY) as g:
        attempt, both, last = g.add("flow.try"), g.add("flow.parallel"), g.add("durable.effect", "last", value="last")
        slow, bad = g.add("durable.slow", value="slow", seconds=1.0), g.add("durable.failing", value="x")
        wait, after = g.add("flow.delay", seconds=2.0), g.add("durable.effect", "after", value="after")
        caught = g.add("durable.effect", "caught", value="caught")
        for source, target in (
            (g.add("flow.start").then, attempt.enter), (attempt.body, both.enter), (both.a, slow.enter),
            (slow.then, wait.enter), (wait.then, after.enter), (both.b, g.add("flow.delay", "d", seconds=1.5).enter),
            (attempt.catch, caught.enter), (attempt.done, last.enter),
        ):  # fmt: skip
            g.connect(source, target)
        g.connect(tf.BoundSocket("d", REGISTRY.get("flow.delay").exec_outputs[0]), bad.enter)
    assert stop(g.graph, journal, "last") == ["slow begins", "slow ends", "fail x", "caught"]
    go(g.graph, journal)
    assert WORLD == ["last"]


# --- J10: timers ---


@pytest.mark.parametrize(("turned", "waits"), [(0.0, 10.0), (4.0, 6.0), (100.0, 0.0), (-100.0, 10.0)])
def test_timers(journal, turned, waits):
    """J10: due at a wall time; a clock that is set back delays by no more than the whole duration."""
    clock = Clock()
    graph = chain(("flow.delay", {"seconds": 10.0}), ("durable.effect", {"value": "x"}))

    async def begin():
        async with tf.open_run(
            graph, registry=REGISTRY, journal=journal, run_id="a", services={tf.Clock: clock}
        ) as run:
            await trio.sleep(1)
            run.cancel()

    async def go_on():
        began = trio.current_time()
        await tf.run(graph, registry=REGISTRY, journal=journal, run_id="a", services={tf.Clock: clock})
        return trio.current_time() - began

    trio.run(begin, clock=MockClock(autojump_threshold=0))
    clock.time += datetime.timedelta(seconds=turned)
    assert trio.run(go_on, clock=MockClock(autojump_threshold=0)) == pytest.approx(waits)


def test_durations():
    """Seconds, `timedelta` or text."""
    from trioflow.model.durability import seconds_of

    assert [seconds_of(each) for each in ("2d", "1h 30m", "0.5s", "PT90S", 3, datetime.timedelta(minutes=1))] == [
        172800.0, 5400.0, 0.5, 90.0, 3.0, 60.0
    ]  # fmt: skip
    for wrong in ("2 weeks", "", "x1d", -1, float("nan"), "-PT1S"):
        with pytest.raises(ValueError, match="duration"):
            seconds_of(wrong)


# --- J12, J13: divergence ---


def test_another_node(journal):
    """J12: says where, what the journal has, what the run did; nothing is written."""
    graph = effects("a", "b")
    stop(graph, journal, "b")
    other = chain(("durable.careful", {"value": "a"}), ("durable.effect", {"value": "b"}))
    with pytest.raises(tf.GraphChanged, match="Its graph is another one"):
        resume(other, journal)
    before = journal.entries("a")
    with pytest.raises(
        tf.Diverged, match=r"At 0.1 the journal has the end of node 'effect', but the run comes to .* 'careful'"
    ):
        resume(other, journal, on_change="compatible")
    assert (WORLD, journal.entries("a"), journal.show("a").status) == ([], before, "running")


def test_other_inputs(journal):
    """J12: the same node, asked for something else."""
    stop(effects("a", "b"), journal, "b")
    with pytest.raises(tf.Diverged, match="Node 'effect', activation 0.1, gets other inputs"):
        resume(effects("x", "b"), journal, on_change="compatible")
    assert WORLD == []


def test_nobody_can_catch_it(journal):
    """J12: not even a graph that catches everything."""

    def graph(value):
        with tf.build(REGISTRY) as g:
            attempt, each = g.add("flow.try"), g.add("durable.effect", value=value)
            caught, last = (
                g.add("durable.effect", "caught", value="caught"),
                g.add("durable.effect", "last", value="last"),
            )
            for source, target in (
                (g.add("flow.start").then, attempt.enter), (attempt.body, each.enter), (attempt.catch, caught.enter),
                (attempt.done, last.enter),
            ):  # fmt: skip
                g.connect(source, target)
        return g.graph

    stop(graph("a"), journal, "last")
    with pytest.raises(tf.Diverged):
        resume(graph("b"), journal, on_change="compatible")
    assert len(journal.entries("a")) == 1


def test_what_nobody_asks_for(journal):
    """J12: the run ends without coming to what was recorded."""
    stop(effects("a", "b", "c"), journal, "c")
    with pytest.raises(tf.Diverged, match=r"the end of node 'effect_2' at 0.2, and the run ended without coming there"):
        resume(effects("a"), journal, on_change="compatible")
    assert journal.show("a").status == "running"


def test_a_graph_that_does_the_same(journal):
    """J13: may be another one, if the host says so."""
    stop(effects("a", "b"), journal, "b")
    resume(effects("a", "b", "c"), journal, on_change="compatible")
    assert WORLD == ["b", "c"]


# --- J17: observers ---


def test_observers_are_not_told_again(journal):
    """J17: what happened before happens again, and is told only to those who ask for it."""
    graph = effects("a", "b")
    stop(graph, journal, "b")
    for replay, begun in ((False, ["effect_2"]), (True, ["start", "effect", "effect_2"])):
        told = []
        copied = tf.MemoryJournal()
        copied.insert(journal.show("a").new, journal.show("a").state, journal.entries("a"))
        resume(graph, copied, observers=[told.append], observe_replay=replay)
        names = [type(event).__name__ for event in told]
        assert [event.node for event in told if isinstance(event, tf.events.NodeCompleted)] == begun
        continued = next(event for event in told if isinstance(event, RunContinued))
        assert (continued.after, continued.replayed) == (1, 1)
        assert (names[0], names[-1], names.count("RunContinued")) == ("RunStarted", "RunCompleted", 1)


# --- J18: after a failure ---


def broken(journal):
    with tf.build(REGISTRY) as g:
        attempt = g.add("flow.try")
        one, bad = g.add("durable.effect", "one", value="one"), g.add("durable.failing", value="x")
        clean, last = g.add("durable.effect", "clean", value="clean"), g.add("durable.effect", "last", value="last")
        for source, target in (
            (g.add("flow.start").then, attempt.enter), (attempt.body, one.enter), (one.then, bad.enter),
            (attempt.cleanup, clean.enter), (attempt.done, last.enter),
        ):  # fmt: skip
            g.connect(source, target)
    with pytest.raises(ValueError, match="x"):
        go(g.graph, journal)
    assert WORLD == ["one", "fail x", "clean"]
    assert journal.show("a").status == "failed"
    return g.graph


def test_retry(journal):
    """J18: what failed, and what came after it, is done again, and the rest is not."""
    graph = broken(journal)
    with pytest.raises(ValueError, match="x"):
        resume(graph, journal)  # it has ended: it is asked for what it came to
    assert WORLD == []
    with pytest.raises(ValueError, match="x"):
        resume(graph, journal, retry=True)
    assert WORLD == ["fail x", "clean"]
    STOP["mended"] = True
    try:
        resume(graph, journal, retry=True)
    finally:
        del STOP["mended"]
    assert WORLD == ["fail x", "clean", "last"]
    assert journal.show("a").status == "completed"
    assert [entry.node for entry in journal.history("a")] == ["failing", "clean"] * 2
    with pytest.raises(tf.JournalError, match="has completed: there is nothing to retry"):
        resume(graph, journal, retry=True)


def test_skip(journal):
    """J18: or what failed is left out, as skipped; the chain ends there."""
    graph = broken(journal)
    with pytest.raises(tf.JournalError, match=r"Nothing failed at 0.9, so .* failed at: 0.1.1"):
        resume(graph, journal, retry=True, skip=[(0, 9)])
    told = []
    resume(graph, journal, retry=True, skip=[(0, 1, 1)], observers=[told.append], observe_replay=True)
    assert WORLD == ["clean", "last"]
    assert [event.node for event in told if isinstance(event, tf.events.NodeSkipped)] == ["failing"]


def test_names_are_not_used_again(journal):
    """J18: of a pruned run the name is left."""
    graph = effects("a")
    go(graph, journal)
    journal.prune("a")
    with pytest.raises(tf.JournalError, match="was pruned: nothing is left of it"):
        go(graph, journal)
    assert WORLD == []


# --- what can't be kept ---


def test_a_run_from_its_name_alone(journal):
    """The graph is in the journal, unless no document can hold it."""
    stop(effects("a", "b"), journal, "b")
    resume(None, journal)
    assert WORLD == ["b"]
    with tf.build(REGISTRY) as g:
        node = g.add("durable.effect")
        g.connect(g.add("flow.start").then, node.enter)
        g.connect(g.add(lambda: 1).result, node.value)
    go(g.graph, journal, "b")
    with pytest.raises(tf.JournalError, match="can't be written as a document"):
        resume(None, journal, "b")
    with pytest.raises(tf.RunNotFound):
        resume(None, journal, "c")
    with pytest.raises(TypeError, match="stay_open"):
        go(g.graph, journal, "d", options=tf.RunOptions(stay_open=True))


# --- who writes, and when ---


def test_concurrent_effects_share_a_write_to_the_disk(tmp_path):
    """J3: a journal that waits for the disk does so in a thread, once for all that have come meanwhile."""
    journal = tf.SqliteJournal(tmp_path / "runs.db", durability="power")
    writes = []
    take = journal.take

    def counting(run_id, new=None):
        session = take(run_id, new)
        append = session.append
        session.append = lambda entries: (writes.append(len(entries)), append(entries))
        return session

    journal.take = counting

    def graph(last):
        with tf.build(REGISTRY) as g:
            items, one, two = g.add("flow.parallel_for", times=8), g.add(NODES[0], "one"), g.add(NODES[0], "two")
            end = g.add(NODES[0], "end", value=last)
            for source, target in (
                (g.add("flow.start").then, items.enter), (items.body, one.enter), (items.index, one.value),
                (one.then, two.enter), (items.index, two.value), (items.done, end.enter),
            ):  # fmt: skip
                g.connect(source, target)
        return g.graph

    async def main():
        return await tf.run(graph("end"), journal=journal, run_id="a", registry=REGISTRY)

    WORLD.clear()
    STOP["at"] = "end"
    with pytest.raises(BaseException):  # noqa: B017 - the process stops
        trio.run(main)
    assert sorted(WORLD) == sorted([*range(8)] * 2)
    assert sum(writes) == 16 + 1  # the end of each, and one moment of all of them
    assert len(writes) < 16
    WORLD.clear()
    trio.run(main)
    assert WORLD == ["end"]


def test_whoever_loses_its_run_does_nothing_more(journal):
    """J14: not even the next effect, and what the graph catches makes no difference."""

    @tf.exec_node(id="t.loses")
    def loses() -> None:
        WORLD.append("taken over")
        journal.steal("a")

    with tf.build(REGISTRY) as g:
        attempt, lose = g.add("flow.try"), g.add(loses)
        after, caught = g.add(NODES[0], "after", value="after"), g.add(NODES[0], "caught", value="caught")
        for source, target in (
            (g.add("flow.start").then, attempt.enter), (attempt.body, lose.enter), (lose.then, after.enter),
            (attempt.catch, caught.enter),
        ):  # fmt: skip
            g.connect(source, target)
    with pytest.raises(tf.RunOwned, match="taken over by another process"):
        run(g.graph, journal, [loses])
    assert WORLD == ["taken over"]
    assert journal.entries("a") == []


def test_a_lease_is_renewed(journal):
    """J14: as long as the run goes on, also while it only waits; and whoever has lost it finds out."""
    renewed = []
    take = journal.take

    def counting(run_id, new=None):
        session = take(run_id, new)
        renew = session.renew
        session.renew = lambda: (renewed.append(trio.current_time()), renew())
        return session

    journal.take = counting
    run(chain(("durable.slow", {"value": "s", "seconds": 65.0})), journal)
    assert len(renewed) == 6

    async def lose():
        async with tf.open_run(
            chain(("durable.slow", {"value": "s", "seconds": 65.0})), registry=REGISTRY, journal=journal, run_id="b"
        ):
            await trio.sleep(1)
            journal.steal("b")

    with pytest.raises(tf.RunOwned):
        trio.run(lose, clock=MockClock(autojump_threshold=0))
    assert WORLD[-1] == "s begins"


def test_what_began_in_time_limits_of_its_own(journal):
    """J9: what comes after the limit is not inside of it."""
    limits = []

    class Limits(tf.Node, id="t.limits", durable="replayed"):
        enter = tf.ExecIn()
        body = tf.ExecOut()
        then = tf.ExecOut()

        async def execute(self, ctx):
            for seconds in (1, 100):
                with ctx.time_limit(seconds) as limit:
                    await ctx.trigger(self.body)
                limits.append(limit.expired)
            return self.then

    with tf.build(REGISTRY) as g:
        node, wait = g.add(Limits), g.add("flow.delay", seconds=5.0)
        each, last = g.add(NODES[0], "each", value="each"), g.add(NODES[0], "last", value="last")
        for source, target in (
            (g.add("flow.start").then, node.enter), (node.body, wait.enter), (wait.then, each.enter),
            (node.then, last.enter),
        ):  # fmt: skip
            g.connect(source, target)
    STOP["at"] = "last"
    with pytest.raises(BaseException):  # noqa: B017 - the process stops
        run(g.graph, journal, [Limits])
    assert (WORLD, limits) == (["each"], [True, False])
    run(g.graph, journal, [Limits])
    assert (WORLD, limits) == (["last"], [True, False] * 2)
