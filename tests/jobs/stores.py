"""The journals that queues are in, and node types of jobs."""

from __future__ import annotations

import pytest
import trio
from postgres import NEEDS_POSTGRES, fresh_journal

import trioflow as tf

POSTGRES = pytest.param("postgres", marks=NEEDS_POSTGRES)
KINDS = ["memory", "sqlite", POSTGRES]
RUNS: list = []


def make(kind, folder):
    if kind == "memory":
        return tf.MemoryJournal()
    return tf.SqliteJournal(folder / "runs.db") if kind == "sqlite" else fresh_journal()


@tf.exec_node(id="jobs.note")
def note(text: str) -> str:
    RUNS.append(text)
    return text


@tf.exec_node(id="jobs.fail")
def fail(text: str) -> None:
    RUNS.append(text)
    raise ConnectionError(f"no answer about {text}")


@tf.exec_node(id="jobs.hang")
async def hang(text: str) -> None:
    RUNS.append(text)
    await trio.sleep_forever()


@tf.exec_node(id="jobs.exit")
def leave(text: str) -> None:
    raise SystemExit(3)


def registry(*more):
    made = tf.Registry.standard()
    made.add(note, fail, hang, leave, *more)
    return made


def graph(*types):
    """Nodes one after the other, each of which is told the variable `name`."""
    with tf.build() as g:
        g.variable("name", "str", default="a")
        before = g.add("flow.start").then
        for number, node_type in enumerate(types or (note,)):
            node = g.add(node_type, f"n{number}")
            g.connect(g.add("variable.get", name="name").result, node.text)
            g.connect(before, node.enter)
            before = node.then
    return g.graph
