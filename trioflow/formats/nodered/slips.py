"""Slips of the pen that nothing else would notice: fields, types and flows whose names nearly are those of others."""

from __future__ import annotations

from trioflow.formats.alike import Alike
from trioflow.formats.nodered.draft import Draft
from trioflow.formats.nodered.shape import BESIDE, TYPES

_FIELDS = frozenset(
    {
        "id", "type", "z", "g", "d", "x", "y", "w", "h", "l", "name", "info", "icon", "label", "wires", "env",
        "links", "outputs", "inputs", "func", "rules", "property", "propertyType", "checkall", "repair",
        "template", "syntax", "field", "fieldType", "format", "output", "complete", "targetType", "active",
        "tosidebar", "console", "tostatus", "statusVal", "statusType", "payload", "payloadType", "topic",
        "topicType", "props", "repeat", "crontab", "once", "onceDelay", "pauseType", "timeout", "timeoutUnits",
        "rate", "nbRateUnits", "rateUnits", "randomFirst", "randomLast", "randomUnits", "drop", "allowrate",
        "splt", "spltType", "arraySplt", "arraySpltType", "stream", "addname", "mode", "build", "joiner",
        "joinerType", "key", "accumulate", "count", "reduceRight", "reduceExp", "reduceInit", "reduceInitType",
        "reduceFixup", "interval", "overlap", "allowEmptySequence", "topics", "linkType", "scope", "uncaught",
        "minin", "maxin", "minout", "maxout", "action", "round", "inout", "septopics", "topi", "gap", "start",
        "noerr", "initialize", "finalize", "libs", "order", "as_num", "target", "msgKey", "msgKeyType",
        "seqKey", "seqKeyType", "multi", "honorParts", "chunk", "pretty", "useColors", "color", "category",
        "meta", "in", "out", "status", "style", "nodes", "disabled", "credentials", "inputLabels",
        "outputLabels", "return", "case", "from", "fromt", "to", "tot", "reg", "p", "pt", "outputProperties",
        "proptype", "op2", "op2type", "extend", "reset",
    }
)  # fmt: skip
"""The fields of the nodes that the editor itself brings."""
_LEAST = 0.8


def tell_slips(draft: Draft) -> None:
    """Say which names nearly are those of others."""
    alike = Alike(_LEAST)
    flows = {id_ for id_, (_, each) in draft.raw.items() if each.get("type") in ("tab", "subflow")}
    types = TYPES.keys() | BESIDE
    for path, node in draft.raw.values():
        kind, flow = str(node.get("type", "")), str(node.get("z") or "")
        if kind in TYPES:
            for name in node:
                near = alike.near(name, _FIELDS, "field")
                if near is not None:
                    message = f"{kind} has no field {name!r}, and nothing is read from it."
                    draft.notes.warning("unknown-field", f"{path}.{name}", message, f"Did you mean {near!r}?")
        elif "wires" not in node and not kind.startswith("subflow:"):
            near = alike.near(kind, types, "type")
            if near is not None:
                message = f"{kind!r} is taken for a configuration, and left out."
                draft.notes.warning("unknown-type", f"{path}.type", message, f"Did you mean {near!r}?")
        near = alike.near(flow, flows, "flow") if flow else None
        if near is not None:
            message = f"There is no flow {flow!r}."
            draft.notes.warning("unknown-node", f"{path}.z", message, f"Did you mean {near!r}?")
