"""Conditions: custom, by turns, by nodes that have been executed, by the answer of a model."""

from __future__ import annotations

from typing import Any

from trioflow.formats.dipeo.diagram import Node
from trioflow.formats.dipeo.draft import CONVERSATION, Draft, Made
from trioflow.formats.dipeo.expressions import Untranslatable, translate
from trioflow.formats.dipeo.inputs import collect_inputs, default_source
from trioflow.formats.dipeo.persons import memory_of
from trioflow.formats.dipeo.prompts import render_prompt
from trioflow.formats.dipeo.turns import BY_TURNS, most_turns
from trioflow.formats.fields import Fields, kind
from trioflow.model.graph import Connection, Endpoint, GraphNode, Variable


def condition_node(draft: Draft, node: Node, fields: Fields) -> Made:
    """A node that is left by one of two ways."""
    types = ("custom", BY_TURNS, "check_nodes_executed", "llm_decision")
    said = fields.choice("condition_type", types, "custom")
    if "condition_type" not in fields:
        draft.notes.error("bad-value", fields.at("condition_type"), f"{node.label!r} does not say what it decides by.")
    if said == "llm_decision":
        return llm_decision(draft, node, fields)
    condition: str | None
    if said == BY_TURNS:
        condition = f"turn >= {most_turns(draft, node)}"
    elif said == "check_nodes_executed":
        condition = nodes_executed(draft, node, fields)
    else:
        condition = custom_condition(draft, node, fields)
    inputs = collect_inputs(draft, node)
    draft.add(GraphNode(node.label, "state.keep", {"value": {}}))
    draft.connections.append(Connection(inputs, Endpoint(node.label, "value")))
    made = draft.plain(node.label, "kept")
    made.value = default_source(draft, node)
    set_ways(draft, made, condition)
    return made


def set_ways(draft: Draft, made: Made, condition: str | None) -> None:
    """Say under which conditions a node is left by its two handles."""
    if condition is not None:
        made.when = {"condtrue": condition, "condfalse": f"!({condition})"}


def nodes_executed(draft: Draft, node: Node, fields: Fields) -> str | None:
    """The condition that all of some nodes have run."""
    said = fields.items("node_indices") or fields.items("target_nodes")
    names: list[str] = []
    for each in said:
        if not isinstance(each, str) or each not in draft.by_label:
            draft.notes.error("unknown-node", fields.at("target_nodes"), f"There is no node {kind(each)}.")
            continue
        if each not in draft.executed:
            name = draft.executed[each] = f"executed_{len(draft.executed) + 1}"
            draft.variables[name] = Variable(name, "bool", default=False, doc=f"whether {each!r} has run")
            if each in draft.place:
                draft.mark_executed(each)
        names.append(f"vars.{draft.executed[each]}")
    if not names:
        draft.notes.error("condition", node.path, f"{node.label!r} names no nodes to look at.")
        return None
    return " && ".join(names)


def custom_condition(draft: Draft, node: Node, fields: Fields) -> str | None:
    """The condition that an expression says; None where it can't be translated."""
    text = fields.text("expression")
    labels = draft.labels(node)

    def resolve(name: str) -> str | None:
        if name in labels:
            return f'out.kept["{name}"]'
        if name in draft.variables:
            return f"vars.{name}"
        if "default" in labels:
            draft.once("names in conditions that no arrow brings are taken from what came without a label", node.path)
            return f'out.kept["default"].{name}'
        return None

    try:
        if not text:
            raise Untranslatable("it is missing")
        return translate(text, resolve)
    except Untranslatable as error:
        cure = "It may compare, and have and, or, not, arithmetic, len() and what arrows bring."
        draft.notes.error("condition", fields.at("expression"), f"{text!r} can't be translated: {error}.", cure)
        return None


def llm_decision(draft: Draft, node: Node, fields: Fields) -> Made:
    """A condition that a model decides."""
    prompt, file = fields.text("judge_by"), fields.text("judge_by_file")
    schema = {
        "type": "object", "properties": {"decision": {"type": "boolean"}}, "required": ["decision"],
    }  # fmt: skip
    inputs: dict[str, Any] = {"schema": schema, "memory": memory_of(draft, fields), "conversation": CONVERSATION}
    draft.variables.setdefault(CONVERSATION, Variable(CONVERSATION, "list", []))
    person = fields.text("person")
    if person:
        inputs["person"] = person
    if file or not prompt:
        draft.notes.error("bad-value", fields.at("judge_by"), f"{node.label!r} does not say what it decides by.")
    last = render_prompt(draft, node, None, prompt or "Yes or no?", "")
    draft.add(GraphNode(node.label, "person.ask", inputs))
    draft.link(last, node.label)
    draft.wire(f"{node.label} prompt", "result", node.label, "prompt")
    made = Made(f"{node.label} prompt", Endpoint(node.label, "then"), default_source(draft, node))
    set_ways(draft, made, "out.result.decision")
    return made
