"""Nodes that control: IfElse, Switch, ForEach, While, Timer, Noop."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import attrs

from trioflow.formats.executionengine.conditions import names_at, translated
from trioflow.formats.executionengine.definition import BODY, Node
from trioflow.formats.executionengine.inputs import compute, feed
from trioflow.formats.executionengine.level import Level
from trioflow.formats.fields import kind
from trioflow.model.graph import Connection, Endpoint, GraphNode


def pass_on(level: Level, node: Node, settings: dict[str, Any]) -> GraphNode:
    """A node that goes on with what it got."""
    node.result = Endpoint(node.id, "kept")
    made = GraphNode(node.id, "state.keep", {"value": {}}, **settings)
    feed(level, node, "value", made)
    return made


def timer(level: Level, node: Node, settings: dict[str, Any]) -> GraphNode:
    """A node where runs start."""
    fields = node.fields
    schedule = fields.text("schedule")
    fields.flag("triggerOnStart", False)
    when = f"{schedule!r} says when" if schedule else "Nothing says when"
    message = f"{when} runs start: here it is whoever starts them, and {node.id!r} is where they start."
    level.notes.info("differs", node.path, message)
    return pass_on(level, node, settings)


def if_else(level: Level, node: Node, settings: dict[str, Any]) -> GraphNode:
    """A node that is left by one of two ports."""
    condition = translated(level, node, "condition", names_at(level, node))
    node.exits |= dict.fromkeys(("truebranch", "falsebranch", "true", "false"), "then")
    if condition is not None:
        node.conditions = dict.fromkeys(("truebranch", "true"), condition)
        node.conditions |= dict.fromkeys(("falsebranch", "false"), f"!({condition})")
    return pass_on(level, node, settings)


def switch(level: Level, node: Node, settings: dict[str, Any]) -> GraphNode:
    """A node that is left by one of its ports."""
    expression = translated(level, node, "expression", names_at(level, node))
    cases: dict[str, list[str]] = {}
    for value, port in node.fields.mapping("cases").items():
        if isinstance(port, str):
            cases.setdefault(port.lower(), []).append(value)
        else:
            at = f"{node.fields.at('cases')}.{value}"
            level.notes.error("bad-value", at, f"Expected the name of a port, got {kind(port)}.")
    node.exits |= dict.fromkeys((*cases, "default"), "then")
    if expression is not None:
        held = {port: any_of(expression, values) for port, values in cases.items()}
        node.conditions = dict(held)
        if "default" not in held:
            every = " || ".join(held.values())
            node.conditions["default"] = f"!({every})" if every else "true"
    return pass_on(level, node, settings)


def for_each(level: Level, node: Node, settings: dict[str, Any]) -> GraphNode:
    """A node that repeats its body for each item."""
    node.exits = {"": "done", BODY: "body", "complete": "done"}
    name = node.fields.text("itemVariableName", "item")
    made = GraphNode(node.id, "flow.for_each", **settings)
    raw = node.fields.take("collectionExpression")
    if isinstance(raw, list):
        made = attrs.evolve(made, inputs={"items": raw})
    else:
        compute(level, node, "collectionExpression", "items")
    item = level.helper(f"{node.id} {name}", "value.collect", config={"inputs": {"item": name}})
    level.connections.append(Connection(Endpoint(node.id, "item"), Endpoint(item, "item")))
    node.result = Endpoint(item, "result")
    return made


def while_(level: Level, node: Node, settings: dict[str, Any]) -> GraphNode:
    """A node that repeats its body while a condition holds."""
    node.exits = {"": "done", BODY: "body", "complete": "done"}
    most = node.fields.whole("maxIterations", 1000, least=1)
    compute(level, node, "conditionExpression", "condition")
    node.result = None
    return GraphNode(node.id, "flow.while", {"most": most}, **settings)


def any_of(expression: str, values: Sequence[str]) -> str:
    """The condition that an expression is one of some values."""
    quoted = [value.replace("\\", "\\\\").replace('"', '\\"') for value in values]
    return " || ".join(f'string({expression}) == "{each}"' for each in quoted)
