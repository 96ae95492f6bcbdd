"""The elements of a BPMN document by id, with what refers to what; nothing of what they mean.

Only the namespace of BPMN 2.0 counts. What others have put in (extensions, positions) is kept with its element.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import attrs

from trioflow.errors import DocumentError, did_you_mean
from trioflow.formats.alike import Alike
from trioflow.formats.bpmn.attributes import LEAST, problems_in
from trioflow.formats.port import Diagnostic
from trioflow.formats.xml_text import Element

MODEL = "http://www.omg.org/spec/BPMN/20100524/MODEL"
DI = "http://www.omg.org/spec/BPMN/20100524/DI"

TASKS = frozenset(
    {"task", "scriptTask", "serviceTask", "userTask", "manualTask", "receiveTask", "sendTask", "businessRuleTask"}
)
SCOPES = frozenset({"subProcess", "transaction", "adHocSubProcess"})
ACTIVITIES = TASKS | SCOPES | {"callActivity"}
GATEWAYS = frozenset({"exclusiveGateway", "parallelGateway", "inclusiveGateway", "eventBasedGateway", "complexGateway"})
EVENTS = frozenset({"startEvent", "endEvent", "intermediateCatchEvent", "intermediateThrowEvent", "boundaryEvent"})
BESIDE = frozenset(
    {
        "documentation",
        "extensionElements",
        "ioSpecification",
        "property",
        "laneSet",
        "dataObject",
        "dataObjectReference",
        "dataStoreReference",
        "association",
        "textAnnotation",
        "group",
        "incoming",
        "outgoing",
        "dataInputAssociation",
        "dataOutputAssociation",
        "auditing",
        "monitoring",
        "standardLoopCharacteristics",
        "multiInstanceLoopCharacteristics",
        "resourceRole",
        "performer",
        "potentialOwner",
        "humanPerformer",
        "ioBinding",
        "supportedInterfaceRef",
        "correlationSubscription",
        "artifact",
        "completionCondition",
    }
)
"""What stands in a process and is no element that a token passes."""


KNOWN = TASKS | SCOPES | GATEWAYS | EVENTS | BESIDE | {
    "definitions", "import", "extension", "process", "collaboration", "participant", "messageFlow",
    "conversation", "globalTask", "globalUserTask", "globalScriptTask", "globalManualTask",
    "globalBusinessRuleTask", "callActivity", "sequenceFlow", "subConversation", "callConversation",
    "conversationNode", "conversationLink", "conversationAssociation", "participantAssociation",
    "participantMultiplicity", "messageFlowRef", "messageFlowAssociation", "innerParticipantRef",
    "outerParticipantRef", "participantRef", "correlationKey", "correlationProperty", "correlationPropertyRef",
    "correlationPropertyRetrievalExpression", "correlationPropertyBinding", "messagePath", "dataPath",
    "choreography", "choreographyTask", "callChoreography", "subChoreography", "globalChoreographyTask",
    "choreographyActivity", "globalConversation", "message", "signal", "error", "escalation", "category",
    "categoryValue", "itemDefinition", "interface", "operation", "inMessageRef", "outMessageRef", "errorRef",
    "interfaceRef", "endPoint", "endPointRef", "dataStore", "dataState", "resource", "resourceParameter",
    "resourceRef", "resourceParameterBinding", "resourceAssignmentExpression", "formalExpression", "expression",
    "script", "condition", "conditionExpression", "messageEventDefinition", "signalEventDefinition",
    "timerEventDefinition", "errorEventDefinition", "escalationEventDefinition", "terminateEventDefinition",
    "compensateEventDefinition", "cancelEventDefinition", "conditionalEventDefinition", "linkEventDefinition",
    "eventDefinition", "eventDefinitionRef", "operationRef", "timeDuration", "timeDate", "timeCycle", "source",
    "target", "implicitThrowEvent", "event", "loopCondition", "loopCardinality", "loopDataInputRef",
    "loopDataOutputRef", "inputDataItem", "outputDataItem", "complexBehaviorDefinition", "rendering",
    "dataInput", "dataOutput", "inputSet", "outputSet", "dataInputRefs", "dataOutputRefs", "optionalInputRefs",
    "whileExecutingInputRefs", "optionalOutputRefs", "whileExecutingOutputRefs", "inputSetRefs",
    "outputSetRefs", "inputSetRef", "outputSetRef", "sourceRef", "targetRef", "transformation", "assignment",
    "from", "to", "lane", "flowNodeRef", "childLaneSet", "partitionElement", "partitionElementRef", "text",
    "relationship", "supports", "activationCondition", "supportedInterfaceRefs", "performerRef", "ioParameter",
    "value", "valueRef", "structureRef", "loopCharacteristics", "categoryValueRef", "definition",
}  # fmt: skip
"""The elements that the standard has."""


@attrs.define(eq=False)
class Flow:
    """A sequence flow."""

    element: Element
    id: str
    source: FlowNode
    target: FlowNode
    condition: str | None = None
    language: str = ""
    is_default: bool = False


@attrs.define(eq=False)
class FlowNode:
    """An element that tokens pass: an event, an activity, a gateway."""

    element: Element
    id: str
    scope: Scope
    incoming: list[Flow] = attrs.Factory(list[Flow])
    outgoing: list[Flow] = attrs.Factory(list[Flow])
    boundary: list[FlowNode] = attrs.Factory(list["FlowNode"])
    inner: Scope | None = None
    handler: FlowNode | None = None
    """What undoes it."""

    @property
    def tag(self) -> str:
        """The kind of element, as BPMN calls it."""
        return self.element.name

    @property
    def name(self) -> str:
        """What people call it."""
        return self.element.get("name")

    @property
    def definitions(self) -> list[Element]:
        """Of an event: what it is about. What is defined for several is looked up by whoever wants it."""
        return [each for each in self.element.children if each.name.endswith("EventDefinition")]

    @property
    def is_compensation(self) -> bool:
        """Whether it only runs to undo something."""
        return self.element.get("isForCompensation") == "true"

    @property
    def is_event_scope(self) -> bool:
        """Whether it is a sub-process that an event starts."""
        return self.element.get("triggeredByEvent") == "true"

    def __str__(self) -> str:
        return f"{self.tag} {self.id!r}"


@attrs.define(eq=False)
class Scope:
    """A process or a sub-process: the elements in it."""

    element: Element
    id: str
    owner: FlowNode | None = None
    nodes: list[FlowNode] = attrs.Factory(list[FlowNode])
    flows: list[Flow] = attrs.Factory(list[Flow])

    @property
    def starts(self) -> list[FlowNode]:
        """Its start events."""
        return [each for each in self.nodes if each.tag == "startEvent"]

    def everything(self) -> Iterator[FlowNode]:
        """Its elements and those inside of them, in the order of the document."""
        for node in self.nodes:
            yield node
            if node.inner is not None:
                yield from node.inner.everything()


@attrs.define(eq=False)
class Definitions:
    """All of a document."""

    element: Element
    processes: list[Scope] = attrs.Factory(list[Scope])
    nodes: dict[str, FlowNode] = attrs.Factory(dict[str, FlowNode])
    flows: dict[str, Flow] = attrs.Factory(dict[str, Flow])
    elements: dict[str, Element] = attrs.Factory(dict[str, Element])
    """Everything of BPMN that has an id."""
    problems: list[Diagnostic] = attrs.Factory(list[Diagnostic])
    placed: Mapping[str, tuple[float, float, float, float]] = attrs.Factory(
        dict[str, tuple[float, float, float, float]]
    )
    """Where elements are drawn: x, y, width, height."""

    @property
    def language(self) -> str:
        """The language of expressions, if the document says one."""
        return self.element.get("expressionLanguage")


def looks_like_document(root: Element | None) -> bool:
    """Whether this is the outermost element of a BPMN document, of whatever version."""
    return root is not None and root.name == "definitions" and "BPMN" in root.namespace.upper()


def read_definitions(root: Element, source: str) -> Definitions:
    """The elements of a document. Raises `DocumentError` for what is no document of BPMN 2.0, or has no process."""
    if root.namespace != MODEL:
        raise DocumentError(
            source,
            [f"the namespace of `definitions` is {root.namespace!r}. That of BPMN 2.0 is {MODEL!r}."],
            [root.position],
        )
    reader = _Reader(Definitions(root))
    reader.read()
    if not reader.found.processes:
        raise DocumentError(source, ["there is no `process` in it."], [root.position])
    return reader.found


class _Reader:
    def __init__(self, found: Definitions) -> None:
        self.found = found

    def read(self) -> None:
        found, alike = self.found, Alike(LEAST)
        for element in found.element.everything():
            id_ = element.get("id")
            if element.namespace == MODEL and element.name not in KNOWN:
                near = did_you_mean(element.name, KNOWN).strip()
                self._problem("unknown-name", element, f"There is no element {element.name!r} in BPMN", near)
            if element.namespace == MODEL:
                for problem in problems_in(element, alike):
                    self._problem(problem[0], element, *problem[1:])
            if element.namespace == MODEL and id_:
                if id_ in found.elements:
                    self._problem(
                        "duplicate-id",
                        element,
                        f"there is another element with the id {id_!r}",
                        "Give one of them another id.",
                    )
                found.elements.setdefault(id_, element)
        for index, element in enumerate(found.element.all("process")):
            if element.namespace == MODEL:
                found.processes.append(self._scope(element, element.get("id") or f"process {index + 1}", None))
        for process in found.processes:
            self._connect(process)
        self._place()

    def _scope(self, element: Element, id_: str, owner: FlowNode | None) -> Scope:
        scope = Scope(element, id_, owner)
        for child in element.children:
            if child.namespace != MODEL or child.name in BESIDE or child.name == "sequenceFlow":
                continue
            if owner is not None and child.name.endswith(("EventDefinition", "Ref")):
                continue
            own = child.get("id")
            if not own:
                own = f"{child.name} {child.line}"
                self._problem("no-id", child, "it has no id", 'Give it one: id="...".')
            node = FlowNode(child, own, scope)
            if own in self.found.nodes:
                continue  # it was said that the id is there twice
            self.found.nodes[own] = node
            scope.nodes.append(node)
            if child.name in SCOPES:
                node.inner = self._scope(child, own, node)
        return scope

    def _connect(self, scope: Scope) -> None:
        nodes = {node.id: node for node in scope.nodes}
        for element in scope.element.all("sequenceFlow"):
            ends = [self._end(element, name, nodes) for name in ("sourceRef", "targetRef")]
            source, target = ends
            if source is None or target is None:
                continue
            flow = Flow(element, element.get("id") or f"flow {element.line}", source, target)
            condition = element.first("conditionExpression")
            if condition is not None:
                flow.condition, flow.language = condition.text.strip(), condition.get("language")
            flow.is_default = bool(element.get("id")) and source.element.get("default") == element.get("id")
            source.outgoing.append(flow)
            target.incoming.append(flow)
            scope.flows.append(flow)
            self.found.flows[flow.id] = flow
        for node in scope.nodes:
            default = node.element.get("default")
            if default and all(flow.id != default for flow in node.outgoing):
                self._problem(
                    "unknown-element",
                    node.element,
                    f"its default flow {default!r} does not leave it",
                    f"Name one of: {', '.join(flow.id for flow in node.outgoing) or 'none'}.",
                )
            if node.tag == "boundaryEvent":
                host = nodes.get(node.element.get("attachedToRef"))
                if host is None or host.tag not in ACTIVITIES:
                    attached = node.element.get("attachedToRef")
                    near = did_you_mean(attached, [each.id for each in scope.nodes if each.tag in ACTIVITIES]).strip()
                    self._problem(
                        "unknown-element",
                        node.element,
                        f"The element {attached!r} (attachedToRef) is not an activity here",
                        f"{near} Attach it to an activity of the same process or sub-process.".lstrip(),
                    )
                else:
                    host.boundary.append(node)
            if node.inner is not None:
                self._connect(node.inner)
        self._associate(scope, nodes)

    def _associate(self, scope: Scope, nodes: Mapping[str, FlowNode]) -> None:
        """Which activity undoes what: an association from a boundary event for compensation."""
        for element in scope.element.all("association"):
            source, target = nodes.get(element.get("sourceRef")), nodes.get(element.get("targetRef"))
            if source is None or target is None or source.tag != "boundaryEvent":
                continue
            host = nodes.get(source.element.get("attachedToRef"))
            if host is not None and any(each.name == "compensateEventDefinition" for each in source.definitions):
                host.handler = target

    def _end(self, element: Element, name: str, nodes: Mapping[str, FlowNode]) -> FlowNode | None:
        id_ = element.get(name)
        node = nodes.get(id_)
        if node is None:
            known = "is in another process or sub-process" if id_ in self.found.nodes else "is not there"
            near = did_you_mean(id_, nodes).strip()
            what = f"The element {id_!r} ({name}) {known}" if id_ else f"It has no {name}"
            self._problem(
                "unknown-element",
                element,
                f"{what}, so this flow is left out",
                f"{near} Let it lead from an element to an element of the same process or sub-process.".lstrip(),
            )
        return node

    def _place(self) -> None:
        placed: dict[str, tuple[float, float, float, float]] = {}
        for shape in (each for each in self.found.element.everything() if each.name == "BPMNShape"):
            bounds = shape.first("Bounds")
            if bounds is None:
                continue
            try:
                x, y, width, height = (float(bounds.get(each, "0")) for each in ("x", "y", "width", "height"))
            except ValueError:
                self.found.problems.append(
                    Diagnostic(
                        "info",
                        "bad-bounds",
                        f"BPMNShape {shape.get('id')!r}",
                        "Its bounds are not numbers.",
                        position=bounds.position,
                    )
                )
                continue
            placed[shape.get("bpmnElement")] = (x, y, width, height)
        self.found.placed = placed

    def _problem(self, code: str, element: Element, message: str, cure: str) -> None:
        path = f"{element.name} {element.get('id')!r}"
        message = f"{message[:1].upper()}{message[1:]}."
        self.found.problems.append(Diagnostic("error", code, path, message, cure, position=element.position))
