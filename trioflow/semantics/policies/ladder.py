"""Whose a policy is: what a node says comes before its type, before its graph, before the run (P8)."""

from __future__ import annotations

import fnmatch
from collections.abc import Iterator, Mapping

from trioflow.model.graph import Graph, GraphNode
from trioflow.model.node_type import NodeType
from trioflow.model.policy import Laddered, Policy, Rung, merged


def laddered(
    graph: Graph, node: GraphNode, node_type: NodeType, given: Mapping[str, Policy], name: str
) -> Laddered | None:
    """The policy of a node, each field from the innermost rung that says it; None if none says anything (P8).

    `given` are the run's, by names such as `call/work` and patterns of types; a name counts before patterns, and those
    in their order. `name` is how the run names the node.
    """
    rungs = [*_rungs(graph, node, node_type, given, name)]
    return merged(rungs) if rungs else None


def _rungs(
    graph: Graph, node: GraphNode, node_type: NodeType, given: Mapping[str, Policy], name: str
) -> Iterator[Rung]:
    if node.policy is not None:
        yield Rung("node", name, node.policy)
    if node_type.policy is not None:
        yield Rung("type", node_type.id, node_type.policy)
    for pattern, policy in graph.policies.items():
        if fnmatch.fnmatchcase(node_type.id, pattern):
            yield Rung("graph", pattern, policy)
    if name in given:
        yield Rung("run", name, given[name])
    for pattern, policy in given.items():
        if "*" in pattern and fnmatch.fnmatchcase(node_type.id, pattern):
            yield Rung("run", pattern, policy)
