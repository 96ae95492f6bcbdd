"""The attributes that elements of BPMN have, and which of them are true or false: slips of the pen are said."""

from __future__ import annotations

from difflib import SequenceMatcher

from trioflow.formats.xml_text import Element

FLAGS = frozenset({"isExecutable", "isClosed", "cancelActivity", "isInterrupting", "parallelMultiple", "isSequential",
                   "triggeredByEvent", "isForCompensation", "instantiate", "testBefore", "cancelRemainingInstances",
                   "waitForCompletion", "isCollection", "isUnlimited"})  # fmt: skip
ATTRIBUTES = FLAGS | frozenset(
    {
        "id", "name", "sourceRef", "targetRef", "default", "attachedToRef", "processType", "gatewayDirection",
        "definitionalCollaborationRef", "eventGatewayType", "scriptFormat", "implementation", "operationRef",
        "ordering", "messageRef", "signalRef", "errorRef", "errorCode", "escalationRef", "escalationCode",
        "calledElement", "startQuantity", "completionQuantity", "behavior", "oneBehaviorEventRef",
        "noneBehaviorEventRef", "processRef", "loopMaximum", "method", "activityRef", "structureRef",
        "itemKind", "itemSubjectRef", "dataObjectRef", "dataStoreRef", "capacity", "exporter",
        "exporterVersion", "targetNamespace", "expressionLanguage", "language", "typeLanguage",
        "evaluatesToTypeRef", "textFormat", "associationDirection", "importType", "location", "namespace",
        "categoryValueRef", "value", "implementationRef", "inMessageRef", "outMessageRef",
    }
)  # fmt: skip
_ALIKE = 0.85
_WRITTEN = {"1": "true", "0": "false"}


def problems_in(element: Element) -> list[tuple[str, str, str]]:
    """What is wrong with the attributes of an element: code, message and cure. Flags are true or false afterwards."""
    found: list[tuple[str, str, str]] = []
    for name, value in element.attributes.items():
        if name in FLAGS:
            written = _WRITTEN.get(value.strip(), value.strip())
            if written not in ("true", "false"):
                message = f"`{name}` is true or false, got {value!r}"
                found.append(("bad-value", message, f'Write {name}="true" or {name}="false".'))
            element.attributes[name] = written
        elif name not in ATTRIBUTES and not name.startswith(("{", "xml")):
            near = next((each for each in sorted(ATTRIBUTES) if _are_alike(name, each)), None)
            if near is not None:
                found.append(("unknown-name", f"no element has an attribute {name!r}", f"Did you mean {near!r}?"))
    return found


def _are_alike(name: str, other: str) -> bool:
    return SequenceMatcher(None, name.lower(), other.lower()).ratio() > _ALIKE
