"""What is written in an element: the event that it is about, expressions, data, and what it refers to.

What is found wrong is said with its place, all at once; what is named becomes variables, messages and signals.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from trioflow.errors import did_you_mean
from trioflow.formats.bpmn.bus import Wait
from trioflow.formats.bpmn.common import SEEN
from trioflow.formats.bpmn.document import MODEL, Definitions, FlowNode
from trioflow.formats.bpmn.evaluation import FUNCTIONS
from trioflow.formats.bpmn.expressions import NotUnderstood, names_in, parse, understands
from trioflow.formats.port import Diagnostic, Severity
from trioflow.formats.xml_text import Element
from trioflow.model.duration import parse_duration

_TIMES = {"timeDuration": "duration", "timeDate": "date", "timeCycle": "cycle"}


class Meaning:
    """The elements of a document, as they are read one by one."""

    def __init__(self, found: Definitions) -> None:
        self._found = found
        self._said: list[Diagnostic] = [*found.problems]
        self._variables: dict[str, str] = {}
        """The variables, and how concurrent writes to them are merged."""
        self._heard: dict[str, str] = {}
        """Messages and signals that somebody waits for, with their kinds."""
        self._named: dict[str, str] = {}
        """Names of messages that only a message flow says, by the element at either end."""

    # --- events ---

    def _definitions(self, node: FlowNode) -> list[Element]:
        """What an event is about, also by reference to what is defined outside."""
        found = node.definitions
        for each in node.element.all("eventDefinitionRef"):
            element = self._found.elements.get(each.text.strip().rpartition(":")[2])
            if element is None:
                self._missing(node, each, "eventDefinitionRef", each.text.strip())
            else:
                found.append(element)
        return found

    def _kind(self, node: FlowNode) -> str:
        """What an event is about: `message`, `timer` and so on; nothing for none."""
        found = self._definitions(node)
        return found[0].name.removesuffix("EventDefinition") if found else ""

    def _wait_of(self, node: FlowNode) -> Wait:
        """What an element waits for; without a kind, if that is nothing that can be waited for."""
        return next(iter(self._waits_of(node)), Wait(node.id, ""))

    def _waits_of(self, node: FlowNode) -> list[Wait]:
        """The same for an event that may be about several things."""
        if node.tag == "receiveTask":
            name = self._message_of(node, node.element)
            self._heard.setdefault(name, "message")
            return [Wait(node.id, "message", name)]
        return [wait for each in self._definitions(node) if (wait := self._wait(node, each)).kind]

    def _wait(self, node: FlowNode, definition: Element) -> Wait:
        kind = definition.name.removesuffix("EventDefinition")
        if kind == "timer":
            return self._timer(node, definition)
        if kind == "message":
            name = self._message_of(node, definition)
            self._heard.setdefault(name, "message")
            return Wait(node.id, "message", name)
        if kind == "signal":
            name = self._ref(definition, "signalRef", node)
            self._heard.setdefault(name, "signal")
            self._variables.setdefault(SEEN, "union")
            return Wait(node.id, "signal", name)
        if kind == "conditional":
            return self._conditional(node, definition)
        if kind in ("error", "escalation"):
            return Wait(node.id, kind, self._code(kind, definition, node))
        if kind == "cancel":
            return Wait(node.id, kind)
        return Wait(node.id, "")

    def _conditional(self, node: FlowNode, definition: Element) -> Wait:
        condition = definition.first("condition")
        text = self._expression(condition, node) if condition is not None else ""
        if not text:
            self._say(
                "error",
                "bad-field",
                str(node),
                definition,
                "Its condition is not said.",
                "Give it a condition, such as <condition>${amount &gt; 100}</condition>.",
            )
            return Wait(node.id, "")
        self._variables.setdefault(SEEN, "union")
        return Wait(node.id, "conditional", text)

    def _timer(self, node: FlowNode, definition: Element) -> Wait:
        for tag, form in _TIMES.items():
            element = definition.first(tag)
            if element is None:
                continue
            text = element.text.strip()
            if text.startswith(("$", "#", "=")):
                text = self._expression(element, node)
                text = text if text.startswith(("$", "#", "=")) else f"={text}"
            elif form != "date":
                try:
                    parse_duration(re.sub(r"^R\d*/", "", text))
                except ValueError as error:
                    self._say(
                        "error",
                        "bad-field",
                        str(node),
                        element,
                        f"{tag} is {text!r}: {error}.",
                        "Write a duration such as PT5S, R3/PT10S for one that repeats, or an expression ${...}.",
                    )
            return Wait(node.id, "timer", text, form)
        self._say(
            "error",
            "bad-field",
            str(node),
            definition,
            "Its timer says no time.",
            "Give it a timeDuration, a timeDate or a timeCycle.",
        )
        return Wait(node.id, "timer", "PT0S", "duration")

    def _after_event_gateway(self, node: FlowNode) -> bool:
        """Whether an event gateway has waited for its event already."""
        before = [flow.source.tag == "eventBasedGateway" for flow in node.incoming]
        if any(before) and not all(before):
            self._say(
                "error",
                "event-gateway",
                str(node),
                node.element,
                "A flow leads to it from an event gateway, and another from elsewhere.",
                "Let the event gateway lead to an event of its own.",
            )
        return any(before)

    def _message_of(self, node: FlowNode, element: Element) -> str:
        if element.get("messageRef"):
            return self._ref(element, "messageRef", node)
        if node.id not in self._named and not element.get("messageRef"):
            self._say("info", "no-name", str(node), element, f"Its message has no name: it is called {node.id!r}.")
        return self._named.get(node.id, node.id)

    def _ref(self, element: Element, attribute: str, node: FlowNode) -> str:
        """The name of the message or signal that is referred to."""
        id_ = element.get(attribute)
        found = self._found.elements.get(id_.rpartition(":")[2])
        if found is None:
            self._missing(node, element, attribute, id_)
            return id_ or node.id
        return found.get("name") or found.get("id")

    def _code(self, kind: str, definition: Element, node: FlowNode) -> str:
        """The code of the error or the escalation that is referred to; nothing for any."""
        id_ = definition.get(f"{kind}Ref")
        if not id_:
            return ""
        found = self._found.elements.get(id_.rpartition(":")[2])
        if found is None:
            self._missing(node, definition, f"{kind}Ref", id_)
            return id_
        return found.get(f"{kind}Code") or found.get("name") or id_

    def _missing(self, node: FlowNode, element: Element, attribute: str, id_: str) -> None:
        known = [each for each, found in self._found.elements.items() if found.name in attribute]
        near = did_you_mean(id_, known)
        self._say(
            "error",
            "unknown-element",
            str(node),
            element,
            f"{attribute}={id_!r} is not there.",
            f"Refer to an element of the document.{near}",
        )

    def _compensated(self, node: FlowNode) -> list[str]:
        """The activities that a compensation event undoes: one that it names, or all of its scope and inside."""
        definition = self._definitions(node)[0]
        named = definition.get("activityRef")
        if named and named not in self._found.nodes:
            self._missing(node, definition, "activityRef", named)
            return []
        if named:
            meant = self._found.nodes[named]
            if meant.handler is not None or meant.inner is None:
                return [named]
            return [each.id for each in meant.inner.everything() if each.handler is not None]
        scope = node.scope
        if scope.owner is not None and scope.owner.is_event_scope:
            scope = scope.owner.scope
        return [each.id for each in scope.everything() if each.handler is not None]

    def _read_message_flows(self) -> None:
        """Messages that have no name are known by the flow that carries them."""
        for flow in (each for each in self._found.element.everything() if each.name == "messageFlow"):
            ends = [self._found.nodes.get(flow.get(name)) for name in ("sourceRef", "targetRef")]
            named = [
                self._ref(element, "messageRef", node)
                for node in ends
                if node is not None
                for element in (node.element, *node.definitions)
                if element.get("messageRef")
            ]
            for node in ends:
                if node is not None:
                    self._named.setdefault(node.id, named[0] if named else flow.get("name") or flow.get("id"))

    # --- data ---

    def _read_data(self) -> None:
        for element in self._found.element.everything():
            if element.namespace == MODEL and element.name in ("dataObject", "property"):
                name = element.get("name") or element.get("id")
                if name.isidentifier():
                    self._declare([name])

    def _variable_of(self, reference: str) -> str:
        """The variable of a data object, or of a reference to one."""
        element = self._found.elements.get(reference)
        if element is not None and element.name == "dataObjectReference" and element.get("dataObjectRef"):
            element = self._found.elements.get(element.get("dataObjectRef"), element)
        name = reference if element is None else element.get("name") or element.get("id")
        name = identifier(name)
        self._declare([name])
        return name

    def _outside_of(self, node: FlowNode, reference: str) -> str:
        """What is behind a data input or output of an activity."""
        for tag, inner, outer in (
            ("dataInputAssociation", "targetRef", "sourceRef"),
            ("dataOutputAssociation", "sourceRef", "targetRef"),
        ):
            for each in node.element.all(tag):
                inside, outside = each.first(inner), each.first(outer)
                if inside is not None and outside is not None and inside.text.strip() == reference:
                    return outside.text.strip()
        return reference

    def _declare(self, names: Iterable[str]) -> None:
        for name in names:
            if name not in FUNCTIONS and name not in ("range", "print"):
                self._variables.setdefault(name, "last")

    def _expression(self, element: Element, node: FlowNode) -> str:
        text = element.text.strip()
        if not understands(element.get("language")):
            self._say(
                "error",
                "condition-not-understood",
                str(node),
                element,
                f"{text!r} is in {element.get('language')}, which is not understood.",
                "Write it in CEL or FEEL.",
            )
            return "null"
        return text if self._understood(text, node, element) else "null"

    def _understood(self, text: str, node: FlowNode, element: Element) -> bool:
        try:
            self._declare(names_in(parse(text)))
        except NotUnderstood as problem:
            self._say(
                "error",
                "condition-not-understood",
                str(node),
                element,
                f"The expression {text!r} is not understood: {problem}.",
                "Write it in CEL, FEEL, JUEL or Python.",
            )
            return False
        return True

    # --- telling ---

    def _say(
        self, severity: Severity, code: str, path: str, element: Element | None, message: str, cure: str = "", *,
        node: str = "",
    ) -> None:  # fmt: skip
        position = element.position if element is not None else None
        said = Diagnostic(severity, code, path, message, cure, node=node, position=position)
        if said not in self._said[-4:]:
            self._said.append(said)


def quoted(text: str) -> str:
    """A text in CEL."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def identifier(name: str) -> str:
    """The name of a variable that is nearest to a name."""
    found = re.sub(r"\W", "_", name)
    return found if found.isidentifier() else f"_{found}"


def foreign(element: Element, name: str) -> str:
    """An attribute that a vendor has put in, whoever it is."""
    return next((value for key, value in element.attributes.items() if key.endswith("}" + name)), "")


def inside_extensions(element: Element, name: str) -> Element | None:
    """An element that a vendor has put in."""
    extensions = element.first("extensionElements")
    return extensions.first(name) if extensions is not None else None


def called_process(element: Element) -> str:
    """The id of the process that a call activity calls, without a prefix; by Zeebe it stands in an extension."""
    zeebe = inside_extensions(element, "calledElement")
    called = element.get("calledElement") or (zeebe.get("processId") if zeebe is not None else "")
    return called.rpartition(":")[2]


def as_tree(element: Element) -> dict[str, Any]:
    """An element as JSON."""
    found: dict[str, Any] = {"name": element.name, "namespace": element.namespace}
    if element.attributes:
        found["attributes"] = dict(element.attributes)
    if element.text.strip():
        found["text"] = element.text.strip()
    if element.children:
        found["children"] = [as_tree(each) for each in element.children]
    return found
