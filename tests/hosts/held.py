"""How long a run holds the host's loop: what each step of each task takes, in processor time of the thread."""

from __future__ import annotations

import gc
import time
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

import trio

import trioflow as tf

MOST = 0.005
"""Seconds for which nobody may hold the loop. Those that hold it longest take half as much, while others are busy beside."""

REGISTRY = tf.Registry.standard(plugins=False, only=["pure"], max_bytes=500_000)
LIMITS = tf.RunOptions(max_steps=5_000, timeout=1.0, max_depth=200, max_strands=100, max_shield=0.3, grace=0.3)


@contextmanager
def without_collector() -> Generator[None, None, None]:
    """Python's collector goes through all objects of the process now and then: that is no matter of a node."""
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


class Steps(trio.abc.Instrument):
    """The longest step of a task between two turns of the scheduler. Processor time: who else is busy does not count."""

    def __init__(self) -> None:
        self.longest = 0.0
        self._began = 0.0

    def before_task_step(self, task: trio.lowlevel.Task) -> None:
        self._began = time.thread_time()

    def after_task_step(self, task: trio.lowlevel.Task) -> None:
        self.longest = max(self.longest, time.thread_time() - self._began)


def run(graph: tf.Graph, *, registry: tf.Registry = REGISTRY, options: tf.RunOptions = LIMITS, **given: Any):
    """Run it as a host would, planned elsewhere; gives the result or the failure, and the longest step."""
    plan = tf.make_plan(graph, registry)
    steps = Steps()

    async def main() -> Any:
        try:
            return await tf.run(plan, options=options, **given)
        except Exception as error:
            return error

    with without_collector():
        return trio.run(main, instruments=[steps]), steps.longest
