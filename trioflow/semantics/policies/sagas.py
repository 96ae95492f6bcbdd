"""What undoing means in graphs that call: which values an undoing node gets, and what is wrong with it (P9)."""

from __future__ import annotations

from collections.abc import Iterator

from trioflow.errors import did_you_mean
from trioflow.model.composition import SAGA
from trioflow.model.graph import Graph
from trioflow.semantics.report import Problem, error
from trioflow.semantics.wiring import Wiring


def is_for_sagas(graph: Graph) -> bool:
    """Whether nodes of this graph are undone by its sagas: it calls, and has some."""
    return graph.kind != "workflow" and any(node.type == SAGA for node in graph.nodes)


def values_for_undo(graph: Graph, node: str, undo: str) -> dict[str, str]:
    """The inputs of the undoing node that are wired from what it undoes: from which output each."""
    return {
        wire.target.socket: wire.source.socket
        for wire in graph.connections
        if wire.enabled and wire.source.node == node and wire.target.node == undo
    }


def check_sagas(wiring: Wiring) -> Iterator[Problem]:
    """A node that undoes is an exec node that no exec wire touches, and is not undone itself (P9)."""
    graph = wiring.graph
    if not is_for_sagas(graph):
        return
    wired = {place for source, targets in wiring.dispatches.items() for place in (source, *targets) if targets}
    for place, node in enumerate(graph.nodes):
        if node.undo is None:
            continue
        path, other = f"nodes[{place}].undo", wiring.place.get(node.undo)
        if other is None or not wiring.is_exec(other):
            known = [each.id for index, each in enumerate(graph.nodes) if wiring.is_exec(index)]
            what = "is not there" if other is None else "is a data node"
            cure = f"Name an exec node.{did_you_mean(node.undo, known)}"
            yield error("unknown-node", path, f"{node.undo!r} {what}.", cure, "P9")
            continue
        if other in wired:
            message = f"{node.undo!r} undoes {node.id!r}, and has an exec wire."
            yield error("wired-undo", path, message, "Remove the wire: the saga whose body fails fires it.", "P9")
        if graph.nodes[other].undo is not None:
            message = f"{node.undo!r} undoes {node.id!r}, and is to be undone itself."
            yield error("undo-of-undo", path, message, "Undoing is not undone: remove one of the two.", "P9")
