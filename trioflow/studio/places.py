"""Where nodes are: in their metadata, under `position`, where other editors look for it, too. Pure."""

from __future__ import annotations

from collections.abc import Mapping

import attrs

from trioflow.model.graph import Graph, GraphNode
from trioflow.model.registry import Registry
from trioflow.studio.scene import Scene

Places = Mapping[str, Mapping[str, tuple[float, float]]]
"""By the way to each graph of a document, and by the ids of its nodes, where these are."""


def with_places(graph: Graph, registry: Registry, seen: Places | None = None) -> Graph:
    """The graph with the place that the page shows for each node in its metadata, also of the graphs that it holds.

    `seen` is where they are, if it is drawn already: a large graph takes a second or two.
    """
    if _all_placed(graph):
        return graph
    if seen is None:
        seen = Scene(graph, registry, all_sockets=True).places()

    def placed(graph: Graph, way: str) -> Graph:
        return attrs.evolve(
            graph,
            nodes=[at(each, *seen[way][each.id]) for each in graph.nodes],
            graphs={name: placed(each, f"{way}/{name}" if way else name) for name, each in graph.graphs.items()},
        )

    return placed(graph, "")


def _all_placed(graph: Graph) -> bool:
    return all(map(has_place, graph.nodes)) and all(map(_all_placed, graph.graphs.values()))


def without_places(graph: Graph) -> Graph:
    """The graph without places."""

    def bare(node: GraphNode) -> GraphNode:
        if "position" not in node.metadata:
            return node
        return attrs.evolve(node, metadata={key: each for key, each in node.metadata.items() if key != "position"})

    inner = {name: without_places(each) for name, each in graph.graphs.items()}
    return attrs.evolve(graph, nodes=map(bare, graph.nodes), graphs=inner)


def has_places(graph: Graph) -> bool:
    """Whether any node says where it is."""
    return any("position" in each.metadata for each in graph.nodes) or any(map(has_places, graph.graphs.values()))


def has_place(node: GraphNode) -> bool:
    """Whether a node says where it is, with two numbers."""
    place = node.metadata.get("position")
    return isinstance(place, Mapping) and all(isinstance(place.get(each), int | float) for each in ("x", "y"))


def at(node: GraphNode, x: float, y: float) -> GraphNode:
    """The node, at a place."""
    return attrs.evolve(node, metadata={**node.metadata, "position": position(x, y)})


def position(x: float, y: float) -> dict[str, float]:
    """A place as metadata has it."""
    return {"x": round(x), "y": round(y)}
