"""Sockets and variables by name, and the errors for those that are not there (T4)."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

from trioflow.errors import NodeError, UnknownName, UnknownSocket, did_you_mean
from trioflow.semantics.events import Path
from trioflow.semantics.plan import Plan, PlanNode, Target


def input_place(node: PlanNode, socket: Any) -> int:
    """The number of a data input. Raises `UnknownSocket` (T4)."""
    place = node.type.input_index.get(socket)
    if place is None:
        raise unknown_socket(node, socket, "data input", [each.name for each in node.type.inputs])
    return place


def output_place(node: PlanNode, socket: Any) -> int:
    """The number of a data output. Raises `UnknownSocket` (T4)."""
    place = node.type.output_index.get(socket)
    if place is None:
        raise unknown_socket(node, socket, "data output", [each.name for each in node.type.outputs])
    return place


def exit_place(node: PlanNode, socket: Any, what: str = "exec output") -> int:
    """The number of an exec output. Raises `UnknownSocket` (T4)."""
    place = node.type.exec_output_index.get(socket)
    if place is None:
        raise unknown_socket(node, socket, what, [each.name for each in node.type.exec_outputs])
    return place


def is_connected(node: PlanNode, socket: Any) -> bool:
    """Whether a wire is attached to an exec output or a data input."""
    place = node.type.exec_output_index.get(socket)
    if place is not None:
        return bool(node.targets[place])
    return node.inputs[input_place(node, socket)].connection is not None


def unknown_socket(node: PlanNode, socket: Any, kind: str, known: Collection[str]) -> UnknownSocket:
    """T4: the error that lists the declared sockets."""
    name = socket if isinstance(socket, str) else getattr(socket, "name", repr(socket))
    return UnknownSocket(
        f"Node {node.id!r} ({node.type.id}) has no {kind} {name!r}.{did_you_mean(name, known)} "
        f"It declares: {', '.join(known) or 'none'}."
    )


def variable_slot(plan: Plan, name: str) -> int:
    """The slot of a variable. Raises `UnknownName`."""
    slot = plan.variable_index.get(name)
    if slot is None:
        raise UnknownName(f"There is no variable {name!r}.{_declared(name, plan.variable_index)}")
    return slot


def listeners(plan: Plan, event: str, payload: object) -> Sequence[Target]:
    """The listeners of an event, in document order (B1). Raises `UnknownName`."""
    found = plan.listeners.get(event)
    if found is None:
        raise UnknownName(f"There is no event {event!r}.{_declared(event, plan.listeners)}")
    return [Target(node, None, payload) for node in found]


def _declared(name: str, known: Collection[str]) -> str:
    return f"{did_you_mean(name, known)} The graph declares: {', '.join(known) or 'none'}."


def closed(node: str, where: Path, what: str) -> NodeError:
    """The error of whoever uses a context after its activation or evaluation has closed."""
    return NodeError(
        f"The context of node {where.graph + node!r} was used after its {what} {where.short} had closed. A context "
        "lives as long as the body that got it: don't keep it in tasks or callbacks that go on longer. Start tasks in "
        "a nursery inside the body, or let the host publish an event."
    )
