"""Journals as a version of trioflow has written them: `python tests/durable/golden.py NAME` writes those of this one.

They are in `goldens/`, one folder for each format, and one for each in which moments are kept (`NAME` has `moments` in
it). They stay as they are: a later version must read them all. Write new ones when the format changes.
"""

from __future__ import annotations

import datetime
import sqlite3
import sys
from decimal import Decimal
from pathlib import Path
from typing import Any

import trio
from trio.testing import MockClock

import trioflow as tf

GOLDENS = Path(__file__).with_name("goldens")
ACTED: list[Any] = []
DIES: list[Any] = []


class Died(BaseException):
    """The process is gone."""


def act(what: Any) -> None:
    if what in DIES:
        raise Died
    ACTED.append(what)


@tf.exec_node(id="golden.effect", version="1")
async def effect(value: object) -> object:
    act(value)
    return value


@tf.exec_node(id="golden.kinds", version="1")
def kinds() -> dict:
    """Values of all kinds."""
    act("kinds")
    return {
        "plain": [None, True, -1, 1.5, "é\u2028", float("inf")],
        "tuple": (1, {2: "two"}),
        "set": {3, 1, 2},
        "bytes": b"\x00\xff",
        "decimal": Decimal("1.10"),
        "when": datetime.datetime(2026, 3, 1, 12, tzinfo=datetime.UTC),
        "span": datetime.timedelta(seconds=1.5),
        "error": ValueError("wrong", 3),
        "large": "x" * (200 if "format-1" in sys.argv else 70_000),
    }


@tf.exec_node(id="golden.fails", version="1")
def fails() -> None:
    act("fails")
    raise LookupError("nothing there")


class Asks(tf.Node, id="golden.asks", durable="replayed", version="1"):
    """Asks its context for all that is answered from the record."""

    enter = tf.ExecIn()
    said = tf.DataOut(list)
    then = tf.ExecOut()

    async def execute(self, ctx: tf.Context) -> tf.ExecOut:
        first = await ctx.once(lambda: act("once") or 7)
        now = ctx.now()
        await ctx.sleep(1)
        ctx.set_output(self.said, [first, now.year > 2000])
        return self.then


REGISTRY = tf.Registry.standard(plugins=False)
REGISTRY.add(effect, kinds, fails, Asks)


def graph() -> tf.Graph:
    with tf.build(REGISTRY) as g:
        g.variable("kept", "dict", default={})
        g.variable("times", "int", default=0)
        all_kinds = g.add("golden.kinds", "kinds")
        keep = g.add("variable.set", "keep", name="kept")
        asks = g.add("golden.asks", "asks")
        items = g.add("flow.parallel_for", "items", times=4, limit=2)
        item = g.add("golden.effect", "item")
        add = g.add("variable.add", "add", name="times", value=1)
        rounds = g.add("flow.for", "rounds", times=6)
        turn = g.add("golden.effect", "turn", value=g.add("math.add", a=rounds.index, b=10).result)
        wait = g.add("flow.wait_signal", "wait", name="paid")
        tries = g.add("flow.try", "tries")
        wrong = g.add("golden.fails", "wrong")
        last = g.add("golden.effect", "last", value="last")
        for source, target in (
            (g.add("flow.start").then, all_kinds.enter), (all_kinds.then, keep.enter), (all_kinds.result, keep.value),
            (keep.then, asks.enter), (asks.then, items.enter), (items.body, item.enter), (items.index, item.value),
            (item.then, add.enter), (items.done, rounds.enter), (rounds.body, turn.enter), (rounds.done, wait.enter),
            (wait.received, tries.enter), (tries.body, wrong.enter), (tries.catch, last.enter),
        ):  # fmt: skip
            g.connect(source, target)
    return g.graph


def circle() -> tf.Graph:
    """A workflow that goes in a circle."""
    with tf.workflow(REGISTRY) as w:
        w.variable("turns", "int", default=0)
        turns = w.add("variable.get", "turns", name="turns").result
        work = w.add("golden.effect", "work", value=w.add("math.add", "sum", a=turns, b=100).result)
        more = w.add("variable.add", "more", name="turns", value=1)
        again = w.add("flow.branch", "again", condition=w.add("logic.less", "less", a=turns, b=9).result)
        for source, target in (
            (w.declare_entry("enter"), work.enter), (work.then, more.enter), (more.then, again.enter),
            (again.true, work.enter), (again.false, w.declare_exit("done")),
        ):  # fmt: skip
            w.connect(source, target)
    return w.graph


def long_graph() -> tf.Graph:
    """A loop, a workflow that goes in a circle, and what puts itself off: all that has moments of its own."""
    with tf.build(REGISTRY) as g:
        g.variable("times", "int", default=0)
        rounds = g.add("flow.for", "rounds", times=9)
        turn = g.add("golden.effect", "turn", value=rounds.index)
        call, later = g.add(g.define("circle", circle()), "call"), g.add("flow.later", "later", seconds=1.0)
        times = g.add("variable.get", "get", name="times").result
        tick = g.add("golden.effect", "tick", value=g.add("math.add", "sum", a=times, b=200).result)
        add = g.add("variable.add", "add", name="times", value=1)
        again = g.add("flow.branch", "again", condition=g.add("logic.less", "less", a=times, b=9).result)
        for source, target in (
            (g.add("flow.start").then, rounds.enter), (rounds.body, turn.enter), (rounds.done, call.enter),
            (call.done, later.enter), (later.done, tick.enter), (tick.then, add.enter), (add.then, again.enter),
            (again.true, later.enter),
        ):  # fmt: skip
            g.connect(source, target)
    return g.graph


def go(journal: Any, run_id: str, dies: Any = None) -> Any:
    """Run it, or go on with it; gives what it came to, or None if it died."""
    ACTED.clear()
    DIES[:] = [] if dies is None else [dies]

    async def main() -> Any:
        made = long_graph() if run_id in DYING_LONG else graph()
        return await tf.run(made, journal=journal, run_id=run_id, registry=REGISTRY, suspend_after=5.0)

    try:
        return trio.run(main, clock=MockClock(autojump_threshold=0))
    except (Died, BaseExceptionGroup, tf.RunSuspended):
        return None


DYING = {"at the beginning": "kinds", "in items": 2, "in a loop": 14, "at the end": "last", "never": None}
"""By name of a run: what its process died at."""


DYING_LONG = {"in rounds": 7, "in a circle": 106, "put off": 207}
"""The same of runs that have moments."""


def write_long(journal: Any) -> None:
    """Runs that died with moments, and with a history of the last two."""
    journal.checkpoint = tf.Checkpoint(every=2, history=2)
    for run_id, dies in DYING_LONG.items():
        go(journal, run_id, dies)


def write(journal: Any) -> None:
    """Runs in all states."""
    journal.checkpoint = None
    for run_id, dies in DYING.items():
        if go(journal, run_id, dies) is None and dies in {"last", None}:
            tf.send_signal(journal, run_id, "paid", {"by": "eve"}, key="1", by="eve")
            go(journal, run_id, dies)
    go(journal, "waits")


if __name__ == "__main__":
    folder = GOLDENS / sys.argv[1]
    folder.mkdir(parents=True)
    writes = write_long if "moments" in sys.argv[1] else write
    writes(tf.FileJournal(folder / "files"))
    kept = tf.SqliteJournal(folder / "runs.db")
    writes(kept)
    with sqlite3.connect(folder / "runs.db") as database:
        database.execute("pragma wal_checkpoint(truncate)")
        database.execute("pragma journal_mode=delete")
    database.close()
    for path in {*folder.rglob("*.lock"), *folder.rglob(".lock")}:
        path.unlink()
