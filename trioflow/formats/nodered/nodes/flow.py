"""What all nodes of flows do: take the message of their strand, `msg`, and send on at `out1`, `out2` and so on."""

from __future__ import annotations

import copy
import json
import os
import types
from collections.abc import Mapping
from contextlib import AsyncExitStack
from contextvars import ContextVar
from functools import partial
from typing import Any, ClassVar, cast

import trio

import trioflow as tf
from trioflow.errors import NodeError
from trioflow.formats import javascript
from trioflow.formats.nodered import jsonata
from trioflow.formats.nodered.memory import Memory, hold, release
from trioflow.formats.nodered.paths import delete, read, write

MOST_OUTPUTS = 20

Message = dict[str, Any]


class FlowError(NodeError):
    """A node of a flow says that something is wrong."""


class Flow(tf.Node, abstract=True):
    """A node of a flow: what the document says of it stands in the input `node`."""

    enter = tf.ExecIn()
    node: tf.DataIn[Any] = tf.DataIn(dict, default={}, doc="what the document says of it")
    exits: ClassVar[tuple[tf.ExecOut, ...]] = ()
    memory: Memory

    async def setup(self, ctx: tf.SetupContext) -> None:
        self._services = ctx.services
        self.memory = hold(ctx.services)

    async def teardown(self) -> None:
        release(self._services)

    async def execute(self, ctx: tf.Context) -> tf.ExecOut | None:
        node: Mapping[str, Any] = await ctx.get_input(self.node)
        message: Message = copy.deepcopy(ctx.get_variable("msg") or {})
        try:
            sends = await self.work(ctx, node, message)
        except Exception as error:
            # What catches it gets the message with what went wrong.
            source = {"id": ctx.node.id, "type": node.get("type", ""), "name": node.get("name", "")}
            ctx.set_variable("msg", {**message, "error": {"message": str(error), "source": source}})
            raise
        if not sends:
            return None
        if len(sends) > 1 and node.get("delayed"):
            await self._send_without_waiting(ctx, sends)
            return None
        for number, each in sends[:-1]:
            ctx.set_variable("msg", each)
            await ctx.trigger(self.exits[number])
        number, last = sends[-1]
        ctx.set_variable("msg", last)
        return self.exits[number]

    async def _send_without_waiting(self, ctx: tf.Context, sends: list[tuple[int, Message]]) -> None:
        """Send messages in order: each goes as far as it comes before it is held back, then the next one follows."""
        outer = held_back.get()
        async with AsyncExitStack() as stack:
            for number, each in sends:
                branches = await stack.enter_async_context(ctx.branches())
                ctx.set_variable("msg", each)
                passed_on = trio.Event()
                token = held_back.set(passed_on)
                branches.start(self.exits[number])
                held_back.reset(token)
                async with trio.open_nursery() as nursery:
                    nursery.start_soon(_when_ended, branches, passed_on)
                    await passed_on.wait()
                    nursery.cancel_scope.cancel()
            outer.set()

    async def work(self, ctx: tf.Context, node: Mapping[str, Any], message: Message) -> list[tuple[int, Message]]:
        """What it sends: from 0 the number of the output, and the message."""
        raise NotImplementedError

    # --- values ---

    def value(self, ctx: tf.Context, node: Mapping[str, Any], kind: str, text: Any, message: Message) -> Any:
        """A value that the editor has a type for."""
        match kind:
            case "num":
                return javascript.evaluate(javascript.expression(str(text) or "0"), {})
            case "bool":
                return str(text).lower() == "true"
            case "json":
                return json.loads(text) if isinstance(text, str) else text
            case "msg":
                return read(message, text) if text else message
            case "flow" | "global":
                return read(self.memory.context(node.get("z", "") if kind == "flow" else ""), text)
            case "date":
                return int(ctx.now().timestamp() * 1000)
            case "jsonata":
                functions = {
                    "flowContext": partial(self.value, ctx, node, "flow", message=message),
                    "globalContext": partial(self.value, ctx, node, "global", message=message),
                    "env": partial(self.value, ctx, node, "env", message=message),
                }
                return jsonata.evaluate(str(text), message, functions)
            case "env":
                return cast("Mapping[str, Any]", node.get("env", {})).get(text, os.environ.get(str(text), ""))
            case _:
                return text

    def write(self, node: Mapping[str, Any], kind: str, path: str, value: Any, message: Message) -> None:
        """Set what a path leads to, in the message or a context."""
        write(self.holder(node, kind, message), path, value)

    def delete(self, node: Mapping[str, Any], kind: str, path: str, message: Message) -> None:
        """Take out what a path leads to, of the message or a context."""
        delete(self.holder(node, kind, message), path)

    def holder(self, node: Mapping[str, Any], kind: str, message: Message) -> dict[str, Any]:
        """What the paths of a kind begin at."""
        return message if kind == "msg" else self.memory.context(node.get("z", "") if kind == "flow" else "")


held_back: ContextVar[trio.Event] = ContextVar("trioflow_noderedheld_back", default=trio.Event())  # noqa: B039 - nobody waits for it
"""Set when the message that is on its way is held back, so that the next one may follow."""


async def _when_ended(branches: Any, event: trio.Event) -> None:
    await branches.wait_first()
    event.set()


def declare(namespace: dict[str, Any], base: type[Flow], name: str, most: int = 1) -> None:
    """Declare the node types of a kind in a module: one for each number of outputs."""
    for count in range(1, most + 1):
        exits = {f"out{number}": tf.ExecOut() for number in range(1, count + 1)}
        type_id = f"nodered.{name}" if count == 1 else f"nodered.{name}_{count}"
        body = {**exits, "__doc__": base.__doc__, "__module__": namespace["__name__"], "exits": tuple(exits.values())}
        made = types.new_class(
            f"{base.__name__}{count}", (base,), {"id": type_id, "durable": "replayed"}, partial(dict.update, **body)
        )
        namespace[made.__name__] = made
