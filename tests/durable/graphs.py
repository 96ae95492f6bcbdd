"""What tests of journalled runs share: nodes that note what they do to the world, and a process that stops in the middle."""

from __future__ import annotations

from typing import Any

import trio
from trio.testing import MockClock

import trioflow as tf

WORLD: list[Any] = []
"""What was done, as a server outside of the process would have noted it."""


class Stop(BaseException):
    """The process is stopped here: nothing that it does afterwards is kept."""


NEVER = object()
STOP: dict[str, Any] = {"at": NEVER}


def act(what: Any) -> None:
    """Do something to the world; dies before, if it is to stop here."""
    if STOP["at"] == what:
        STOP["at"] = NEVER
        raise Stop
    WORLD.append(what)


@tf.exec_node(id="durable.effect")
async def effect(value: object = None) -> object:
    act(value)
    return value


@tf.exec_node(id="durable.failing")
def failing(value: object = None) -> None:
    act(f"fail {value}")
    if STOP.get("mended") is None:
        raise ValueError(value)


@tf.exec_node(id="durable.careful", on_doubt="fail")
def careful(value: object = None) -> object:
    act(value)
    return value


class Slow(tf.Node, id="durable.slow", durable="recorded"):
    """Acts, waits, acts."""

    enter = tf.ExecIn()
    value = tf.DataIn(str)
    seconds = tf.DataIn(float, default=1.0)
    then = tf.ExecOut()

    async def execute(self, ctx: tf.Context) -> tf.ExecOut:
        value = await ctx.get_input(self.value)
        act(f"{value} begins")
        await trio.sleep(await ctx.get_input(self.seconds))
        act(f"{value} ends")
        return self.then


NODES = (effect, failing, careful, Slow)
REGISTRY = tf.Registry.standard(plugins=False)
REGISTRY.add(*NODES)


def chain(*nodes: Any, **inputs: dict[str, Any]) -> tf.Graph:
    """`flow.start`, then these nodes, one after the other."""
    with tf.build(REGISTRY) as g:
        last = g.add("flow.start").then
        for node in nodes:
            kind, given = node if isinstance(node, tuple) else (node, {})
            handle = g.add(kind, **given)
            g.connect(last, handle.enter)
            last = handle["then"] if "then" in {each.name for each in handle_type(handle).exec_outputs} else None
    return g.graph


def handle_type(handle: Any) -> tf.NodeType:
    return REGISTRY.get(handle._type.id) if hasattr(handle, "_type") else handle.type


def go(graph: tf.Graph, journal: Any, run_id: str = "a", *, world: list[Any] | None = None, **arguments: Any) -> Any:
    """Run, on a virtual clock; a process that stops leaves the journal as a dead one would."""
    WORLD.clear()

    async def main() -> Any:
        return await tf.run(graph, journal=journal, run_id=run_id, registry=REGISTRY, **arguments)

    return trio.run(main, clock=MockClock(autojump_threshold=0))


def resume(graph: tf.Graph | None, journal: Any, run_id: str = "a", **arguments: Any) -> Any:
    """The same with `resume_run`."""
    WORLD.clear()

    async def main() -> Any:
        async with tf.resume_run(journal, run_id, graph, registry=REGISTRY, **arguments) as run:
            return await run.result()

    return trio.run(main, clock=MockClock(autojump_threshold=0))


def stop(graph: tf.Graph, journal: Any, at: Any, run_id: str = "a", **arguments: Any) -> list[Any]:
    """Run until something is about to be done to the world, and die; gives what was done."""
    STOP["at"] = at
    try:
        go(graph, journal, run_id, **arguments)
    except BaseException as error:
        assert STOP["at"] is NEVER, f"it failed before: {error!r}"
        if isinstance(journal, tf.MemoryJournal):
            journal.steal(run_id)
        return [*WORLD]
    finally:
        STOP["at"] = NEVER
    raise AssertionError("it did not stop")
