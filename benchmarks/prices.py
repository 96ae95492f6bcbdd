"""What it costs to be watched: `python -m benchmarks.prices` measures the table of docs/events.md.

In turns within one process, and the best of several rounds of each: a machine is slow now and then, and never fast.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Mapping
from typing import Any

import trio

import trioflow as tf


class Plain(tf.Node, id="prices.plain"):
    """Does nothing."""

    enter = tf.ExecIn()

    async def execute(self, ctx: tf.Context) -> None: ...


class Reads(tf.Node, id="prices.reads"):
    """Reads one value."""

    enter = tf.ExecIn()
    value = tf.DataIn(object)

    async def execute(self, ctx: tf.Context) -> None:
        await ctx.get_input(self.value)


@tf.data_node(id="prices.add_one")
def add_one(x: int) -> int:
    return x + 1


def loop(body: str, times: int) -> tf.Plan:
    """A loop whose body does nothing, reads one output, or asks for what ten data nodes make of it."""
    with tf.build() as g:
        start, each = g.add(tf.nodes.Start), g.add(tf.nodes.ForLoop, times=times)
        g.connect(start.then, each.enter)
        if body == "plain":
            step = g.add(Plain)
        else:
            value = each.index
            for _ in range(10 if body == "data" else 0):
                value = g.add(add_one, x=value).result
            step = g.add(Reads, value=value)
        g.connect(each.body, step.enter)
    return tf.make_plan(g.graph, tf.Registry.standard())


def see(event: tf.events.Event) -> None:
    """An observer that does nothing: what it does itself is its own affair."""


WATCHED: Mapping[str, Callable[[], list[tf.Observer]]] = {
    "nobody": list,
    "failures": lambda: [tf.observe(see, kinds=["failures"])],
    "one kind": lambda: [tf.observe(see, kinds=[tf.events.NodeCompleted])],
    "steps": lambda: [tf.observe(see, kinds=["steps"])],
    "steps and data": lambda: [tf.observe(see, kinds=["steps", "data"])],
    "all": lambda: [see],
    "all, with values": lambda: [tf.observe(see, values=True)],
}
BODIES = {"plain": 40_000, "reads": 40_000, "data": 4_000}


def seconds(plan: tf.Plan, observers: list[tf.Observer], *, glances: bool = False) -> float:
    """How long a run takes."""

    async def main() -> float:
        async with tf.open_run(plan, observers=observers) as run, trio.open_nursery() as nursery:
            if glances:
                nursery.start_soon(lambda: run.glance(see))
            started = time.perf_counter()
            await run.result()
            taken = time.perf_counter() - started
            nursery.cancel_scope.cancel()
        return taken

    return trio.run(main)


def measure(rounds: int = 9) -> dict[str, dict[str, float]]:
    """For each body, how many times as long it takes for each way of being watched."""
    found: dict[str, dict[str, float]] = {}
    for body, times in BODIES.items():
        plan, longer = loop(body, times), loop(body, 10 * times)
        taken: dict[str, list[float]] = {}
        for _ in range(rounds):
            for name, observers in WATCHED.items():
                taken.setdefault(name, []).append(seconds(plan, observers()))
        for _ in range(max(1, rounds // 3)):  # a glance comes by every 32 ms
            for name in ("nobody for long", "glance"):
                taken.setdefault(name, []).append(seconds(longer, [], glances=name == "glance"))
        best = {name: min(each) for name, each in taken.items()}
        long = best.pop("nobody for long")
        found[body] = {name: each / (long if name == "glance" else best["nobody"]) for name, each in best.items()}
    return found


def main(arguments: list[str]) -> int:
    """Print the table."""
    found: dict[str, Any] = measure(int(arguments[0]) if arguments else 9)
    print(f"{'':18}" + "".join(f"{body:>8}" for body in found))
    for name in next(iter(found.values())):
        print(f"{name:18}" + "".join(f"{each[name]:8.2f}" for each in found.values()))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
