"""Sequence flows, links, compensation and flows of messages between pools, as wires."""

from __future__ import annotations

from trioflow.formats.bpmn.cel import as_cel
from trioflow.formats.bpmn.document import (
    SCOPES,
    Flow,
    FlowNode,
    Scope,
)
from trioflow.formats.bpmn.elements import KEY
from trioflow.formats.bpmn.expressions import NotUnderstood, names_in, parse, understands
from trioflow.formats.bpmn.meaning import quoted
from trioflow.formats.bpmn.starts import Starts
from trioflow.model.graph import Connection, Endpoint


class Flows(Starts):
    """Makes the wires between elements."""

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
