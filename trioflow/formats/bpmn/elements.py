"""Each element as nodes: one with its id, and others for what is around it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import attrs

from trioflow.errors import did_you_mean
from trioflow.formats.bpmn import scripting
from trioflow.formats.bpmn.bus import Wait
from trioflow.formats.bpmn.document import ACTIVITIES, EVENTS, GATEWAYS, SCOPES, Definitions, FlowNode
from trioflow.formats.bpmn.expressions import NotUnderstood, names_in, parse
from trioflow.formats.bpmn.meaning import Meaning, called_process, foreign, identifier, inside_extensions, quoted
from trioflow.formats.bpmn.scopes import THROWN
from trioflow.formats.placeholder import Sockets, body_for, placeholder
from trioflow.formats.xml_text import Element
from trioflow.model.graph import Connection, Endpoint, GraphNode

KEY = "bpmn"
"""The key in metadata of what an import keeps for an export."""

_EXPRESSIONS = frozenset({"feel", "juel", "cel"})


ENDS = frozenset({"bpmn.terminate_end", "bpmn.error_end", "bpmn.cancel_end"})
"""What ends a scope."""


@attrs.frozen
class Around:
    """An event that ends what is around it, or goes on beside it: what is waited for, and where its token goes."""

    wait: Wait
    interrupts: bool
    target: str


class Elements(Meaning):
    """The nodes that elements become, and the wires between those of one element."""

    def __init__(self, found: Definitions) -> None:
        super().__init__(found)
        self._nodes: dict[str, GraphNode] = {}
        self._wires: list[Connection] = []

    def _core(self, node: FlowNode) -> GraphNode:  # noqa: C901 - a table of kinds
        tag, id_ = node.tag, node.id
        if tag in ("manualTask", "task"):
            return GraphNode(id_, "bpmn.task")
        if tag == "scriptTask":
            return self._script_task(node)
        if tag == "userTask":
            self._heard.setdefault(id_, "message")
            return self._waiting(id_, "bpmn.user_task", Wait(id_, "message", id_))
        if tag == "receiveTask":
            if self._after_event_gateway(node):
                return GraphNode(id_, "bpmn.task")
            return self._waiting(id_, "bpmn.receive_task", self._wait_of(node))
        if tag == "sendTask" and (node.element.get("messageRef") or id_ in self._named):
            return GraphNode(id_, "bpmn.throw_event", {"kind": "message", "name": self._message_of(node, node.element)})
        if tag in ("serviceTask", "sendTask", "businessRuleTask"):
            return self._service_task(node)
        if tag in GATEWAYS and tag != "eventBasedGateway":
            return GraphNode(id_, "bpmn.gateway", choose="first" if tag == "exclusiveGateway" else "all")
        if tag == "eventBasedGateway":
            waits = [wait for flow in node.outgoing for wait in self._waits_of(flow.target)]
            return GraphNode(id_, "bpmn.event_gateway", {"waits": [*map(attrs.asdict, waits)]})
        if tag in SCOPES:
            return GraphNode(id_, "bpmn.sub_process")
        if tag == "callActivity":
            return self._call_activity(node)
        if tag.endswith("Event"):
            return self._event(node)
        near = did_you_mean(tag, (ACTIVITIES | GATEWAYS | EVENTS) - {tag})
        return self._unknown(node, f"There is nothing for {tag!r} here", cure=near.strip())

    def _event(self, node: FlowNode) -> GraphNode:  # noqa: C901 - a table of kinds
        kind, tag, id_ = self._kind(node), node.tag, node.id
        if tag == "boundaryEvent":
            if not self._wait_of(node).kind or self._waits_for_all(node):
                return self._not_understood(node, kind)
            undone = self._undone_by_cancelling(node) if kind == "cancel" else []
            if undone:
                return GraphNode(id_, "bpmn.compensate_event", {"activities": undone})
            return GraphNode(id_, "bpmn.event")
        if tag == "startEvent":
            if self._waits_for_all(node):
                return self._not_understood(node, kind)
            begins_run = node.scope.owner is None and len(node.scope.starts) == 1
            if kind == "timer" and begins_run:
                return self._waiting(id_, "bpmn.catch_event", self._wait_of(node))
            if kind in ("message", "signal", "conditional") and begins_run:
                self._say(
                    "info",
                    "started-by",
                    str(node),
                    node.element,
                    f"A run is what its {kind} starts; give the run what comes with it as variables.",
                )
            return GraphNode(id_, "bpmn.start_event")
        if kind in ("", "link") and (kind or tag != "endEvent"):
            return GraphNode(id_, "bpmn.event")
        if tag == "intermediateCatchEvent":
            waits = [each for each in self._waits_of(node) if each.kind not in THROWN]
            if not waits:
                return self._not_understood(node, kind)
            if self._after_event_gateway(node):
                return GraphNode(id_, "bpmn.event")
            waiting = self._waiting(id_, "bpmn.catch_event", *waits)
            together = {"all": True} if self._waits_for_all(node) else {}
            return attrs.evolve(waiting, inputs={**waiting.inputs, **together})
        if tag == "endEvent" and kind == "":
            return GraphNode(id_, "bpmn.end_event")
        thrown = self._thrown_by(node)
        return attrs.evolve(thrown[0], id=id_) if thrown else self._not_understood(node, kind)

    def _thrown_by(self, node: FlowNode) -> list[GraphNode]:
        """What an event throws, one after the other; what ends it all comes last."""
        thrown = [each for each in (self._thrown(node, each) for each in self._definitions(node)) if each is not None]
        return sorted(thrown, key=lambda each: each.type in ENDS)

    def _thrown(self, node: FlowNode, definition: Element) -> GraphNode | None:
        kind, ends = definition.name.removesuffix("EventDefinition"), node.tag == "endEvent"
        if kind in ("message", "signal"):
            name = self._message_of(node, definition) if kind == "message" else self._ref(definition, "signalRef", node)
            return GraphNode(node.id, "bpmn.throw_event", {"kind": kind, "name": name})
        if kind == "escalation":
            return GraphNode(node.id, "bpmn.escalation_event", {"code": self._code(kind, definition, node)})
        if kind == "compensate":
            return GraphNode(node.id, "bpmn.compensate_event", {"activities": self._compensated(node)})
        if kind == "terminate" and ends:
            return GraphNode(node.id, "bpmn.terminate_end")
        if kind == "error" and ends:
            return GraphNode(node.id, "bpmn.error_end", {"code": self._code(kind, definition, node)})
        if kind == "cancel" and ends:
            return self._cancel_end(node)
        return None

    def _cancel_end(self, node: FlowNode) -> GraphNode:
        owner = node.scope.owner
        while owner is not None and owner.tag != "transaction":
            owner = owner.scope.owner
        if owner is None or not any(self._kind(each) == "cancel" for each in owner.boundary):
            cure = "Put it into a transaction, and attach a boundary event with a cancelEventDefinition to that."
            return self._unknown(node, "It cancels no transaction that could go on", cure=cure)
        return GraphNode(node.id, "bpmn.cancel_end")

    def _undone_by_cancelling(self, node: FlowNode) -> list[str]:
        """The activities of a transaction that can be undone, by the boundary event at which that goes on."""
        host = self._found.nodes.get(node.element.get("attachedToRef"))
        inner = host.inner.everything() if host is not None and host.inner is not None else ()
        return [each.id for each in inner if each.handler is not None]

    def _waits_for_all(self, node: FlowNode) -> bool:
        return node.element.get("parallelMultiple") == "true" and len(self._definitions(node)) > 1

    def _waiting(self, id_: str, type_: str, *waits: Wait) -> GraphNode:
        return GraphNode(id_, type_, {"waits": [*map(attrs.asdict, waits)]})

    def _script_task(self, node: FlowNode) -> GraphNode:
        script = node.element.first("script")
        text, language = (script.text if script is not None else ""), node.element.get("scriptFormat")
        result = foreign(node.element, "resultVariable")
        zeebe = inside_extensions(node.element, "script")
        if not text.strip() and zeebe is not None:
            text, result, language = zeebe.get("expression"), zeebe.get("resultVariable"), "feel"
        if not text.strip():
            return GraphNode(node.id, "bpmn.task")
        try:
            if result or language.lower() in _EXPRESSIONS:
                self._declare(names_in(parse(text)))
                if result:
                    self._declare([result])
            else:
                tree = scripting.parse_script(text, language)
                self._declare([*names_in(tree), *scripting.assigned_in(tree), *scripting.changed_in(tree)])
        except NotUnderstood as problem:
            return self._unknown(node, f"Its script is not understood: {problem}", "script-not-understood")
        if result:
            return GraphNode(node.id, "bpmn.expression_task", {"expression": text, "result": result})
        if language.lower() in ("", "python"):
            return GraphNode(node.id, "bpmn.script_task", {"script": text})
        return GraphNode(node.id, "bpmn.other_script_task", {"script": text, "language": language})

    def _service_task(self, node: FlowNode) -> GraphNode:
        """Something that is done elsewhere: what does it, the host says; or an expression that a vendor puts in."""
        expression, result = foreign(node.element, "expression"), foreign(node.element, "resultVariable")
        if expression:
            try:
                self._declare([*names_in(parse(expression)), *([result] if result else [])])
            except NotUnderstood as problem:
                return self._unknown(node, f"Its expression is not understood: {problem}", "script-not-understood")
            return GraphNode(node.id, "bpmn.expression_task", {"expression": expression, "result": result or "_"})
        what = next(
            (
                value
                for name in ("operationRef", "implementation", "class", "delegateExpression", "topic", "type")
                if (value := node.element.get(name) or foreign(node.element, name))
            ),
            "",
        )
        said = f"What it does ({what}) is not known here" if what else "What it does is not said"
        return self._unknown(node, said, "no-body")

    def _call_activity(self, node: FlowNode) -> GraphNode:
        called = called_process(node.element)
        known = {each.id: each for each in self._found.processes}
        if called in known:
            return GraphNode(node.id, "bpmn.call_activity", metadata={"calls": called})
        near = did_you_mean(called, known)
        return self._unknown(
            node, f"It calls {called!r}, and there is no such process in the document.{near}", "no-body"
        )

    def _not_understood(self, node: FlowNode, kind: str) -> GraphNode:
        """A placeholder for an event that is about something which there is not here."""
        if self._waits_for_all(node):
            return self._unknown(node, "It waits for several events at once, as only an intermediate event can")
        return self._unknown(node, f"An event of this kind ({kind or 'none'}) is not understood")

    def _unknown(self, node: FlowNode, message: str, code: str = "no-counterpart", *, cure: str = "") -> GraphNode:
        """A placeholder, with what goes in and out of it by its data associations."""
        inputs, outputs = self._associated(node)
        type_ = f"bpmn.unknown_{re.sub(r'(?<!^)(?=[A-Z])', '_', node.tag).lower()}"
        cure = f"{f'{cure} Or' if cure else 'Change it, or'} give it a body: {body_for(node.id)}"
        if type_ in ("bpmn.unknown_service_task", "bpmn.unknown_business_rule_task", "bpmn.unknown_send_task"):
            cure = f"Say what does it: {body_for(node.id)}"
        self._say("error", code, str(node), node.element, f"{message}.", cure, node=node.id)
        for name, variable in inputs.items():
            self._wires.append(Connection(Endpoint(self._reader(variable), "result"), Endpoint(node.id, name)))
        sockets = Sockets(inputs=dict.fromkeys(inputs, "any"), outputs=dict.fromkeys(outputs or ["result"], "any"))
        sets = {variable: f"out.{name}" for name, variable in outputs.items() if name.isidentifier()}
        return placeholder(node.id, type_, sockets=sockets, set=sets)

    def _reader(self, variable: str) -> str:
        """The data node that gives a variable's value."""
        id_ = f"{variable} (value)"
        if id_ not in self._nodes:
            self._nodes[id_] = GraphNode(id_, "variable.get", {"name": variable})
        return id_

    def _associated(self, node: FlowNode) -> tuple[dict[str, str], dict[str, str]]:
        """The names of an activity's data inputs and outputs, with the variables that are behind them."""
        found: list[dict[str, str]] = []
        for tag, outer, inner in (
            ("dataInputAssociation", "sourceRef", "targetRef"),
            ("dataOutputAssociation", "targetRef", "sourceRef"),
        ):
            named: dict[str, str] = {}
            for each in node.element.all(tag):
                outside, inside = each.first(outer), each.first(inner)
                if outside is not None and inside is not None:
                    own = self._found.elements.get(inside.text.strip())
                    name = (own.get("name") if own is not None else "") or inside.text.strip()
                    named[identifier(name)] = self._variable_of(outside.text.strip())
            found.append(named)
        return found[0], found[1]

    # --- what is around an activity ---

    def _repeated(self, node: FlowNode, entry: str, leaving: Endpoint) -> tuple[str, Endpoint]:
        """A standard loop, or instances."""
        loop = node.element.first("standardLoopCharacteristics")
        if loop is not None:
            condition = loop.first("loopCondition")
            text = self._expression(condition, node) if condition is not None else ""
            most = loop.get("loopMaximum")
            if most and not most.isdigit():
                self._say(
                    "error",
                    "bad-field",
                    str(node),
                    loop,
                    f"loopMaximum={most!r} is not a whole number.",
                    "Write one, such as 3.",
                )
                most = "0"
            inputs = {"condition": text, "before": loop.get("testBefore") == "true", "most": int(most or "0")}
            id_ = self._add(f"{node.id} (loop)", "bpmn.loop", inputs)
            self._wires.append(Connection(Endpoint(id_, "body"), Endpoint(entry, "enter")))
            return id_, Endpoint(id_, "then")
        several = node.element.first("multiInstanceLoopCharacteristics")
        if several is None:
            return entry, leaving
        inputs = self._instances(node, several)
        ending = {name: value for name, value in inputs.items() if name in ("output", "results")}
        inputs.pop("output")
        inputs = {name: value for name, value in inputs.items() if value}
        id_ = self._add(f"{node.id} (instances)", "bpmn.multi_instance", inputs)
        self._wires.append(Connection(Endpoint(id_, "body"), Endpoint(entry, "enter")))
        if inputs.get("until") or inputs.get("results"):
            end = self._add(
                f"{node.id} (instance end)",
                "bpmn.instance_end",
                {name: value for name, value in ending.items() if value},
            )
            self._wires.append(Connection(leaving, Endpoint(end, "enter")))
        return id_, Endpoint(id_, "then")

    def _instances(self, node: FlowNode, said: Element) -> dict[str, Any]:
        def text_of(name: str) -> str:
            element = said.first(name)
            return self._expression(element, node) if element is not None else ""

        def variable(name: str) -> str:
            element = said.first(name)
            if element is None:
                return ""
            text = element.get("name") or element.text.strip() or element.get("id")
            return self._variable_of(self._outside_of(node, text))

        zeebe = inside_extensions(said, "loopCharacteristics")
        vendor = {
            "items": foreign(said, "collection") or (zeebe.get("inputCollection") if zeebe is not None else ""),
            "item": foreign(said, "elementVariable") or (zeebe.get("inputElement") if zeebe is not None else ""),
            "results": zeebe.get("outputCollection") if zeebe is not None else "",
            "output": zeebe.get("outputElement") if zeebe is not None else "",
        }
        found: dict[str, Any] = {
            "count": text_of("loopCardinality"),
            "items": variable("loopDataInputRef") or vendor["items"],
            "item": variable("inputDataItem") or vendor["item"],
            "results": variable("loopDataOutputRef") or vendor["results"],
            "output": variable("outputDataItem") or vendor["output"].strip().lstrip("="),
            "sequential": said.get("isSequential") == "true",
            "until": text_of("completionCondition"),
        }
        for name in ("items",):
            if found[name]:
                self._understood(found[name], node, said)
        self._declare(each for each in (found["item"], found["results"], found["output"]) if each.isidentifier())
        if found["results"]:
            self._variables[found["results"]] = "append"
        if not found["count"] and not found["items"]:
            self._say(
                "error",
                "bad-field",
                str(node),
                said,
                "How many instances there are is not said.",
                "Give it a loopCardinality, or a loopDataInputRef.",
            )
            found["count"] = "0"
        return found

    def _around(self, id_: str, entries: list[str], around: list[Around]) -> tuple[str, Endpoint]:
        """A guard around what begins at these nodes; events that do not interrupt wait beside it."""
        interrupting = [each for each in around if each.interrupts]
        beside = [each for each in around if not each.interrupts]
        inputs = {
            "waits": [attrs.asdict(each.wait) for each in interrupting],
            "beside": [attrs.asdict(each.wait) for each in beside if each.wait.kind == "escalation"],
        }
        guard = self._add(id_, "bpmn.guard", {name: value for name, value in inputs.items() if value})
        self._wires += (Connection(Endpoint(guard, "body"), Endpoint(each, "enter")) for each in entries)
        targets = {each.wait.element: each.target for each in interrupting}
        for element, target in targets.items():
            when = f"out.event == {quoted(element)}" if len(targets) > 1 else None
            self._wires.append(Connection(Endpoint(guard, "caught"), Endpoint(target, "enter"), when=when))
        if not beside:
            return guard, Endpoint(guard, "then")
        watched = self._add(f"{id_} (watched)", "bpmn.watched")
        self._wires.append(Connection(Endpoint(watched, "then"), Endpoint(guard, "enter")))
        self._wires.append(Connection(Endpoint(watched, "session"), Endpoint(guard, "session")))
        for each in beside:
            watch = self._add(f"{each.wait.element} (watch)", "bpmn.watch", {"waits": [attrs.asdict(each.wait)]})
            self._wires.append(Connection(Endpoint(watched, "then"), Endpoint(watch, "enter")))
            self._wires.append(Connection(Endpoint(watched, "session"), Endpoint(watch, "session")))
            self._wires.append(Connection(Endpoint(watch, "caught"), Endpoint(each.target, "enter")))
            if each.wait.kind != "timer" or each.wait.form == "cycle":
                self._wires.append(Connection(Endpoint(watch, "caught"), Endpoint(watch, "enter")))
        return watched, Endpoint(guard, "then")

    # --- nodes ---

    def _add(
        self,
        id_: str,
        type_: str,
        inputs: Mapping[str, Any] | None = None,
        *,
        metadata: Mapping[str, Any] | None = None,
    ) -> str:
        id_ = self._own_id(id_) if id_ in self._nodes else id_
        self._nodes[id_] = GraphNode(id_, type_, inputs or {}, metadata=metadata or {})
        return id_

    def _own_id(self, id_: str) -> str:
        found, number = id_, 2
        while found in self._nodes or found in self._found.nodes:
            found, number = f"{id_} {number}", number + 1
        return found
