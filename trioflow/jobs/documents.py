"""Graphs as queues keep them: one document that needs no other file, and what node types it names."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import attrs

from trioflow.durable.changes import document_of
from trioflow.errors import JournalError
from trioflow.model.graph import Graph
from trioflow.model.scope import FILE, GRAPH
from trioflow.semantics.plan import Plan

if TYPE_CHECKING:
    from trioflow.model.graph import Unreadable


@attrs.frozen
class Document:
    """A graph as queues keep it: once, however many jobs have it."""

    digest: str
    text: str
    types: str
    """The ids of the node types in it, as JSON."""
    variables: tuple[str, ...]

    @classmethod
    def of(cls, graph: Graph | Plan) -> Document:
        """Raises `JournalError` for a graph that no document can hold."""
        graph = in_one(graph.graph if isinstance(graph, Plan) else graph)
        text, _ = document_of(graph)
        if not text:
            raise JournalError(
                "The graph can't be written as a document, so it can't be put in a queue. Give its node types ids, in "
                "a "
                "module that workers import, and its inputs values that JSON can hold."
            )
        types = json.dumps(sorted(types_in(graph)))
        digest = hashlib.sha256(f"{text}\n{types}".encode("utf-8", "surrogatepass")).hexdigest()[:32]
        return cls(digest, text, types, tuple(each.name for each in graph.variables))


def in_one(graph: Graph) -> Graph:
    """The same graph with those in files (`file:PATH`) among its own, as a worker on another host has no such file."""
    found: dict[int, str] = {}
    made: dict[str, Graph] = {}
    taken = _names_in(graph)

    def name_of(path: str, file: Graph) -> str:
        name = found.get(id(file))
        if name is None:
            name = path
            while name in taken:
                name += "'"
            taken.add(name)
            found[id(file)] = name  # before what is inside: graphs may call each other in a circle
            made[name] = inside(file)
        return name

    def inside(each: Graph) -> Graph:
        def called(type_id: str) -> str:
            file: Graph | Unreadable | None = each.files.get(type_id.removeprefix(FILE))
            if not type_id.startswith(FILE) or not isinstance(file, Graph):
                return type_id
            return GRAPH + name_of(type_id.removeprefix(FILE), file)

        nodes = tuple(attrs.evolve(node, type=called(node.type)) for node in each.nodes)
        graphs: Mapping[str, Any] = {
            name: inside(inner if inner.files else attrs.evolve(inner, files=each.files))
            for name, inner in each.graphs.items()
        }
        return attrs.evolve(each, nodes=nodes, graphs=graphs)

    whole = inside(graph)
    return attrs.evolve(whole, graphs={**whole.graphs, **made}) if made else whole


def types_in(graph: Graph) -> set[str]:
    """The ids of the node types of a graph, and of all graphs in it."""
    own = {node.type for node in graph.nodes if not node.type.startswith((GRAPH, FILE))}
    return own.union(*(types_in(inner) for inner in graph.graphs.values()))


def _names_in(graph: Graph) -> set[str]:
    return {*graph.graphs}.union(*(_names_in(inner) for inner in graph.graphs.values()))
