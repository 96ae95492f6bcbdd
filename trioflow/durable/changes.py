"""What a run was begun with, and what it would be resumed with: the graph, and the code of its node types (J13)."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from trioflow.errors import DocumentError
from trioflow.model.composition import Boundary, GraphBody
from trioflow.model.document import dumps
from trioflow.model.version import version_of

if TYPE_CHECKING:
    from trioflow.durable.records import NewRun
    from trioflow.model.graph import Graph
    from trioflow.semantics.plan import Plan

_MOST = 5


def document_of(graph: Graph) -> tuple[str, str]:
    """The graph as text, which is empty if none can hold it, and a digest of it."""
    try:
        text = told = dumps(graph)
    except DocumentError:
        text = ""
        told = repr([(node.id, getattr(node.type, "id", node.type)) for node in graph.nodes]) + repr(graph.connections)
    return text, hashlib.sha256(told.encode("utf-8", "surrogatepass")).hexdigest()[:16]


def document_of_plan(plan: Plan) -> tuple[str, str]:
    """The same of the graph of a plan, written once: workers run one graph many times."""
    known: tuple[str, str] | None = plan.cache.get("document")
    if known is None:
        known = plan.cache["document"] = document_of(plan.graph)
    return known


def types_of(plan: Plan) -> dict[str, str]:
    """The versions of the node types of a graph, and of those that it calls, by id."""
    versions: dict[str, str] = {}
    seen: set[int] = set()
    waiting = [plan]
    for each in waiting:
        if id(each) in seen:
            continue
        seen.add(id(each))
        for node in each.nodes:
            if not isinstance(node.type.body, GraphBody | Boundary):
                versions[node.type.id] = version_of(node.type)
            if node.graph is not None:
                waiting.append(node.graph)
    return versions


def changes(new: NewRun, plan: Plan) -> list[str]:
    """What is different now from when a run was begun, a sentence for each; none if it is the same."""
    document, digest = document_of_plan(plan)
    found: list[str] = []
    if digest != new.graph:
        told = [*_differences(new.document, document)] if new.document and document else []
        found.append(f"Its graph is another one{': ' + _few(told) if told else ''}.")
    before: Mapping[str, str] = json.loads(new.types)
    changed = [name for name, version in types_of(plan).items() if before.get(name, version) != version]
    if changed:
        found.append(f"The code of the node types {_few(changed)} is not what it was.")
    return found


def _differences(before: str, after: str) -> Iterator[str]:
    """Nodes and wires that two documents do not share, for people."""
    old, new = json.loads(before), json.loads(after)
    nodes = {each["id"]: each for each in old.get("nodes", ())}
    others = {each["id"]: each for each in new.get("nodes", ())}
    yield from (f"node {name!r} is gone" for name in nodes if name not in others)
    yield from (f"node {name!r} is new" for name in others if name not in nodes)
    yield from (f"node {name!r} has changed" for name in nodes if name in others and nodes[name] != others[name])
    wires, others_wires = ([_wire(each) for each in tree.get("connections", ())] for tree in (old, new))
    yield from (f"the wire {each} is gone" for each in wires if each not in others_wires)
    yield from (f"the wire {each} is new" for each in others_wires if each not in wires)
    rest = ({k: v for k, v in tree.items() if k not in {"nodes", "connections"}} for tree in (old, new))
    if next(rest) != next(rest):
        yield "variables, events or graphs in it have changed"


def _wire(wire: Any) -> str:
    return f"{wire['from']} -> {wire['to']}"


def _few(told: list[str]) -> str:
    more = f" and {len(told) - _MOST} more" if len(told) > _MOST else ""
    return ", ".join(told[:_MOST]) + more
