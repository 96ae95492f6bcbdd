"""From a workflow to a BPMN document: the one that it was imported from, with what has been changed since.

The text of an imported document is kept in the metadata of its graph. An export changes in it what differs, so that
comments, extensions and positions stay. The result is imported again: what does not come back is a problem.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from typing import Any
from xml.dom import minidom

import attrs

from trioflow.errors import DocumentError
from trioflow.formats.bpmn.diagram import draw_what_is_missing
from trioflow.formats.bpmn.document import MODEL
from trioflow.formats.bpmn.elements import KEY
from trioflow.formats.bpmn.importing import Importer
from trioflow.formats.bpmn.writing import Writer, element_of
from trioflow.formats.placeholder import KEY as PLACEHOLDER_KEY
from trioflow.model.graph import Connection, Graph, GraphNode
from trioflow.model.registry import Registry

NEW = f"""<?xml version="1.0" encoding="UTF-8"?>
<definitions xmlns="{MODEL}" id="definitions" targetNamespace="http://bpmn.io/schema/bpmn">
  <process id="process" isExecutable="true">
  </process>
</definitions>
"""

_NAME = re.compile(r"[^\W\d][\w.-]*")
_NAMED = 20


def export_text(graph: Graph, registry: Registry | None = None) -> str:
    """The document that says the graph, such that its import gives an equal graph; every element has a place.

    Equal is meant without `metadata`. Raises `DocumentError` with everything that BPMN can't say.
    """
    kept: Any = graph.metadata.get(KEY)
    text = kept.get("document") if isinstance(kept, Mapping) else None
    if graph.kind != "workflow":
        raise DocumentError("<graph>", ["BPMN says workflows, and this graph is not one: its control calls."])
    exporter = _Exporter(graph, text if isinstance(text, str) else NEW)
    text = exporter.text()
    problems = exporter.problems or [*_lost(graph, text)]
    if problems:
        raise DocumentError("<graph>", problems[:_NAMED])
    return draw_what_is_missing(text)


class _Exporter:
    def __init__(self, graph: Graph, text: str) -> None:
        self.problems: list[str] = []
        self._graph, self._text = graph, text
        self._before = Importer.of(text, "<kept>")
        self._old_graph = self._before.imported().graph
        self._old = {node.id: node for node in self._old_graph.nodes}
        self._new = {node.id: node for node in graph.nodes}
        self._entries, self._exits = self._before.entries, self._before.exits
        self._elements = self._before.elements

    def text(self) -> str:
        """The text, changed as little as may be."""
        changed = [*self._changed_nodes()]
        gone = [each for each in self._old if each not in self._new and each in self._elements]
        flows = self._changed_flows(gone)
        if not (changed or gone or flows):
            return self._text
        document: Any = minidom.parseString(self._text.lstrip("\ufeff \t\r\n").encode("utf-8"))  # noqa: S318 - read before, without entities
        writer = Writer(document)
        for id_ in gone:
            writer.remove(id_)
        outgoing = {wire.source.node for wire in self._graph.connections}
        conditional = {wire.source.node for wire in self._graph.connections if wire.when is not None}
        beside: dict[str, str] = {}
        for wire in self._graph.connections:
            beside.setdefault(wire.target.node, wire.source.node)
            beside.setdefault(wire.source.node, wire.target.node)
        for node in changed:
            element = element_of(node, leads_on=node.id in outgoing, chooses=node.id in conditional)
            if element is None:
                self.problems.append(
                    f"{node.id!r}: BPMN has no element for a node of type {node.type!r}, or not with these inputs."
                )
            elif not _NAME.fullmatch(node.id):
                self.problems.append(f"{node.id!r}: ids in BPMN begin with a letter and have no spaces. Rename it.")
            else:
                writer.put(node.id, element, beside=beside.get(node.id, ""))
        for (source, target), wires in () if self.problems else flows.items():
            writer.connect(source, target, [(each.when, each.otherwise) for each in wires])
        return writer.text()

    def _changed_nodes(self) -> Iterator[GraphNode]:
        for id_, node in self._new.items():
            before = self._old.get(id_)
            if before is None:
                if not _comes_by_itself(node):
                    yield node
            elif id_ in self._elements and _said_of(before) != _said_of(node):
                yield node

    def _changed_flows(self, gone: Iterable[str]) -> dict[tuple[str, str], list[Connection]]:
        """The wires between two elements, where they are not those of before."""
        old = self._flows(self._old_graph.connections)
        new = self._flows(self._graph.connections)
        removed = {*gone}
        return {
            ends: new.get(ends, [])
            for ends in {**old, **new}
            if old.get(ends) != new.get(ends) and removed.isdisjoint(ends)
        }

    def _flows(self, wires: Iterable[Connection]) -> dict[tuple[str, str], list[Connection]]:
        found: defaultdict[tuple[str, str], list[Connection]] = defaultdict(list)
        entries, exits = self._entries, self._exits
        for wire in wires:
            source = exits.get(f"{wire.source.node}.{wire.source.socket or 'then'}") or (
                wire.source.node if self._is_new(wire.source.node) else None
            )
            target = entries.get(wire.target.node) or (wire.target.node if self._is_new(wire.target.node) else None)
            if source is not None and target is not None and wire.target.socket in ("", "enter"):
                found[source, target].append(wire)
        return dict(found)

    def _is_new(self, id_: str) -> bool:
        return id_ in self._new and id_ not in self._old and not _comes_by_itself(self._new[id_])


def _comes_by_itself(node: GraphNode) -> bool:
    """Whether an import adds the node because of others."""
    return node.type in ("bpmn.listen", "variable.get", "bpmn.no_way")


def _said_of(node: GraphNode) -> Any:
    """What an element says of its node; the rest is said by what is around it."""
    if PLACEHOLDER_KEY in node.metadata:
        return KEY  # its type may be that of a body
    return node.type, _inputs(node), node.choose


def _lost(graph: Graph, text: str) -> Iterator[str]:
    """What does not come back from a document."""
    back = Importer.of(text, "<exported>").imported()
    yield from (f"the document would be wrong: {each}" for each in back.errors if not each.node)
    nodes = {node.id: node for node in back.graph.nodes}
    for node in graph.nodes:
        if node.id not in nodes:
            yield f"{node.id!r}: it gets lost."
        elif _plain(nodes[node.id]) != _plain(node):
            yield f"{node.id!r}: BPMN can't say {', '.join(_unlike(nodes[node.id], node))} of it."
    kept = {node.id for node in graph.nodes}
    yield from (f"{id_!r}: it would be there again." for id_ in nodes if id_ not in kept)
    there, wanted = {*map(_wire, back.graph.connections)}, {*map(_wire, graph.connections)}
    yield from (f"the wire {each} gets lost." for each in graph.connections if _wire(each) not in there)
    yield from (f"there would be a wire {each}." for each in back.graph.connections if _wire(each) not in wanted)
    names = {each.name for each in back.graph.variables}
    yield from (
        f"the variable {each.name!r} gets lost: nothing in it reads or writes it."
        for each in graph.variables
        if each.name not in names
    )
    for name in ("limit", "groups", "on_error", "undo_on", "interface", "graphs", "policies"):
        if getattr(graph, name) != getattr(back.graph, name):
            yield f"BPMN can't say the graph's {name}: {getattr(graph, name)!r}."


def _plain(node: GraphNode) -> Any:
    if PLACEHOLDER_KEY in node.metadata:
        return node.id, node.join, node.min, node.choose
    return attrs.evolve(node, metadata={}, inputs=_inputs(node))


def _unlike(one: GraphNode, other: GraphNode) -> list[str]:
    one, other = (attrs.evolve(each, inputs=_inputs(each), metadata={}) for each in (one, other))
    return [each.name for each in attrs.fields(GraphNode) if getattr(one, each.name) != getattr(other, each.name)]


def _inputs(node: GraphNode) -> dict[str, Any]:
    """Without the names of all variables, which some have."""
    return {name: value for name, value in node.inputs.items() if name != "data"}


def _wire(wire: Connection) -> Any:
    source = (wire.source.node, wire.source.socket or "then")
    return (source, (wire.target.node, wire.target.socket or "enter"), wire.when, wire.otherwise, wire.on,
            wire.priority, wire.enabled)  # fmt: skip
