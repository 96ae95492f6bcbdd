"""From a workflow to a definition in YAML, if that loses nothing: it is tried by importing it again."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

import attrs

from trioflow.errors import DocumentError
from trioflow.formats.compare import differences
from trioflow.formats.executionengine.importing import import_definition
from trioflow.formats.executionengine.level import KEY
from trioflow.formats.port import Document, ImportOptions
from trioflow.model.graph import Connection, Graph, GraphNode
from trioflow.model.json_text import BadText
from trioflow.model.registry import Registry

_TRIGGERS = {"completed": "Complete", "failed": "Fail", "ended": "Complete, Fail"}
_JOINS = {"first": "Any"}


def export_yaml(graph: Graph, registry: Registry) -> str:
    """The workflow as the text of a definition. Raises `DocumentError` with everything that it can't say.

    It can say what was imported from one, without the nodes that were taken out since; nodes that only pass on what
    they get (`state.keep`), and wires that were added, too.
    """
    from trioflow.model.yaml_text import write  # noqa: PLC0415 - PyYAML is optional

    problems: list[str] = []
    kept = _mapping(graph.metadata.get(KEY))
    frame = {"workflowId": "workflow"} if "document" not in kept else dict(kept["document"])
    tree = {**frame, **_level(graph, "nodes", "connections", problems, "")}
    if "document" not in kept and graph.limit:
        tree["maxConcurrency"] = graph.limit
    try:
        text = write(tree)
        again = import_definition(Document("<document>", text, "yaml"), registry, ImportOptions()).graph
    except (BadText, DocumentError, TypeError) as error:
        raise DocumentError("<graph>", [*problems, str(error)]) from error
    wanted = graph if kept else _without_kept(graph)
    problems += [] if problems else differences(wanted, again if kept else _without_kept(again))
    if problems:
        raise DocumentError("<graph>", problems)
    return text


def _level(graph: Graph, nodes: str, connections: str, problems: list[str], path: str) -> dict[str, Any]:
    """The nodes and connections of a workflow, or of a container in it."""
    said: list[dict[str, Any]] = []
    for index, node in enumerate(graph.nodes):
        own = node.metadata.get(KEY)
        if node.type in {"graph.enter", "graph.leave"} or _mapping(own).get("made") or _is_end(graph, node):
            continue
        if isinstance(own, Mapping):
            raw = dict(cast("Mapping[str, Any]", own))
            inner = graph.graphs.get(node.type.removeprefix("graph:")) if node.type.startswith("graph:") else None
            if inner is not None:
                raw |= _level(inner, "childNodes", "childConnections", problems, f"{path}graphs.{node.id}.")
            said.append(raw)
        elif node.type == "state.keep":
            joined = {"joinType": _JOINS[node.join]} if node.join in _JOINS else {}
            said.append({"nodeId": node.id, "runtimeType": "Noop", **joined})
        else:
            problems.append(f"{path}nodes[{index}]: there is nothing for node {node.id!r} ({node.type}).")
    ids = {_id(each) for each in said}
    kept = _mapping(graph.metadata.get(KEY))
    wires = [dict(each) for each in kept.get("connections", ()) if each and _ends(each) <= ids]
    known = {_ends_in_order(each) for each in wires}
    for wire in graph.connections:
        ends = wire.source.node, wire.target.node
        if _is_exec(wire) and ends not in known and {*ends} <= ids and kept.get("connections") != []:
            wires.append(_wire(wire))
    wires += [dict(each) for each in kept.get("dropped", ()) if isinstance(each, Mapping)]
    return {nodes: said, connections: wires}


def _wire(wire: Connection) -> dict[str, Any]:
    said: dict[str, Any] = {"sourceNodeId": wire.source.node, "targetNodeId": wire.target.node}
    said["triggerMessageType"] = _TRIGGERS.get(str(wire.on), "Complete")
    if not wire.enabled:
        said["isEnabled"] = False
    if wire.priority:
        said["priority"] = wire.priority
    return said


def _is_exec(wire: Connection) -> bool:
    return wire.target.socket in {"enter", ""}


def _is_end(graph: Graph, node: GraphNode) -> bool:
    """Whether it is the node with which an import ends a graph that is called."""
    return graph.interface is not None and node.type == "state.keep" and KEY not in node.metadata


def _field(raw: Mapping[str, Any], name: str) -> str:
    return next((str(value) for key, value in raw.items() if key.lower().replace("_", "") == name.lower()), "")


def _id(raw: Mapping[str, Any]) -> str:
    return _field(raw, "nodeId")


def _ends(raw: Mapping[str, Any]) -> set[str]:
    return {*_ends_in_order(raw)}


def _ends_in_order(raw: Mapping[str, Any]) -> tuple[str, str]:
    return _field(raw, "sourceNodeId"), _field(raw, "targetNodeId")


def _without_kept(graph: Graph) -> Graph:
    """The graph without what imports keep, to compare one that was built here."""

    def bare(node: GraphNode) -> GraphNode:
        return attrs.evolve(node, metadata={key: value for key, value in node.metadata.items() if key != KEY})

    metadata = {key: value for key, value in graph.metadata.items() if key != KEY}
    graphs = {name: _without_kept(inner) for name, inner in graph.graphs.items()}
    return attrs.evolve(graph, nodes=tuple(map(bare, graph.nodes)), metadata=metadata, graphs=graphs)


def _mapping(value: Any) -> Mapping[str, Any]:
    return cast("Mapping[str, Any]", value) if isinstance(value, Mapping) else {}
