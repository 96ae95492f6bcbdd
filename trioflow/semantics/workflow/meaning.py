"""What is said of tokens: in a workflow it must mean something, in a calls graph it means nothing (W1)."""

# What checks workflows is imported for those only: it takes a tenth of the time to import all that runs a graph.
# ruff: noqa: PLC0415
from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import attrs

from trioflow.model.composition import STOP, UNDO
from trioflow.model.graph import Connection, Graph, GraphNode
from trioflow.model.scope import Scope
from trioflow.semantics.policies.sagas import is_for_sagas
from trioflow.semantics.report import Problem, warning
from trioflow.semantics.wiring import Wiring

if TYPE_CHECKING:
    from trioflow.semantics.workflow.net import Net

_NODE_SETTINGS = (
    "join", "min", "unmet", "rest", "choose", "most", "priority", "limit", "group", "queue", "undo", "undo_from",
    "set",
)  # fmt: skip
_WIRE_SETTINGS = {"when": "when", "otherwise": "else", "on": "on", "priority": "priority"}
GRAPH_SETTINGS = ("limit", "groups", "on_error", "keep_outputs", "undo_on", "undo_grace")
"""What only a workflow says of itself."""


def check_tokens(wiring: Wiring, nets: dict[Scope, Net]) -> Iterator[Problem]:
    """What is wrong with what is said of tokens. The net of a workflow is kept in `nets`."""
    graph = wiring.graph
    if any(wire.data for wire in graph.connections):
        from trioflow.semantics.workflow.check import check_data

        yield from check_data(wiring)
    if graph.kind != "workflow":
        yield from _without_meaning(graph)
        return
    from trioflow.semantics.workflow.check import check_workflow

    yield from check_workflow(wiring, nets)


def _without_meaning(graph: Graph) -> Iterator[Problem]:
    cure = 'Remove it, or write "kind": "workflow", where exec wires carry tokens.'
    found = [(name, getattr(graph, name), attrs.fields_dict(Graph)[name]) for name in GRAPH_SETTINGS]
    for name, value, field in found:
        if value and value != field.default:
            yield warning("no-meaning", name, f"`{name}` means nothing in a graph that is not a workflow.", cure, "W1")
    sagas = is_for_sagas(graph)
    for place, node in enumerate(graph.nodes):
        for name in said(node, _NODE_SETTINGS):
            if name == "undo" and sagas:
                continue  # P9
            message = f"`{name}` of {node.id!r} means nothing in a graph that is not a workflow."
            within = "Put it within the body of a `flow.saga`, or write" if name == "undo" else "Remove it, or write"
            cured = cure.replace("Remove it, or write", within)
            yield warning("no-meaning", f"nodes[{place}].{name}", message, cured, "W1")
        if node.type in (STOP, UNDO):
            message = f"{node.type} of {node.id!r} has nothing to act on in a graph that is not a workflow."
            yield warning("no-meaning", f"nodes[{place}].type", message, cure, "W14" if node.type == STOP else "W17")
    for place, wire in enumerate(graph.connections):
        for name in said(wire, tuple(_WIRE_SETTINGS)):
            key = _WIRE_SETTINGS[name]
            message = f"`{key}` of {wire} means nothing in a graph that is not a workflow."
            yield warning("no-meaning", f"connections[{place}].{key}", message, cure, "W1")


def said(value: GraphNode | Connection, names: tuple[str, ...]) -> Iterator[str]:
    """The settings that are not at their defaults."""
    fields = attrs.fields_dict(type(value))
    for name in names:
        given = getattr(value, name)
        if given and given != fields[name].default:
            yield name
