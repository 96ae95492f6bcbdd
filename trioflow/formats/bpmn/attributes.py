"""The attributes that elements of BPMN have, and which of them are true or false: slips of the pen are said."""

from __future__ import annotations

from trioflow.formats.alike import Alike
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
LEAST = 0.85
"""How like one another two names are of which one was meant to be the other."""
_WRITTEN = {"1": "true", "0": "false"}


def problems_in(element: Element, alike: Alike) -> list[tuple[str, str, str]]:
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
            near = alike.near(name, ATTRIBUTES)
            if near is not None:
                found.append(("unknown-name", f"no element has an attribute {name!r}", f"Did you mean {near!r}?"))
    return found
