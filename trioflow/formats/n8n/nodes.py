"""The nodes of workflows of n8n: each takes the items that the node before has left, and leaves lists of items.

What nodes have left is in the variable `data`, by their names and outputs; `last` says which was the last one.
"""

from __future__ import annotations

import copy
import json
import sys
from collections.abc import Mapping
from typing import Any, ClassVar, cast

import trioflow as tf
from trioflow.errors import NodeError
from trioflow.formats import javascript
from trioflow.formats.n8n.expressions import Item, Outputs, filled, names_for, read, write
from trioflow.formats.n8n.lists import (
    aggregated,
    assigned,
    conditions_of,
    converted,
    holds,
    meets,
    merged,
    ordered,
    routed,
    split_out,
    without_repetitions,
)
from trioflow.formats.n8n.moments import moment_in

Said = Mapping[str, Any]
NOW = "now"
"""When a node began, beside what the document says of it."""


class WorkflowError(NodeError):
    """A workflow says that something is wrong."""


class _Node(tf.Node, abstract=True):
    enter = tf.ExecIn()
    node: tf.DataIn[Any] = tf.DataIn(dict, default={}, doc="what the document says of it")
    counts: tf.DataOut[Any] = tf.DataOut(list, doc="how many items there are at each output")
    then = tf.ExecOut()

    async def execute(self, ctx: tf.Context) -> tf.ExecOut:
        node: Said = await ctx.get_input(self.node)
        node = {**node, NOW: moment_in(ctx.now(), node.get("timezone", ""))}
        data: dict[str, Outputs] = ctx.get_variable("data") or {}
        came = (ctx.get_variable("last") or {}).get("node", "")
        sources: list[list[Any]] = node.get("sources", [])
        from_last = [each for each in sources if each[0] == came]
        items = copy.deepcopy([item for name, output in from_last[:1] for item in _output(data, name, output)])
        if node.get("executeOnce"):
            items = items[:1]
        try:
            outputs = [items] if node.get("disabled") else await self.work(ctx, node, items, data)
        except Exception as error:
            on_error = node.get("onError", "continueRegularOutput" if node.get("continueOnFail") else "stopWorkflow")
            if on_error == "stopWorkflow":
                raise
            outputs = (
                [[{"error": str(error)}]]
                if on_error == "continueRegularOutput"
                else [[], [{**each, "error": str(error)} for each in items]]
            )
        if node.get("alwaysOutputData") and not any(outputs):
            outputs = [[{}]]
        outputs += [[] for _ in range(int(node.get("outputs", 1)) - len(outputs))]
        name = str(node.get("name", ctx.node.id))
        ctx.set_variable("data", {**(ctx.get_variable("data") or {}), name: outputs})
        ctx.set_variable("last", {"node": name})
        ctx.set_output(self.counts, [*map(len, outputs)])
        if node.get("shown"):
            for each in (item for output in outputs for item in output):
                print(json.dumps(each, ensure_ascii=False, default=str))  # noqa: T201 - what is left in the end
        return self.then

    async def work(self, ctx: tf.Context, node: Said, items: list[Item], data: Mapping[str, Outputs]) -> Outputs:
        """What it leaves, by its outputs."""
        raise NotImplementedError

    @staticmethod
    def each(node: Said, items: list[Item], data: Mapping[str, Outputs]) -> list[tuple[Item, Said]]:
        """The items, each with the parameters as they are for it."""
        said = node.get("parameters", {})
        return [(item, filled(said, names_for(items, at, data, node[NOW]))) for at, item in enumerate(items)]

    @staticmethod
    def once(node: Said, items: list[Item], data: Mapping[str, Outputs]) -> Said:
        """The parameters as they are for the first item."""
        return cast("Said", filled(node.get("parameters", {}), names_for(items, 0, data, node[NOW])))


def _output(data: Mapping[str, Outputs], name: str, output: int) -> list[Item]:
    outputs = data.get(name, [])
    return outputs[output] if output < len(outputs) else []


class Trigger(_Node, id="n8n.trigger", durable="replayed"):
    """Where a workflow begins: with the data that is pinned to it, or what the variable `input` holds."""

    async def work(self, ctx: tf.Context, node: Said, items: list[Item], data: Mapping[str, Outputs]) -> Outputs:
        given = node.get("pinned") or ctx.get_variable("input")
        listed: list[Any] = copy.deepcopy(given) if isinstance(given, list) else [given or {}]
        return [[each.get("json", each) if isinstance(each, dict) else {"value": each} for each in listed]]


class Pass(_Node, id="n8n.pass", durable="replayed"):
    """Passes items on."""

    async def work(self, ctx: tf.Context, node: Said, items: list[Item], data: Mapping[str, Outputs]) -> Outputs:
        return [items]


class Set(_Node, id="n8n.set", durable="replayed"):
    """Sets fields of items."""

    async def work(self, ctx: tf.Context, node: Said, items: list[Item], data: Mapping[str, Outputs]) -> Outputs:
        found: list[Item] = []
        for item, said in self.each(node, items, data):
            if said.get("mode") == "raw":
                raw = said.get("jsonOutput", "{}")
                more = json.loads(raw) if isinstance(raw, str) else raw
                found.append({**(item if said.get("includeOtherFields") else {}), **more})
                continue
            listed = (said.get("assignments") or {}).get("assignments")
            keeps = bool(said.get("includeOtherFields"))
            if listed is None:  # versions 1 and 2
                keeps = not said.get("keepOnlySet")
                listed = [
                    {**each, "type": kind} for kind, values in (said.get("values") or {}).items() for each in values
                ]
            fields = [
                (str(each.get("name", "")), converted(each.get("value"), str(each.get("type", "")))) for each in listed
            ]
            found.append(assigned(item, fields, keeps=keeps))
        return [found]


def _condition(node: Said, said: Said) -> bool:
    conditions: Any = said.get("conditions") or {}
    options = conditions.get("options") or {}
    of_old = not isinstance(conditions.get("conditions"), list)
    joined = said.get("combineOperation", "all") == "any" if of_old else conditions.get("combinator", "and") == "or"
    ignores = options.get("caseSensitive") is False or (said.get("options") or {}).get("ignoreCase") is True
    return meets(conditions_of(conditions), joined, ignores)


class If(_Node, id="n8n.if", durable="replayed"):
    """Items for which conditions hold at the first output, others at the second."""

    async def work(self, ctx: tf.Context, node: Said, items: list[Item], data: Mapping[str, Outputs]) -> Outputs:
        outputs: Outputs = [[], []]
        for item, said in self.each(node, items, data):
            outputs[not _condition(node, said)].append(item)
        return outputs


class Filter(_Node, id="n8n.filter", durable="replayed"):
    """Items for which conditions hold."""

    async def work(self, ctx: tf.Context, node: Said, items: list[Item], data: Mapping[str, Outputs]) -> Outputs:
        return [[item for item, said in self.each(node, items, data) if _condition(node, said)]]


class Switch(_Node, id="n8n.switch", durable="replayed"):
    """Items at the output whose rule holds: the first, or all; others at that for what is left, or nowhere."""

    async def work(self, ctx: tf.Context, node: Said, items: list[Item], data: Mapping[str, Outputs]) -> Outputs:
        outputs: Outputs = []
        for item, said in self.each(node, items, data):
            options: Said = said.get("options") or {}
            ways: list[int] = []
            if said.get("mode") == "expression":
                ways = [int(said.get("output") or 0)]
            elif "values" in (said.get("rules") or {}):
                rules = said["rules"]["values"]
                ways = [number for number, rule in enumerate(rules) if _condition(node, rule)]
                ways = ways if options.get("allMatchingOutputs") else ways[:1]
                fallback = options.get("fallbackOutput", "none")
                ways = ways or ([len(rules)] if fallback == "extra" else [int(fallback)] if fallback != "none" else [])
            else:
                rules = (said.get("rules") or {}).get("rules", [])
                found = (
                    int(rule.get("output") or 0)
                    for rule in rules
                    if holds(str(rule.get("operation", "equal")), said.get("value1"), rule.get("value2"))
                )
                fallback = int(said.get("fallbackOutput", -1))
                way = next(found, fallback)
                ways = [way] if way >= 0 else []
            for way in ways:
                routed(way + 1, way, item, outputs)
        return outputs


class Merge(_Node, id="n8n.merge", durable="replayed"):
    """Joins the items of several inputs."""

    async def work(self, ctx: tf.Context, node: Said, items: list[Item], data: Mapping[str, Outputs]) -> Outputs:
        inputs = [
            [item for name, output in sources for item in _output(data, name, output)] for sources in node["inputs"]
        ]
        return [
            merged(
                node["mode"],
                copy.deepcopy(inputs),
                {**self.once(node, inputs[0], data), "fields": node.get("fields", [])},
            )
        ]


class Limit(_Node, id="n8n.limit", durable="replayed"):
    """The first or the last items."""

    async def work(self, ctx: tf.Context, node: Said, items: list[Item], data: Mapping[str, Outputs]) -> Outputs:
        said = self.once(node, items, data)
        most = int(said.get("maxItems", 1))
        return [items[-most:] if said.get("keep") == "lastItems" else items[:most]]


class Sort(_Node, id="n8n.sort", durable="replayed"):
    """Items in order."""

    async def work(self, ctx: tf.Context, node: Said, items: list[Item], data: Mapping[str, Outputs]) -> Outputs:
        fields = (self.once(node, items, data).get("sortFieldsUi") or {}).get("sortField", ())
        return [
            ordered(items, [(str(each.get("fieldName", "")), each.get("order") == "descending") for each in fields])
        ]


class RemoveDuplicates(_Node, id="n8n.remove_duplicates", durable="replayed"):
    """Items without those that were there before."""

    async def work(self, ctx: tf.Context, node: Said, items: list[Item], data: Mapping[str, Outputs]) -> Outputs:
        said = self.once(node, items, data)
        names = _names(said.get("fieldsToCompare")) if said.get("compare") == "selectedFields" else []
        return [without_repetitions(items, names)]


def _names(said: Any) -> list[str]:
    if isinstance(said, Mapping):  # of old
        fields: Any = said.get("fields", ())
        said = ",".join(str(each.get("fieldName")) for each in fields)
    return [each.strip() for each in str(said or "").split(",") if each.strip()]


class SplitOut(_Node, id="n8n.split_out", durable="replayed"):
    """An item for each entry of a list."""

    async def work(self, ctx: tf.Context, node: Said, items: list[Item], data: Mapping[str, Outputs]) -> Outputs:
        said = self.once(node, items, data)
        named = str((said.get("options") or {}).get("destinationFieldName") or "")
        keeps = said.get("include", "noOtherFields") != "noOtherFields"
        return [split_out(items, _names(said.get("fieldToSplitOut")), keeps=keeps, named=named)]


class Aggregate(_Node, id="n8n.aggregate", durable="replayed"):
    """All items as one."""

    async def work(self, ctx: tf.Context, node: Said, items: list[Item], data: Mapping[str, Outputs]) -> Outputs:
        return [aggregated(items, self.once(node, items, data))]


class RenameKeys(_Node, id="n8n.rename_keys", durable="replayed"):
    """Items with fields of other names."""

    async def work(self, ctx: tf.Context, node: Said, items: list[Item], data: Mapping[str, Outputs]) -> Outputs:
        for item, said in self.each(node, items, data):
            for each in (said.get("keys") or {}).get("key", ()):
                old, new = str(each.get("currentKey", "")), str(each.get("newKey", ""))
                if read(item, old) is not None:
                    write(item, new, item.pop(old) if old in item else read(item, old))
        return [items]


class Loop(_Node, id="n8n.loop", durable="replayed"):
    """Items in batches, one after the other; when all have come back, all that came at the other output."""

    first: ClassVar[str] = "loops"

    async def work(self, ctx: tf.Context, node: Said, items: list[Item], data: Mapping[str, Outputs]) -> Outputs:
        said, kept = self.once(node, items, data), dict(ctx.get_variable(self.first) or {})
        state: Mapping[str, Any] | None = kept.get(ctx.node.id)
        left, done = (items, []) if state is None else (state["left"], [*state["done"], *items])
        size = int(said.get("batchSize") or (1 if node.get("version", 1) >= 3 else 10))
        batch, left = left[:size], left[size:]
        kept[ctx.node.id] = {"left": left, "done": done} if batch else None
        ctx.set_variable(self.first, kept)
        outputs: Outputs = [[], batch] if batch else [done, []]
        return outputs if node.get("version", 1) >= 3 else outputs[::-1]


class Code(_Node, id="n8n.code", durable="replayed"):
    """Runs plain JavaScript for each item."""

    async def work(self, ctx: tf.Context, node: Said, items: list[Item], data: Mapping[str, Outputs]) -> Outputs:
        program = javascript.program(str(node["script"]))

        def log(*values: Any) -> None:
            sys.stderr.write(" ".join(map(javascript.as_text, values)) + "\n")

        found: list[Item] = []
        for at, item in enumerate(items):
            names = names_for(items, at, data, node[NOW])
            returned = javascript.run(program, {**names, "item": {"json": item}}, {"console.log": log})
            if not isinstance(returned, dict):
                raise WorkflowError(f"The code of {ctx.node.id!r} returned {returned!r}, which is not an item.")
            found.append(returned.get("json", returned))
        return [found]


class Wait(_Node, id="n8n.wait", durable="replayed"):
    """Waits for a while."""

    async def work(self, ctx: tf.Context, node: Said, items: list[Item], data: Mapping[str, Outputs]) -> Outputs:
        said = self.once(node, items, data)
        unit = {"seconds": 1, "minutes": 60, "hours": 3600, "days": 86400}[str(said.get("unit", "hours"))]
        await ctx.sleep(float(said.get("amount", 1)) * unit)
        return [items]


class StopAndError(_Node, id="n8n.stop_and_error", durable="replayed"):
    """Fails."""

    async def work(self, ctx: tf.Context, node: Said, items: list[Item], data: Mapping[str, Outputs]) -> Outputs:
        said = self.once(node, items, data)
        raise WorkflowError(str(said.get("errorMessage") or said.get("errorObject") or "The workflow says so."))


class Call(_Node, id="n8n.call", durable="replayed"):
    """A node whose work something else does, which is behind `body`, gets the items, and leaves others."""

    given: tf.DataOut[Any] = tf.DataOut(list, doc="the items")
    parameters: tf.DataOut[Any] = tf.DataOut(dict, doc="the parameters as they are for the first item")
    body = tf.ExecOut()

    async def work(self, ctx: tf.Context, node: Said, items: list[Item], data: Mapping[str, Outputs]) -> Outputs:
        await ctx.trigger(self.body, {self.given: items, self.parameters: dict(self.once(node, items, data))})
        found: Any = ctx.get_variable("found")
        listed: list[Any] = found if isinstance(found, list) else [] if found is None else [found]
        return [[each if isinstance(each, dict) else {"value": each} for each in listed]]
