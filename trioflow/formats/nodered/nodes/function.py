# Functions of scripts, of values of any type.
# pyright: reportUnknownLambdaType=false
"""Nodes that work on one message: function, switch, change, range, template, json, and what filters and delays."""

from __future__ import annotations

import copy
import json
import random
from collections.abc import Callable, Mapping
from typing import Any, cast

import trio

import trioflow as tf
from trioflow.formats import javascript
from trioflow.formats.nodered.mustache import mustache
from trioflow.formats.nodered.nodes.flow import MOST_OUTPUTS, Flow, FlowError, Message, declare, held_back
from trioflow.formats.nodered.paths import read
from trioflow.formats.nodered.rules import matches, replaced

UNITS = {"milliseconds": 0.001, "seconds": 1.0, "minutes": 60.0, "hours": 3600.0, "days": 86400.0}


class _Function(Flow, abstract=True):
    """Runs a script, and sends what it returns."""

    async def work(self, ctx: tf.Context, node: Mapping[str, Any], message: Message) -> list[tuple[int, Message]]:
        sends: list[tuple[int, Message]] = []

        def fail(text: Any = "", *_: Any) -> None:
            raise FlowError(javascript.as_text(text))

        functions: dict[str, Callable[..., Any]] = {
            "node.error": fail,
            "node.status": lambda *_: None,
            "node.done": lambda: None,
            "node.send": lambda found: sends.extend(self._sent(found)),
            "RED.util.cloneMessage": copy.deepcopy,
        }
        for level in ("log", "warn", "debug", "trace"):
            functions[f"node.{level}"] = lambda text, *_: ctx.emit_feedback(javascript.as_text(text))
        for name, holder in (
            ("flow", self.memory.context(node.get("z", ""))),
            ("global", self.memory.context()),
            ("context", self.memory.of_node(ctx.node.id)),
        ):
            functions[f"{name}.get"] = lambda key, *_, holder=holder: copy.deepcopy(holder.get(key))
            functions[f"{name}.set"] = lambda key, value, *_, holder=holder: holder.__setitem__(key, value)
        functions["env.get"] = lambda name: self.value(ctx, node, "env", name, message)
        found = javascript.run(javascript.program(node.get("func", "")), {"msg": message}, functions)
        return [*sends, *self._sent(found)]

    def _sent(self, found: Any) -> list[tuple[int, Message]]:
        if found is None:
            return []
        by_output: list[Any] = found if isinstance(found, list) else [found]
        sends: list[tuple[int, Message]] = []
        for number, each in enumerate(by_output[: len(self.exits)]):
            for message in each if isinstance(each, list) else [each]:
                if isinstance(message, dict):
                    sends.append((number, copy.deepcopy(cast("Message", message))))
                elif message is not None:
                    raise FlowError(f"A function sends messages, which are objects, got {message!r}.")
        return sends


class _Switch(Flow, abstract=True):
    """Sends the message on at the outputs whose rules hold: all of them, or the first."""

    async def work(self, ctx: tf.Context, node: Mapping[str, Any], message: Message) -> list[tuple[int, Message]]:
        found = self.value(ctx, node, str(node.get("propertyType", "msg")), node.get("property", "payload"), message)
        all_of_them = str(node.get("checkall", "true")) == "true"
        kept = self.memory.of_node(ctx.node.id)
        sends: list[tuple[int, Message]] = []
        for number, rule in enumerate(node.get("rules", ())):
            if rule.get("t") == "else":
                holds = not sends
            elif rule.get("t") == "jsonata_exp":
                holds = self.value(ctx, node, "jsonata", rule.get("v"), message) is True
            else:
                values = [
                    kept.get("before")
                    if rule.get(f"{name}t") == "prev"
                    else self.value(ctx, node, str(rule.get(f"{name}t", "str")), rule.get(name), message)
                    for name in ("v", "v2")
                ]
                holds = matches(str(rule.get("t")), found, values[0], values[1], case=bool(rule.get("case")))
            if holds:
                sends.append((number, copy.deepcopy(message)))
                if not all_of_them:
                    break
        kept["before"] = found
        return sends


class _Change(Flow, abstract=True):
    """Sets, changes, moves and deletes parts of the message, or of a context."""

    async def work(self, ctx: tf.Context, node: Mapping[str, Any], message: Message) -> list[tuple[int, Message]]:
        for rule in node.get("rules", ()):
            kind, path = str(rule.get("pt", "msg")), str(rule.get("p", "payload"))
            to = None
            if rule.get("t") in ("set", "change"):
                to = self.value(ctx, node, str(rule.get("tot", "str")), rule.get("to", ""), message)
                to = copy.deepcopy(to)
            match rule.get("t"):
                case "set":
                    self.write(node, kind, path, to, message)
                case "change":
                    before = self.value(ctx, node, kind, path, message)
                    old = self.value(ctx, node, str(rule.get("fromt", "str")), rule.get("from", ""), message)
                    self.write(node, kind, path, replaced(before, old, to, rule.get("fromt") == "re"), message)
                case "delete":
                    self.delete(node, kind, path, message)
                case _:  # move
                    before = self.value(ctx, node, kind, path, message)
                    self.delete(node, kind, path, message)
                    self.write(node, str(rule.get("tot", "msg")), str(rule.get("to", "")), before, message)
        return [(0, message)]


class _Template(Flow, abstract=True):
    """Fills a template in the Mustache language."""

    async def work(self, ctx: tf.Context, node: Mapping[str, Any], message: Message) -> list[tuple[int, Message]]:
        text = str(node.get("template", ""))
        if node.get("syntax", "mustache") == "mustache":
            more = {"flow": self.memory.context(node.get("z", "")), "global": self.memory.context()}
            text = mustache(text, [{**more, **message}])
        value = json.loads(text) if node.get("output") == "json" else text
        self.write(node, str(node.get("fieldType", "msg")), str(node.get("field", "payload")), value, message)
        return [(0, message)]


class _Range(Flow, abstract=True):
    """Maps a number from one range to another."""

    async def work(self, ctx: tf.Context, node: Mapping[str, Any], message: Message) -> list[tuple[int, Message]]:
        path = str(node.get("property") or "payload")
        low, high, to_low, to_high = (float(node.get(name) or 0) for name in ("minin", "maxin", "minout", "maxout"))
        value = float(read(message, path))
        action = node.get("action", "scale")
        if action == "drop" and not low <= value <= high:
            return []
        if action == "clamp":
            value = min(max(value, low), high)
        elif action == "roll":
            value = (value - low) % (high - low) + low
        value = (value - low) / (high - low) * (to_high - to_low) + to_low
        value = round(value) if str(node.get("round", False)).lower() == "true" else value
        self.write(node, "msg", path, int(value) if float(value).is_integer() else value, message)
        return [(0, message)]


class _Json(Flow, abstract=True):
    """Makes a text of a value, or a value of a text, in JSON."""

    async def work(self, ctx: tf.Context, node: Mapping[str, Any], message: Message) -> list[tuple[int, Message]]:
        path = str(node.get("property") or "payload")
        value, action = read(message, path), node.get("action", "")
        if isinstance(value, str) and action != "str":
            value = json.loads(value)
        elif not isinstance(value, str) and action != "obj":
            indent = 4 if node.get("pretty") else None
            value = json.dumps(value, ensure_ascii=False, indent=indent, separators=None if indent else (",", ":"))
        self.write(node, "msg", path, value, message)
        return [(0, message)]


class _Filter(Flow, abstract=True):
    """Sends a message on only if its value is another one than before."""

    async def work(self, ctx: tf.Context, node: Mapping[str, Any], message: Message) -> list[tuple[int, Message]]:
        kept = self.memory.of_node(ctx.node.id)
        topic = str(read(message, node.get("topi") or "topic") or "") if node.get("septopics", True) else ""
        value = read(message, node.get("property") or "payload")
        first = topic not in kept
        same = not first and kept[topic] == value
        kept[topic] = value
        return [] if same or (first and node.get("func") == "rbei") else [(0, message)]


class _Delay(Flow, abstract=True):
    """Holds messages back: for a while, or so that not too many come at once."""

    async def work(self, ctx: tf.Context, node: Mapping[str, Any], message: Message) -> list[tuple[int, Message]]:
        kind = node.get("pauseType", "delay")
        if kind != "rate":
            held_back.get().set()
        if kind == "delay":
            await ctx.sleep(float(node.get("timeout") or 0) * UNITS[str(node.get("timeoutUnits", "seconds"))])
        elif kind == "delayv":
            await ctx.sleep(float(message.get("delay") or 0) / 1000)
        elif kind == "random":
            unit = UNITS[str(node.get("randomUnits", "seconds"))]
            first, last = float(node.get("randomFirst") or 1), float(node.get("randomLast") or 5)
            await ctx.sleep(random.Random(ctx.key).uniform(first, last) * unit)
        else:
            await self._in_turn(ctx, node)
        return [(0, message)]

    async def _in_turn(self, ctx: tf.Context, node: Mapping[str, Any]) -> None:
        kept = self.memory.of_node(ctx.node.id)
        unit = UNITS[
            {"second": "seconds", "minute": "minutes", "hour": "hours", "day": "days"}.get(
                str(node.get("rateUnits", "second")), "seconds"
            )
        ]
        between = float(node.get("nbRateUnits") or 1) * unit / float(node.get("rate") or 1)
        now = trio.current_time()
        due = max(now, kept.get("due", now))
        kept["due"] = due + between
        held_back.get().set()
        await ctx.sleep(due - now)


for _base, _name, _most in (
    (_Function, "function", MOST_OUTPUTS),
    (_Switch, "switch", MOST_OUTPUTS),
    (_Change, "change", 1),
    (_Template, "template", 1),
    (_Range, "range", 1),
    (_Json, "json", 1),
    (_Filter, "filter", 1),
    (_Delay, "delay", 1),
):
    declare(globals(), _base, _name, _most)
