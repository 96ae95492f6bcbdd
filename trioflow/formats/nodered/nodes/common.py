"""Nodes with which flows begin and end, and by which they are linked: inject, debug, complete, link."""

from __future__ import annotations

import json
import random
from collections.abc import Mapping
from typing import Any

import trioflow as tf
from trioflow.formats.nodered.nodes.flow import Flow, Message, declare
from trioflow.formats.nodered.paths import read

CALLERS = "_linkSource"
"""The field of a message with the nodes to which it is to come back, the last one last."""


class _Inject(Flow, abstract=True):
    """Begins with a message: at once, after a while, again and again."""

    async def work(self, ctx: tf.Context, node: Mapping[str, Any], message: Message) -> list[tuple[int, Message]]:
        await ctx.sleep(float(node.get("onceDelay") or 0) if node.get("once") else 0)
        every = float(node.get("repeat") or 0)
        while every:
            ctx.set_variable("msg", self._message(ctx, node))
            await ctx.trigger(self.exits[0])
            await ctx.sleep(every)
        return [(0, self._message(ctx, node))]

    def _message(self, ctx: tf.Context, node: Mapping[str, Any]) -> Message:
        message: Message = {"_msgid": f"{random.Random(ctx.key).getrandbits(64):016x}"}
        props = node.get("props") or [{"p": "payload"}, {"p": "topic", "vt": "str"}]
        for each in props:
            path = each["p"]
            own = "v" not in each and path in ("payload", "topic")
            kind = each.get("vt") or (node.get("payloadType", "date") if path == "payload" else "str")
            text = node.get(path, "") if own else each.get("v", "")
            self.write(node, "msg", path, self.value(ctx, node, str(kind), text, message), message)
        return message


class _Debug(Flow, abstract=True):
    """Prints a part of the message, or all of it as JSON."""

    async def work(self, ctx: tf.Context, node: Mapping[str, Any], message: Message) -> list[tuple[int, Message]]:
        if node.get("active", True) is False:
            return []
        path = node.get("complete", "payload")
        whole = path in ("true", True) or node.get("targetType") == "full"
        found = message if whole else read(message, "payload" if path in ("false", "", False) else path)
        print(found if isinstance(found, str) else json.dumps(found, ensure_ascii=False, default=str))  # noqa: T201 - so it does
        return []


class _Pass(Flow, abstract=True):
    """Passes messages on: a link, a junction, the way into or out of a subflow, what catches failures."""

    async def work(self, ctx: tf.Context, node: Mapping[str, Any], message: Message) -> list[tuple[int, Message]]:
        return [(0, message)]


class _Complete(Flow, abstract=True):
    """Passes on the messages that other nodes are done with, but for those with which they have failed."""

    async def work(self, ctx: tf.Context, node: Mapping[str, Any], message: Message) -> list[tuple[int, Message]]:
        error = message.get("error")
        failed = isinstance(error, dict) and error.get("source", {}).get("id") in node["watched"]
        return [] if failed else [(0, message)]


class _LinkCall(Flow, abstract=True):
    """Passes a message on, which remembers where it is to come back to."""

    async def work(self, ctx: tf.Context, node: Mapping[str, Any], message: Message) -> list[tuple[int, Message]]:
        return [(0, {**message, CALLERS: [*message.get(CALLERS, ()), ctx.node.id]})]


class _LinkReturn(Flow, abstract=True):
    """Sends a message back to the node that called last; `caller` is its id."""

    caller = tf.DataOut(str, doc="the id of the node that called last")

    async def work(self, ctx: tf.Context, node: Mapping[str, Any], message: Message) -> list[tuple[int, Message]]:
        *before, caller = message.pop(CALLERS, None) or [""]
        ctx.set_output(self.caller, caller)
        return [(0, {**message, CALLERS: before} if before else message)]


for _base, _name, _most in (
    (_Inject, "inject", 1),
    (_Debug, "debug", 1),
    (_Pass, "pass", 1),
    (_Complete, "complete", 1),
    (_LinkCall, "link_call", 1),
    (_LinkReturn, "link_return", 1),
):
    declare(globals(), _base, _name, _most)
