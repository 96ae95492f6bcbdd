# Parts of messages, of any type.
# pyright: reportUnknownLambdaType=false
"""Nodes that make several messages of one, and one of several: split, join, batch, sort."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from typing import Any

import trioflow as tf
from trioflow.formats import javascript
from trioflow.formats.nodered.nodes.flow import Flow, Message, declare
from trioflow.formats.nodered.paths import read


class _Split(Flow, abstract=True):
    """Sends the parts of a text, list or mapping, one after the other."""

    async def work(self, ctx: tf.Context, node: Mapping[str, Any], message: Message) -> list[tuple[int, Message]]:
        path = str(node.get("property") or "payload")
        value = read(message, path)
        by = str(node.get("splt", "\\n")).replace("\\n", "\n").replace("\\t", "\t")
        more: dict[str, Any] = {"type": "array"}
        keys: list[str] = []
        if isinstance(value, str):
            parts: list[Any] = (
                value.split(by) if node.get("spltType", "str") == "str" else _pieces(value, int(node.get("splt") or 1))
            )
            more = {"type": "string", "ch": by if node.get("spltType", "str") == "str" else ""}
        elif isinstance(value, dict):
            keys, parts = [*value], [*value.values()]
            more = {"type": "object"}
        elif isinstance(value, list):
            size = int(node.get("arraySplt") or 1)
            parts = [*value] if size == 1 else [value[at : at + size] for at in range(0, len(value), size)]
            more["len"] = size
        else:
            return [(0, message)]
        sends: list[tuple[int, Message]] = []
        for index, part in enumerate(parts):
            each = copy.deepcopy(message)
            self.write(node, "msg", path, part, each)
            each["parts"] = {"id": ctx.key, "index": index, "count": len(parts), **more}
            if "parts" in message:
                each["parts"]["parts"] = message["parts"]
            if keys:
                each["parts"]["key"] = keys[index]
                if node.get("addname"):
                    self.write(node, "msg", str(node["addname"]), keys[index], each)
            sends.append((0, each))
        return sends


def _pieces(text: str, size: int) -> list[str]:
    return [text[at : at + size] for at in range(0, len(text), size)]


class _Join(Flow, abstract=True):
    """Makes one message of several: the parts of one that was split, or as many as are wanted."""

    async def work(self, ctx: tf.Context, node: Mapping[str, Any], message: Message) -> list[tuple[int, Message]]:
        kept = self.memory.of_node(ctx.node.id)
        parts: Mapping[str, Any] = message.get("parts") or {}
        automatic = node.get("mode", "auto") == "auto"
        if automatic and not parts:
            return []
        path = str(node.get("property") or "payload")
        whole = node.get("propertyType") == "full" and not automatic
        value = {key: each for key, each in message.items() if key != "_msgid"} if whole else read(message, path)
        group = str(parts.get("id", "")) if automatic or not node.get("count") else ""
        found = kept.setdefault(group, [])
        key = parts.get("key") if automatic else read(message, node.get("key") or "topic")
        if node.get("build") == "object" and not automatic:
            found[:] = [each for each in found if each[1] != key]
        found.append((parts.get("index", len(found)), key, value))
        wanted = int((parts.get("count") if automatic else node.get("count")) or parts.get("count") or 0)
        if not (message.get("complete") or (wanted and len(found) >= wanted)):
            return []
        del kept[group]
        found.sort(key=lambda each: each[0])
        kind = (
            {"array": "array", "object": "object", "string": "string"}[str(parts.get("type", "array"))]
            if automatic
            else str(node.get("build", "array"))
        )
        values = [each[2] for each in found]
        joined: Any = values
        if kind == "string":
            by = (
                parts.get("ch", "")
                if automatic
                else str(node.get("joiner", "\\n")).replace("\\n", "\n").replace("\\t", "\t")
            )
            joined = by.join(map(javascript.as_text, values))
        elif kind == "object":
            joined = {javascript.as_text(key): value for _, key, value in found}
        elif kind == "merged":
            joined = {key: value for each in values if isinstance(each, dict) for key, value in each.items()}
        elif automatic and parts.get("len", 1) > 1:
            joined = [item for each in values for item in each]
        outer = parts.get("parts")
        message.pop("parts", None)
        if outer is not None:
            message["parts"] = outer
        self.write(node, "msg", path, joined, message)
        return [(0, message)]


class _Batch(Flow, abstract=True):
    """Makes groups of so many messages, numbered as parts, which may overlap."""

    async def work(self, ctx: tf.Context, node: Mapping[str, Any], message: Message) -> list[tuple[int, Message]]:
        kept: list[Message] = self.memory.of_node(ctx.node.id).setdefault("messages", [])
        kept.append(message)
        size, overlap = int(node.get("count") or 1), int(node.get("overlap") or 0)
        if len(kept) < size:
            return []
        group = [copy.deepcopy(each) for each in kept]
        del kept[: size - overlap]
        for index, each in enumerate(group):
            each["parts"] = {"id": ctx.key, "index": index, "count": size, "type": "array"}
        return [(0, each) for each in group]


class _Sort(Flow, abstract=True):
    """Sorts a list in the message."""

    async def work(self, ctx: tf.Context, node: Mapping[str, Any], message: Message) -> list[tuple[int, Message]]:
        path, key = str(node.get("target") or "payload"), str(node.get("msgKey") or node.get("seqKey") or "")
        items = read(message, path)
        if isinstance(items, list):
            kind = str(node.get("msgKeyType", "elem"))
            as_key: Callable[[Any], Any] = float if node.get("as_num") else str

            def by(item: Any) -> Any:
                if kind == "jsonata":
                    return as_key(self.value(ctx, node, kind, key, item))
                return as_key(read(item, key) if kind != "elem" and isinstance(item, dict) else item)

            found = sorted(items, key=by, reverse=node.get("order") == "descending")
            self.write(node, "msg", path, found, message)
        return [(0, message)]


for _base, _name, _most in (
    (_Split, "split", 1),
    (_Join, "join", 1),
    (_Batch, "batch", 1),
    (_Sort, "sort", 1),
):
    declare(globals(), _base, _name, _most)
