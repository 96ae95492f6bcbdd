"""A program that is killed: concurrent items with effects in a file outside, and a transaction at the end."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import trio

import trioflow as tf

FOLDER, STORE, NUMBER, WORLD = Path(sys.argv[1]), sys.argv[2], sys.argv[3], sys.argv[4]
WORK = os.open(WORLD, os.O_WRONLY | os.O_APPEND | os.O_CREAT)


@tf.exec_node(id="killed.work")
async def work(number: int) -> list:
    await trio.sleep(0.002 * (number % 3))
    os.write(WORK, f"{number}\n".encode())
    await trio.sleep(0.001)
    return [number, number * number]


@tf.exec_node(id="killed.enter_ledger", durable="transaction")
def enter_ledger(db: tf.Transaction, run: str) -> None:
    db.execute("create table if not exists ledger(run)")
    db.execute("insert into ledger values(?)", (run,))


@tf.exec_node(id="killed.last")
def last() -> int:
    return 21


def graph() -> tf.Graph:
    with tf.build() as g:
        g.variable("total", "int", default=0, merge="sum")
        items = g.add("flow.parallel_for", times=20, limit=3)
        node = g.add(work, "work")
        second = g.add(tf.data_node(id="killed.second")(square), "second")
        add = g.add("variable.add", name="total")
        end = g.add(last, "last")
        for source, target in (
            (g.add("flow.start").then, items.enter), (items.body, node.enter), (items.index, node.number),
            (node.then, add.enter), (node.result, second.value), (second.result, add.value),
        ):  # fmt: skip
            g.connect(source, target)
        if STORE == "sqlite":
            entered = g.add(enter_ledger, run=NUMBER)
            g.connect(items.done, entered.enter)
            g.connect(entered.then, end.enter)
        else:
            g.connect(items.done, end.enter)
    return g.graph


def square(value: list) -> int:
    return value[1]


async def main() -> None:
    journal = tf.SqliteJournal(FOLDER / "runs.db") if STORE == "sqlite" else tf.FileJournal(FOLDER / "runs")
    result = await tf.run(graph(), journal=journal, run_id=f"run{NUMBER}")
    told = json.dumps([result.variables["total"], result.output("last")])
    Path(f"{WORLD}.result").write_text(told)


trio.run(main)
