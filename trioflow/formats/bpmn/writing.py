"""Elements of BPMN in the tree of a document: put in, taken out, connected; everything else stays as it is."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

import attrs

from trioflow.formats.bpmn.document import MODEL
from trioflow.formats.bpmn.elements import KEY
from trioflow.model.graph import GraphNode

_PLAIN = {
    "bpmn.start_event": ("startEvent",),
    "bpmn.end_event": ("endEvent",),
    "bpmn.task": ("task", "manualTask"),
    "bpmn.event": ("intermediateThrowEvent",),
}
"""What has no inputs, and the elements that it may be; the first, if nothing is said."""
_EVENTS = {"message": "messageRef", "signal": "signalRef", "error": "errorRef"}
_TIMES = {"duration": "timeDuration", "date": "timeDate", "cycle": "timeCycle"}
_KEPT = frozenset({"documentation", "extensionElements", "incoming", "outgoing"})


@attrs.frozen
class New:
    """An element: its tag, attributes, what stands in it, and the message, signal or error that it is about."""

    tag: str
    attributes: Mapping[str, str] = attrs.Factory(dict[str, str])
    script: str = ""
    event: tuple[str, str, str] | None = None
    """The kind, the name, and of a timer the form."""


def element_of(node: GraphNode, *, leads_on: bool, chooses: bool) -> New | None:  # noqa: C901 - a table of kinds
    """The element that says a node; None if there is none."""
    kept: Any = node.metadata.get(KEY)
    said: Mapping[str, Any] = kept if isinstance(kept, Mapping) else {}
    tag = str(said.get("element", ""))
    name = {"name": str(said["name"])} if said.get("name") else {}
    inputs = node.inputs
    if node.type in _PLAIN:
        known = _PLAIN[node.type]
        return New(tag if tag in known else known[0], name)
    match node.type:
        case "bpmn.gateway" if node.choose == "first":
            return New("exclusiveGateway", name)
        case "bpmn.gateway" if node.join in ("parallel", "inclusive"):
            return New(f"{node.join}Gateway", name)
        case "bpmn.gateway":
            inclusive = chooses or (tag == "inclusiveGateway") or (node.min == 1 and not tag and not leads_on)
            return New("inclusiveGateway" if inclusive and node.min == 1 else "parallelGateway", name)
        case "bpmn.script_task" | "bpmn.other_script_task":
            return New("scriptTask", {**name, "scriptFormat": str(inputs.get("language", "python"))},
                       str(inputs.get("script", "")))  # fmt: skip
        case "bpmn.user_task":
            return New("userTask", name)
        case "bpmn.terminate_end":
            return New("endEvent", name, event=("terminate", "", ""))
        case "bpmn.error_end":
            return New("endEvent", name, event=("error", str(inputs.get("code", "")), ""))
        case "bpmn.throw_event":
            if tag not in ("endEvent", "intermediateThrowEvent"):
                tag = "intermediateThrowEvent" if leads_on else "endEvent"
            kind, event = str(inputs.get("kind", "message")), str(inputs.get("name", ""))
            return New(tag, name, event=(kind, event, ""))
        case "bpmn.catch_event" | "bpmn.receive_task":
            return _waiting(node, name)
        case _:
            return None


def _waiting(node: GraphNode, name: Mapping[str, str]) -> New | None:
    waits: Any = node.inputs.get("waits")
    if not isinstance(waits, list | tuple) or len(waits) != 1 or not isinstance(waits[0], Mapping):
        return None
    wait: Mapping[str, Any] = waits[0]
    event = (str(wait.get("kind", "")), str(wait.get("name", "")), str(wait.get("form", "")))
    return New("receiveTask" if node.type == "bpmn.receive_task" else "intermediateCatchEvent", name, event=event)


class Writer:
    """The tree of a document, in which elements are put, taken out and connected."""

    def __init__(self, document: Any) -> None:
        self._document = document
        self._root: Any = document.documentElement
        self._prefix = f"{self._root.prefix}:" if self._root.prefix else ""
        self._ids: dict[str, Any] = {
            each.getAttribute("id"): each for each in self._elements("*") if each.getAttribute("id")
        }
        self._process: Any = self._elements("process")[0]
        self._flows: defaultdict[tuple[str, str], list[str]] = defaultdict(list)
        for each in self._elements("sequenceFlow"):
            ends = each.getAttribute("sourceRef"), each.getAttribute("targetRef")
            self._flows[ends].append(each.getAttribute("id"))

    def text(self) -> str:
        """The text of the document."""
        written: bytes = self._document.toxml(encoding="UTF-8")
        return written.decode("utf-8").replace("?><", "?>\n<", 1) + "\n"

    def put(self, id_: str, new: New, *, beside: str) -> None:
        """Add an element, in the scope of the one that it is connected with; or say one anew, which keeps its place."""
        before = self._ids.get(id_)
        element = self._document.createElementNS(MODEL, f"{self._prefix}{new.tag}")
        element.setAttribute("id", id_)
        for name, value in new.attributes.items():
            element.setAttribute(name, value)
        if before is not None:
            for name, value in before.attributes.items():
                if not element.hasAttribute(name) and not name.endswith("Ref"):
                    element.setAttribute(name, value)
            for each in [*before.childNodes]:
                if each.localName in _KEPT:
                    element.appendChild(each)
            before.parentNode.replaceChild(element, before)
        else:
            near = self._ids.get(beside)
            self._append(near.parentNode if near is not None else self._process, element)
        self._ids[id_] = element
        if new.script:
            self._inside(element, "script").appendChild(self._document.createTextNode(new.script))
        if new.event is not None:
            self._about(element, *new.event)

    def remove(self, id_: str) -> None:
        """Take an element out, with what leads to it and away, what is attached to it, and where they are drawn."""
        gone = {id_} | {
            each.getAttribute("id")
            for each in self._elements("*")
            if id_ in (each.getAttribute(name) for name in ("sourceRef", "targetRef", "attachedToRef"))
        }
        for each in gone:
            self._drop(each)

    def connect(self, source: str, target: str, ways: Sequence[tuple[str | None, bool]]) -> None:
        """Let these be the flows between two elements: each with its condition, and whether it is the default."""
        old = self._flows[source, target]
        start = self._ids[source]
        for id_ in old[len(ways) :]:
            self._drop(id_)
        for index, (when, otherwise) in enumerate(ways):
            id_ = old[index] if index < len(old) else self._free(f"{source}_{target}")
            flow = self._ids.get(id_)
            if flow is None:
                flow = self._document.createElementNS(MODEL, f"{self._prefix}sequenceFlow")
                for name, value in (("id", id_), ("sourceRef", source), ("targetRef", target)):
                    flow.setAttribute(name, value)
                self._append(start.parentNode, flow)
                self._ids[id_] = flow
            for each in [*flow.getElementsByTagNameNS(MODEL, "conditionExpression")]:
                flow.removeChild(each)
            if when is not None:
                self._inside(flow, "conditionExpression").appendChild(self._document.createTextNode(when))
            if otherwise:
                start.setAttribute("default", id_)
            elif start.getAttribute("default") == id_:
                start.removeAttribute("default")

    def _about(self, element: Any, kind: str, name: str, form: str) -> None:
        if element.localName == "receiveTask":
            element.setAttribute("messageRef", self._named("message", name))
            return
        definition = self._inside(element, f"{kind}EventDefinition")
        if kind in _EVENTS and name:
            definition.setAttribute(_EVENTS[kind], self._named(kind, name))
        elif form in _TIMES:
            self._inside(definition, _TIMES[form]).appendChild(self._document.createTextNode(name))

    def _named(self, tag: str, name: str) -> str:
        """The id of the message, signal or error of this name, which is added if it is not there."""
        key = "errorCode" if tag == "error" else "name"
        for each in self._elements(tag):
            if each.getAttribute(key) == name or (not each.getAttribute(key) and each.getAttribute("id") == name):
                return str(each.getAttribute("id"))
        id_ = self._free(f"{tag}_{len(self._elements(tag)) + 1}")
        element = self._document.createElementNS(MODEL, f"{self._prefix}{tag}")
        element.setAttribute("id", id_)
        element.setAttribute(key, name)
        self._root.insertBefore(self._document.createTextNode("\n  "), self._root.firstChild)
        self._root.insertBefore(element, self._root.childNodes[1])
        self._ids[id_] = element
        return id_

    def _drop(self, id_: str) -> None:
        element = self._ids.pop(id_, None)
        if element is not None:
            element.parentNode.removeChild(element)
        for each in self._elements("incoming") + self._elements("outgoing"):
            if each.firstChild is not None and each.firstChild.data.strip() == id_:
                each.parentNode.removeChild(each)
        for each in self._elements("*"):
            if each.getAttribute("default") == id_:
                each.removeAttribute("default")
        for each in [*self._root.getElementsByTagName("*")]:
            if each.getAttribute("bpmnElement") == id_:
                each.parentNode.removeChild(each)

    def _elements(self, tag: str) -> list[Any]:
        return [*self._root.getElementsByTagNameNS(MODEL, tag)]

    def _append(self, parent: Any, element: Any) -> None:
        parent.appendChild(self._document.createTextNode("  "))
        parent.appendChild(element)
        parent.appendChild(self._document.createTextNode("\n  "))

    def _inside(self, parent: Any, tag: str) -> Any:
        element = self._document.createElementNS(MODEL, f"{self._prefix}{tag}")
        parent.appendChild(element)
        return element

    def _free(self, id_: str) -> str:
        found, number = id_, 2
        while found in self._ids:
            found, number = f"{id_}_{number}", number + 1
        return found
