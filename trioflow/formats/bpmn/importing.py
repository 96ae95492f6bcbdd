"""From a BPMN document to a workflow: each element a node with its id, each sequence flow a wire.

What an activity has around it (boundary events, a loop, instances) are nodes of their own, named after it. Tokens of a
sub-process are a scope; that of a called process, too, whose elements stand in the graph once, whoever calls them.
"""

from __future__ import annotations

import re
from collections import Counter
from contextlib import suppress
from typing import Any

import attrs

from trioflow.formats.bpmn.common import DONE
from trioflow.formats.bpmn.document import (
    ACTIVITIES,
    MODEL,
    Definitions,
    FlowNode,
    Scope,
    read_definitions,
)
from trioflow.formats.bpmn.elements import ENDS, KEY, Around
from trioflow.formats.bpmn.expressions import NotUnderstood, names_in, parse
from trioflow.formats.bpmn.flows import Flows
from trioflow.formats.bpmn.meaning import as_tree, quoted
from trioflow.formats.bpmn.scripting import script_of
from trioflow.formats.bpmn.stuck import stuck_in
from trioflow.formats.bpmn.tokens import in_circles, in_order, reached
from trioflow.formats.port import Imported
from trioflow.formats.xml_text import Element, read_xml
from trioflow.model.graph import Connection, CustomEvent, Endpoint, Graph, GraphNode, Variable

MOST = 1_000_000
"""So many turns an element may have in a circle."""

_ACTIVATION = re.compile(r"\s*activationCount\s*(>=|>|==?)\s*(\d+)\s*")
_TAKES_VALUES = frozenset({"bpmn.user_task", "bpmn.receive_task", "bpmn.catch_event"})
"""Elements that set whatever comes with a message."""

_JOINS = {"parallelGateway": "parallel", "inclusiveGateway": "inclusive"}
"""How gateways take tokens; everything else takes each for itself."""


class Importer(Flows):
    """Makes the workflow that the elements of a document say; `text` is that of the document, which the graph keeps."""

    def __init__(self, found: Definitions, text: str) -> None:
        super().__init__(found)
        self._text = text
        self._extensions: dict[str, int] = {}
        self._asked: frozenset[str] = frozenset()
        """The variables that are in the conditions of events."""

    @classmethod
    def of(cls, text: str, source: str, root: Element | None = None) -> Importer:
        """For a text. Raises `DocumentError` for what is no BPMN 2.0."""
        root = root if root is not None else read_xml(text, source=source)
        return cls(read_definitions(root, source), text)

    @property
    def elements(self) -> frozenset[str]:
        """The ids of the elements of the document."""
        return frozenset(self._found.nodes)

    @property
    def entries(self) -> dict[str, str]:
        """The element to which a token comes at a node, by the ids of nodes."""
        return {entry: id_ for id_, entry in self._entry.items()}

    @property
    def exits(self) -> dict[str, str]:
        """The element that a token leaves at an exec output, written `node.socket`."""
        return {
            f"{end.node}.caught" if self._found.nodes[id_].tag == "eventBasedGateway" else str(end): id_
            for id_, end in self._exit.items()
        }

    def imported(self) -> Imported:
        """The workflow, once."""
        starting = self._starting()
        self._read_message_flows()
        self._read_data()
        self._asked = self._in_conditions()
        for process in self._found.processes:
            self._place_all(process)
        for process in self._found.processes:
            self._connect_all(process)
        for process in self._found.processes:
            self._open(process, runs=process in starting)
        self._connect_pools()
        self._configure_joins()
        self._say_what_is_stuck()
        self._close_what_is_not_reached()
        for name, kind in self._heard.items():
            self._add(f"{name} (from outside)", "bpmn.listen", {"event": name, "kind": kind})
        for namespace, count in self._extensions.items():
            self._say(
                "info",
                "extension",
                f"namespace {namespace!r}",
                None,
                f"{count} extensions are kept, and not carried out, but where the page about BPMN says so.",
            )
        graph = Graph(
            kind="workflow",
            on_error="collect",
            nodes=tuple(self._nodes.values()),
            connections=self._wires,
            variables=[
                Variable(name, "list" if merge == "append" else "any", [] if merge == "append" else None, merge)
                for name, merge in self._variables.items()
            ],
            events=[CustomEvent(name) for name in self._heard],
            metadata={KEY: self._frame()},
        )
        return Imported(graph, self._said)

    def _in_conditions(self) -> frozenset[str]:
        found: set[str] = set()
        for node in self._found.nodes.values():
            for each in self._definitions(node):
                condition = each.first("condition") if each.name == "conditionalEventDefinition" else None
                if condition is not None:
                    with suppress(NotUnderstood):  # which is said where the event is read
                        found |= {*names_in(parse(condition.text.strip()))}
        return frozenset(found)

    def _place_all(self, scope: Scope) -> None:
        for node in scope.nodes:
            self._keep_extensions(node)
            if node.inner is not None:
                self._place_all(node.inner)
            self._place(node)

    def _place(self, node: FlowNode) -> None:
        """The nodes that an element becomes, and where tokens come in and go out."""
        if node.tag == "boundaryEvent" and self._kind(node) == "compensate":
            return
        core = self._core(node)
        if node.handler is not None:
            self._variables[DONE] = "append"
            core = attrs.evolve(core, set={**core.set, DONE: f"vars.{DONE} + [{quoted(node.id)}]"})
        metadata: dict[str, Any] = {"element": node.tag}
        if node.name:
            metadata["name"] = node.name
        extensions = node.element.first("extensionElements")
        if extensions is not None:
            metadata["extensions"] = [as_tree(each) for each in extensions.children]
        bounds = self._found.placed.get(node.id)
        if bounds is not None:
            metadata["bounds"] = list(bounds)
        self._nodes[core.id] = attrs.evolve(core, metadata={**core.metadata, KEY: metadata})
        entry, leaving = core.id, self._tell_change(core, self._throw_more(node, core))
        if node.tag in ACTIVITIES:
            entry, leaving = self._repeated(node, entry, leaving)
            boundary = [
                Around(wait, each.element.get("cancelActivity") != "false", each.id)
                for each in node.boundary
                if self._kind(each) != "compensate" and not self._waits_for_all(each)
                for wait in self._waits_of(each)
            ]
            if boundary:
                entry, leaving = self._around(f"{node.id} (guard)", [entry], boundary)
        self._entry[node.id], self._exit[node.id] = entry, leaving

    def _throw_more(self, node: FlowNode, core: GraphNode) -> Endpoint:
        """What an event throws after the first; gives where the token goes on."""
        leaving = Endpoint(core.id, "then")
        if node.tag not in ("endEvent", "intermediateThrowEvent"):
            return leaving
        for each in self._thrown_by(node)[1:]:
            id_ = self._add(self._own_id(f"{node.id} (also)"), each.type, each.inputs)
            self._wires.append(Connection(leaving, Endpoint(id_, "enter")))
            leaving = Endpoint(id_, "then")
        return leaving

    def _tell_change(self, core: GraphNode, leaving: Endpoint) -> Endpoint:
        """Let those hear of it that wait for a condition about variables which this element sets."""
        if core.type in _TAKES_VALUES:
            names = self._asked
        elif core.type in ("bpmn.script_task", "bpmn.other_script_task"):
            text, language = (str(core.inputs.get(each, "")) for each in ("script", "language"))
            names = self._asked & {*script_of(text, language).written}
        else:
            names = self._asked & {*core.set, core.inputs.get("result")}
        if not names:
            return leaving
        id_ = self._add(f"{core.id} (told)", "bpmn.changed", {"names": sorted(names)})
        self._wires.append(Connection(leaving, Endpoint(id_, "enter")))
        return Endpoint(id_, "then")

    def _configure_joins(self) -> None:
        """How elements take tokens: each for itself, but at gateways that join."""
        into = Counter(wire.target.node for wire in self._wires if wire.target.socket == "enter")
        data = [*self._variables]
        circles = in_circles(self._nodes, self._wires)
        for id_, node in self._nodes.items():
            element = node.metadata.get(KEY, {}).get("element")
            changes: dict[str, Any] = {}
            if into[id_] > 1:
                changes["join"] = _JOINS.get(element, "each")
                if element == "parallelGateway":
                    changes["unmet"] = "fail"
                elif element == "complexGateway":
                    changes |= self._activated(self._found.nodes[id_], into[id_])
            if id_ in circles:
                changes["most"] = MOST
            if (node.type in ENDS or node.type == "bpmn.escalation_event") and data:
                changes["inputs"] = {**node.inputs, "data": data}
            if changes:
                self._nodes[id_] = attrs.evolve(node, **changes)
        joins = [id_ for id_ in self._nodes if id_ in circles and into[id_] > 1]
        if len(joins) > 1:
            self._nodes = {id_: self._nodes[id_] for id_ in in_order(self._nodes, self._wires, self._begins, joins)}

    def _activated(self, node: FlowNode, flows: int) -> dict[str, Any]:
        """How a complex gateway takes tokens, by its activation condition."""
        condition = node.element.first("activationCondition")
        if condition is None:
            return {"join": "inclusive"}
        found = _ACTIVATION.fullmatch(condition.text.strip().removeprefix("${").removeprefix("=").removesuffix("}"))
        most = int(found[2]) + (found[1] in (">", "&gt;")) if found is not None else 0
        if not 0 < most <= flows:
            self._say(
                "error",
                "condition-not-understood",
                str(node),
                condition,
                f"Its activation condition {condition.text.strip()!r} is none that can be met by {flows} flows.",
                f"Say how many tokens it needs, 1 to {flows}: activationCount >= {flows}.",
            )
            most = flows
        return {"join": "parallel", "unmet": "fail"} if most == flows else {"join": "first", "min": most}

    def _say_what_is_stuck(self) -> None:
        inner = [node.inner for node in self._found.nodes.values() if node.inner is not None]
        for scope in (*self._found.processes, *inner):
            for join, reason in stuck_in(scope):
                self._say(
                    "warning",
                    "stuck",
                    str(join),
                    join.element,
                    f"It waits for a token over each of its flows, and {reason} takes one way only.",
                    "Join with the kind of gateway that the ways were parted with.",
                )

    def _close_what_is_not_reached(self) -> None:
        """Nodes to which no token can come begin nothing by themselves, and are said."""
        into = {wire.target.node for wire in self._wires if wire.target.socket == "enter"}
        there = reached(self._wires, self._begins)
        lost: list[FlowNode] = []
        for id_, node in self._nodes.items():
            if id_ in there or node.type == "variable.get":
                if id_ in self._begins and id_ in into:
                    self._nodes[id_] = attrs.evolve(node, initiator=True)
                continue
            self._nodes[id_] = attrs.evolve(node, initiator=False)
            known = self._found.nodes.get(id_)
            if known is not None and not known.is_compensation:
                lost.append(known)
        self._say_what_is_lost(lost)

    def _say_what_is_lost(self, lost: list[FlowNode]) -> None:
        """Elements to which no token can come: of those one behind the other the first, and in a circle all."""
        behind = {flow.target.id for each in lost for flow in each.outgoing}
        for node in [each for each in lost if each.id not in behind] or lost:
            self._say(
                "warning",
                "no-token",
                str(node),
                node.element,
                f"No token can come to it{', nor to what is behind it' if node.outgoing else ''}.",
                "Lead a flow to it from what is reached, or remove it.",
            )

    def _frame(self) -> dict[str, Any]:
        root = self._found.element
        names = {each.id: each.element.get("name") for each in self._found.processes}
        return {
            "document": self._text, "id": root.get("id"), "targetNamespace": root.get("targetNamespace"),
            "processes": {each.id: names[each.id] for each in self._found.processes},
        }  # fmt: skip

    def _keep_extensions(self, node: FlowNode) -> None:
        for each in node.element.everything():
            if each.namespace not in ("", MODEL) and each.namespace:
                self._extensions[each.namespace] = self._extensions.get(each.namespace, 0) + 1
            if node.inner is not None:
                break
