"""From a BPMN document to a workflow: each element a node with its id, each sequence flow a wire.

What an activity has around it (boundary events, a loop, instances) are nodes of their own, named after it. Tokens of a
sub-process are a scope; that of a called process, too, whose elements stand in the graph once, whoever calls them.
"""

from __future__ import annotations

import re
from contextlib import suppress
from typing import Any

import attrs

from trioflow.formats.bpmn import scripting
from trioflow.formats.bpmn.cel import as_cel
from trioflow.formats.bpmn.common import DONE
from trioflow.formats.bpmn.document import (
    ACTIVITIES,
    MODEL,
    SCOPES,
    Definitions,
    Flow,
    FlowNode,
    Scope,
    read_definitions,
)
from trioflow.formats.bpmn.elements import ENDS, KEY, Around, Elements
from trioflow.formats.bpmn.expressions import NotUnderstood, names_in, parse, understands
from trioflow.formats.bpmn.meaning import as_tree, called_process, quoted
from trioflow.formats.bpmn.stuck import stuck_in
from trioflow.formats.port import Imported
from trioflow.formats.xml_text import Element, read_xml
from trioflow.model.graph import Connection, CustomEvent, Endpoint, Graph, GraphNode, Variable
from trioflow.semantics.topology import knots

MOST = 1_000_000
"""So many turns an element may have in a circle."""

_ACTIVATION = re.compile(r"\s*activationCount\s*(>=|>|==?)\s*(\d+)\s*")
_TAKES_VALUES = frozenset({"bpmn.user_task", "bpmn.receive_task", "bpmn.catch_event"})
"""Elements that set whatever comes with a message."""

_JOINS = {"parallelGateway": "parallel", "inclusiveGateway": "inclusive"}
"""How gateways take tokens; everything else takes each for itself."""


class Importer(Elements):
    """Makes the workflow that the elements of a document say; `text` is that of the document, which the graph keeps."""

    def __init__(self, found: Definitions, text: str) -> None:
        super().__init__(found)
        self._text = text
        self._entry: dict[str, str] = {}
        self._exit: dict[str, Endpoint] = {}
        self._begins: set[str] = set()
        self._extensions: dict[str, int] = {}
        self._asked: frozenset[str] = frozenset()
        """The variables that are in the conditions of events."""
        self._ends_scopes = any(
            each.tag == "endEvent"
            and any(inner.name in ("terminateEventDefinition", "errorEventDefinition") for inner in each.definitions)
            for each in found.nodes.values()
        )

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

    # --- which processes ---

    def _starting(self) -> list[Scope]:
        """The processes that a run runs: those that may, that nobody calls, and that no message of another starts."""
        found = self._found
        called = {called_process(each.element) for each in found.nodes.values() if each.tag == "callActivity"}
        targets = {each.get("targetRef") for each in found.element.everything() if each.name == "messageFlow"}
        free = [
            each
            for each in found.processes
            if each.id not in called and not (each.starts and all(start.id in targets for start in each.starts))
        ]
        free = free or found.processes[:1]
        may = [each for each in free if each.element.get("isExecutable") != "false" and each.nodes] or free
        pools = {each.get("processRef") for each in found.element.everything() if each.name == "participant"}
        together = [each for each in may if each.id in pools]
        if len(may) > 1 and len(together) < len(may):
            may = [may[0], *(each for each in together if each is not may[0])]
            others = [each.id for each in free if each not in may]
            self._say(
                "info",
                "several-processes",
                f"process {may[0].id!r}",
                may[0].element,
                f"It is run. {', '.join(map(repr, others))}: not, as nothing starts them.",
            )
        return may

    def _open(self, process: Scope, *, runs: bool) -> None:
        """Where a process begins."""
        if not runs:
            return
        entries = self._entries_of(process)
        events = self._event_scopes(process)
        if self._ends_scopes or events:
            self._add(process.id, "bpmn.process", metadata={KEY: {"element": "process"}})
            self._begins.add(process.id)
            self._fill_scope(process, process.id, entries, events)
        elif len(entries) > 1 and process.starts and all(each.definitions for each in process.starts):
            self._begins.add(self._choice_of_starts(process))
        else:
            self._begins.update(entries)

    def _entries_of(self, scope: Scope) -> list[str]:
        """The nodes where tokens begin in a process or sub-process."""
        starts = [each for each in scope.starts if not each.definitions] or scope.starts
        if starts:
            return [self._entry[each.id] for each in starts]
        free = [
            each
            for each in scope.nodes
            if not each.incoming and each.id in self._entry and each.tag != "boundaryEvent"
            and not each.is_compensation and not each.is_event_scope
        ]  # fmt: skip
        return self._in_turn(scope, free) or [self._entry[each.id] for each in free]

    def _in_turn(self, scope: Scope, free: list[FlowNode]) -> list[str]:
        """Where the activities of an ad-hoc sub-process begin, if they are to be done one after the other."""
        condition = scope.element.first("completionCondition")
        if scope.element.name != "adHocSubProcess" or scope.owner is None:
            return []
        if condition is None and scope.element.get("ordering") != "Sequential":
            return []
        until = self._expression(condition, scope.owner) if condition is not None else ""
        if until and scope.element.get("ordering") != "Sequential":
            self._say(
                "info",
                "in-turn",
                str(scope.owner),
                scope.element,
                "Its activities are done one after the other, and its completion condition is asked in between.",
            )
        inputs = {"elements": [each.id for each in free], "until": until}
        id_ = self._add(
            f"{scope.id} (in turn)", "bpmn.ad_hoc", {name: value for name, value in inputs.items() if value}
        )
        for each in free:
            when = f"out.element == {quoted(each.id)}"
            self._wires.append(Connection(Endpoint(id_, "body"), Endpoint(self._entry[each.id], "enter"), when=when))
        return [id_]

    def _in_conditions(self) -> frozenset[str]:
        found: set[str] = set()
        for node in self._found.nodes.values():
            for each in self._definitions(node):
                condition = each.first("condition") if each.name == "conditionalEventDefinition" else None
                if condition is not None:
                    with suppress(NotUnderstood):  # which is said where the event is read
                        found |= {*names_in(parse(condition.text.strip()))}
        return frozenset(found)

    def _choice_of_starts(self, process: Scope) -> str:
        """Several start events, each for an event of its own: the first that comes starts the process."""
        waits = [wait for each in process.starts for wait in self._waits_of(each)]
        id_ = self._add(f"{process.id} (starts)", "bpmn.event_gateway", {"waits": [*map(attrs.asdict, waits)]})
        for each in process.starts:
            when = f'out.event == "{each.id}"'
            self._wires.append(Connection(Endpoint(id_, "caught"), Endpoint(self._entry[each.id], "enter"), when=when))
        return id_

    def _event_scopes(self, scope: Scope) -> list[Around]:
        """The sub-processes in it that an event starts."""
        found: list[Around] = []
        for node in scope.nodes:
            if node.is_event_scope and node.inner is not None:
                for start in node.inner.starts:
                    interrupts = start.element.get("isInterrupting") != "false"
                    found += (Around(wait, interrupts, self._entry[node.id]) for wait in self._waits_of(start))
        return found

    def _fill_scope(self, scope: Scope, id_: str, entries: list[str], events: list[Around]) -> None:
        """Let what is inside begin behind `body`, with what waits beside it."""
        body = Endpoint(id_, "body")
        if events:
            inner = self._around(f"{id_} (events)", entries, events)
            self._wires.append(Connection(body, Endpoint(inner[0], "enter")))
        else:
            self._wires += (Connection(body, Endpoint(each, "enter")) for each in entries)
        if not entries and scope.nodes:
            self._say(
                "warning",
                "no-start",
                f"{scope.element.name} {scope.id!r}",
                scope.element,
                "No token begins in it: it has no start event, and each element has an incoming flow.",
                "Add a start event.",
            )

    # --- elements ---

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
        elif core.type == "bpmn.script_task" and "result" not in core.inputs:
            text, language = (str(core.inputs.get(each, "")) for each in ("script", "language"))
            names = self._asked & {*scripting.touched_by(text, language)[1]}
        else:
            names = self._asked & {*core.set, core.inputs.get("result")}
        if not names:
            return leaving
        id_ = self._add(f"{core.id} (told)", "bpmn.changed", {"names": sorted(names)})
        self._wires.append(Connection(leaving, Endpoint(id_, "enter")))
        return Endpoint(id_, "then")

    # --- flows ---

    def _connect_all(self, scope: Scope) -> None:
        for node in scope.nodes:
            if node.id not in self._exit:
                continue
            if node.tag in SCOPES and node.inner is not None and self._nodes[node.id].type == "bpmn.sub_process":
                self._connect_all(node.inner)
                self._fill_scope(node.inner, node.id, self._entries_of(node.inner), self._event_scopes(node.inner))
            called = self._nodes[node.id].metadata.get("calls")
            if called is not None:
                process = next(each for each in self._found.processes if each.id == called)
                self._fill_scope(process, node.id, self._entries_of(process), self._event_scopes(process))
            self._leave(node)
            self._throw(node)
        for node in scope.nodes:
            if node.tag == "intermediateThrowEvent" and self._kind(node) == "link":
                self._link(node)

    def _leave(self, node: FlowNode) -> None:
        """The wires away from an element."""
        leaving = self._exit[node.id]
        conditional = [flow for flow in node.outgoing if flow.condition is not None and not flow.is_default]
        ignores = node.tag in ("parallelGateway", "eventBasedGateway")
        for flow in node.outgoing:
            target = self._entry.get(flow.target.id)
            if target is None:
                self._say(
                    "error",
                    "bad-flow",
                    f"sequenceFlow {flow.id!r}",
                    flow.element,
                    f"It leads to {flow.target}, which no flow can lead to.",
                    "Remove it.",
                )
                continue
            start, when, otherwise = leaving, None, False
            if node.tag == "eventBasedGateway":
                start, when = Endpoint(node.id, "caught"), f"out.event == {quoted(flow.target.id)}"
            elif ignores and flow.condition is not None:
                self._say(
                    "info",
                    "condition-ignored",
                    f"sequenceFlow {flow.id!r}",
                    flow.element,
                    "It leaves a parallel gateway, which takes all ways: its condition does not count.",
                )
            elif flow.is_default:
                otherwise = bool(conditional)
            elif flow.condition is not None:
                when = self._condition(flow)
            self._wires.append(Connection(start, Endpoint(target, "enter"), when=when, otherwise=otherwise))
        if node.tag == "inclusiveGateway" and len(conditional) == len(node.outgoing) and conditional:
            none = self._add(f"{node.id} (no way)", "bpmn.no_way", {"element": node.id})
            self._wires.append(Connection(leaving, Endpoint(none, "enter"), otherwise=True))

    def _condition(self, flow: Flow) -> str:
        assert flow.condition is not None
        path = f"sequenceFlow {flow.id!r}"
        element = flow.element.first("conditionExpression") or flow.element
        language = flow.language
        try:
            if not understands(language):
                raise NotUnderstood(f"its language is {language}")
            tree = parse(flow.condition)
            self._declare(names_in(tree))
            return as_cel(flow.condition)
        except NotUnderstood as problem:
            self._say(
                "error",
                "condition-not-understood",
                path,
                element,
                f"The condition {flow.condition!r} is not understood: {problem}.",
                "Write it in CEL, FEEL, JUEL or Python: names, numbers, texts, comparisons, and, or, not.",
            )
            return "false"

    def _throw(self, node: FlowNode) -> None:
        """Where a compensation event leads to."""
        if self._nodes[node.id].type != "bpmn.compensate_event":
            return
        for id_ in self._nodes[node.id].inputs["activities"]:
            handler = self._found.nodes[id_].handler
            if handler is None or handler.id not in self._entry:
                self._say(
                    "error",
                    "no-handler",
                    str(node),
                    node.element,
                    f"Nothing undoes {id_!r}.",
                    "Give it a boundary event for compensation, with an association to what undoes it.",
                )
                continue
            self._wires.append(
                Connection(
                    Endpoint(node.id, "undo"),
                    Endpoint(self._entry[handler.id], "enter"),
                    when=f"out.activity == {quoted(id_)}",
                )
            )

    def _link(self, node: FlowNode) -> None:
        name = self._definitions(node)[0].get("name")
        for other in node.scope.nodes:
            is_link = other.tag == "intermediateCatchEvent" and self._kind(other) == "link"
            if is_link and self._definitions(other)[0].get("name") == name:
                self._wires.append(Connection(self._exit[node.id], Endpoint(self._entry[other.id], "enter")))
                return
        self._say(
            "error",
            "unknown-element",
            str(node),
            node.element,
            f"There is no link event {name!r} to go on at.",
            "Add an intermediateCatchEvent with a linkEventDefinition of this name.",
        )

    # --- pools ---

    def _connect_pools(self) -> None:
        """A message that starts a process of the document is a wire to where that begins."""
        for flow in (each for each in self._found.element.everything() if each.name == "messageFlow"):
            source, target = (self._found.nodes.get(flow.get(name)) for name in ("sourceRef", "targetRef"))
            if source is None or target is None or target.tag != "startEvent" or source.id not in self._exit:
                continue
            entry = self._entry[target.id]
            process = target.scope
            if self._ends_scopes or self._event_scopes(process):
                entry = process.id
                if entry not in self._nodes:
                    self._add(entry, "bpmn.process", metadata={KEY: {"element": "process"}})
                    self._fill_scope(process, entry, self._entries_of(process), self._event_scopes(process))
            self._wires.append(Connection(self._exit[source.id], Endpoint(entry, "enter")))

    # --- the whole ---

    def _configure_joins(self) -> None:
        """How elements take tokens: each for itself, but at gateways that join."""
        into: dict[str, int] = {}
        data = [*self._variables]
        for wire in self._wires:
            if wire.target.socket == "enter":
                into[wire.target.node] = into.get(wire.target.node, 0) + 1
        circles = self._in_circles()
        for id_, node in self._nodes.items():
            element = node.metadata.get(KEY, {}).get("element")
            changes: dict[str, Any] = {}
            if into.get(id_, 0) > 1:
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
        self._order_joins([id_ for id_ in self._nodes if id_ in circles and into.get(id_, 0) > 1])

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

    def _order_joins(self, joins: list[str]) -> None:
        """Let joins of a circle stand in the order in which tokens come to them.

        Where several of them have tokens and wait for one another, the first in the graph goes on (W6).
        """
        if len(joins) < 2:
            return
        out: dict[str, list[str]] = {}
        for wire in self._wires:
            if wire.target.socket == "enter":
                out.setdefault(wire.source.node, []).append(wire.target.node)
        passed: list[str] = []
        seen: set[str] = set()
        for begin in sorted(self._begins):
            todo = [(begin, iter([begin]))]
            while todo:
                _, others = todo[-1]
                following = next((each for each in others if each not in seen), None)
                if following is None:
                    passed.append(todo.pop()[0])
                else:
                    seen.add(following)
                    todo.append((following, iter(out.get(following, ()))))
        place = {id_: -index for index, id_ in enumerate(passed)}
        ordered = iter(sorted(joins, key=lambda each: place.get(each, 0)))
        moved = {*joins}
        ids = [next(ordered) if each in moved else each for each in self._nodes]
        self._nodes = {each: self._nodes[each] for each in ids}

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

    def _in_circles(self) -> frozenset[str]:
        numbers = {id_: number for number, id_ in enumerate(self._nodes)}
        edges: dict[int, list[int]] = {}
        for wire in self._wires:
            if wire.target.socket == "enter":
                edges.setdefault(numbers[wire.source.node], []).append(numbers[wire.target.node])
        ids = [*self._nodes]
        return frozenset(ids[each] for circle in knots(edges) for each in circle)

    def _close_what_is_not_reached(self) -> None:
        """Nodes to which no token can come begin nothing by themselves, and are said."""
        out: dict[str, list[str]] = {}
        into: set[str] = set()
        for wire in self._wires:
            if wire.target.socket == "enter":
                out.setdefault(wire.source.node, []).append(wire.target.node)
                into.add(wire.target.node)
        reached = set(self._begins)
        waiting = [*reached]
        while waiting:
            for each in out.get(waiting.pop(), ()):
                if each not in reached:
                    reached.add(each)
                    waiting.append(each)
        lost: list[FlowNode] = []
        for id_, node in self._nodes.items():
            if id_ in reached or node.type == "variable.get":
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
