"""Runs to look at: a loop with a data node, and one that forks and fails."""

from __future__ import annotations

import contextlib

import trio

import trioflow as tf
from trioflow.testing import run_virtual


@tf.data_node(id="telemetry.square")
def square(n: int) -> int:
    return n * n


@tf.exec_node(id="telemetry.nap")
async def nap(n: int) -> int:
    await trio.sleep(1 + n)
    return n


@tf.exec_node(id="telemetry.fails")
async def fails(n: int) -> None:
    await trio.sleep(0.5)
    raise ValueError(f"no {n}")


def looping(times=3, kind="sequential"):
    """`loop` naps for each index; what it naps for is the square of it."""
    with tf.build() as g:
        start, loop = g.add(tf.nodes.Start, "start"), g.add(tf.nodes.ForEach, "loop", items=[*range(times)])
        work = g.add(nap, "nap", n=g.add(square, "square", n=loop.item).result)
        g.connect(start.then, loop.enter)
        g.connect(loop.body, work.enter)
        g.configure(loop, mode=kind)
    return g.graph


def failing():
    """`outer` sleeps no time and then `bad` fails below it."""
    with tf.build() as g:
        start, loop = g.add(tf.nodes.Start, "start"), g.add(tf.nodes.ForLoop, "outer", times=2)
        bad = g.add(fails, "bad", n=loop.index)
        g.connect(start.then, loop.enter)
        g.connect(loop.body, bad.enter)
    return g.graph


def watched(graph, *observers):
    """Run it on a virtual clock; a failure is none of the test's business."""
    with contextlib.suppress(ValueError):
        run_virtual(graph, observers=list(observers))
    return observers[0]
