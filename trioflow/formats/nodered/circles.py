"""How nodes take messages that come again and again."""

from __future__ import annotations

import attrs

from trioflow.formats.nodered.draft import Draft
from trioflow.model.graph import GraphNode
from trioflow.semantics.topology import knots

MOST = 1_000_000
"""So many messages a node may have in a circle."""


def finish(draft: Draft) -> None:
    """How nodes take messages: each for itself."""
    into: dict[str, int] = {}
    for wire in draft.wires:
        if wire.target.socket == "enter":
            into[wire.target.node] = into.get(wire.target.node, 0) + 1
    begins = {each.id for each in draft.placed.values() if each.type == "inject"}
    circles, delayed = in_circles(draft), before_delays(draft)
    for index, node in enumerate(draft.nodes):
        if into.get(node.id, 0) > 1:
            node = attrs.evolve(node, join="each")  # noqa: PLW2901 - the same one, with more
        if node.id in delayed:
            node = attrs.evolve(node, inputs={"node": {**node.inputs["node"], "delayed": True}})  # noqa: PLW2901
        if node.id in circles:
            node = attrs.evolve(node, most=MOST)  # noqa: PLW2901 - as above
        if not into.get(node.id) and node.id not in begins and not node.type.startswith("nodered.unknown_"):
            node = attrs.evolve(node, initiator=False)  # noqa: PLW2901 - as above
        draft.nodes[index] = node
    if draft.reads_message:
        draft.nodes.append(GraphNode("msg (value)", "variable.get", {"name": "msg"}))


def before_delays(draft: Draft) -> frozenset[str]:
    """Nodes that may send several messages which are held back further on."""
    leads: dict[str, list[str]] = {}
    for wire in draft.wires:
        leads.setdefault(wire.target.node, []).append(wire.source.node)
    todo = [node.id for node in draft.nodes if node.type == "nodered.delay"]
    found: set[str] = set()
    while todo:
        for each in leads.get(todo.pop(), ()):
            if each not in found:
                found.add(each)
                todo.append(each)
    several = ("nodered.split", "nodered.function", "nodered.switch", "nodered.batch")
    return frozenset(node.id for node in draft.nodes if node.id in found and node.type.startswith(several))


def in_circles(draft: Draft) -> frozenset[str]:
    """Nodes that stand in circles."""
    numbers = {node.id: number for number, node in enumerate(draft.nodes)}
    edges: dict[int, list[int]] = {}
    for wire in draft.wires:
        if wire.target.socket == "enter":
            edges.setdefault(numbers[wire.source.node], []).append(numbers[wire.target.node])
    return frozenset(draft.nodes[each].id for circle in knots(edges) for each in circle)
