"""Marking: what is told of the nodes of a plan from how they hang together.

Which data nodes are volatile, static or quick, which are waited for, and which exec nodes are plain functions.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from trioflow.model.composition import Boundary, GraphBody
from trioflow.model.node_type import FunctionBody, NodeType
from trioflow.semantics.plan import CONSTANT, NODE, PORT, SLOT, STATIC, Plan, PlanInput, PlanNode
from trioflow.semantics.step import step_of


def mark_volatile(plans: list[Plan]) -> None:
    """A data graph that holds a volatile node is volatile itself (C2), through any number of graphs."""
    volatile = {id(plan) for plan in plans if any(node.volatile for node in plan.nodes)}
    before = -1
    while len(volatile) != before:
        before = len(volatile)
        for plan in plans:
            for node in plan.nodes:
                if id(node.graph) in volatile and not node.type.is_exec:
                    node.volatile = True
                    volatile.add(id(plan))


def mark_impure(plan: Plan) -> None:
    """Find the data nodes that an unchanged store does not prove current (D6, C4), and who asks for them."""
    consumers: dict[int, list[PlanNode]] = {}
    reached: list[PlanNode] = []
    for node in plan.nodes:
        if node.type.is_exec:
            continue
        for planned in node.inputs:
            if planned.source is NODE:
                consumers.setdefault(planned.upstream.index, []).append(node)
        ports = plan.interface.is_exec and any(planned.source is PORT for planned in node.inputs)
        if node.volatile or ports:
            node.impure = True
            reached.append(node)
    while reached:
        for consumer in consumers.get(reached.pop().index, ()):
            if not consumer.impure:
                consumer.impure = True
                reached.append(consumer)
    for node in plan.nodes:
        node.moments = node.type.is_exec and (
            isinstance(node.type.body, GraphBody)
            or any(
                planned.source is PORT or (planned.source is NODE and planned.upstream.impure)
                for planned in node.inputs
            )
        )


def mark_quick(plan: Plan) -> None:
    """Find the data nodes that are functions of their inputs, of which each value holds until something is written."""
    for node in plan.nodes:
        body = node.type.body
        if node.type.is_exec or node.static or node.impure or not isinstance(body, FunctionBody):
            continue
        node.quick = body.takes_values or body.may_pick
        node.function = body.function
        node.fields = body.result == "fields"
        node.picks = body.may_pick
        node.awaits_itself = body.is_async


def mark_steps(plan: Plan) -> None:
    """Find the exec nodes that are plain functions of what the store keeps."""
    for node in plan.nodes:
        if (
            node.type.is_exec
            and isinstance(node.type.body, FunctionBody)
            and not node.streams
            and all(planned.source is not NODE and planned.source is not PORT for planned in node.inputs)
        ):
            node.step = step_of(node.type, node.inputs, node.first_output, node.targets)


def mark_static(nodes: list[PlanNode]) -> None:
    """Find the data nodes that are plain functions behind plain functions."""
    consumers: dict[int, list[PlanNode]] = {}
    others: list[PlanNode] = []
    plain = {node_type: _is_plain(node_type) for node_type in {node.type for node in nodes}}
    for node in nodes:
        node.static = plain[node.type]
        for planned in node.inputs:
            if planned.source is NODE:
                consumers.setdefault(planned.upstream.index, []).append(node)
            elif planned.source is PORT or (planned.source is CONSTANT and planned.constant is None):
                node.static = False
        if not node.static:
            others.append(node)
    while others:
        for consumer in consumers.get(others.pop().index, ()):
            if consumer.static:
                consumer.static = False
                others.append(consumer)


def mark_ahead(nodes: list[PlanNode]) -> None:
    """Find the nodes of which several eager inputs may have to be waited for (D12)."""
    consumers: dict[int, list[PlanNode]] = {}
    reached: list[PlanNode] = []
    for node in nodes:
        for planned in node.inputs:
            if planned.source is NODE and not planned.socket.lazy:
                consumers.setdefault(planned.upstream.index, []).append(node)
        body = node.type.body
        # A data graph is never begun ahead. Where it is evaluated, inputs inside are resolved at once.
        waits = not isinstance(body, GraphBody | Boundary) and (
            not isinstance(body, FunctionBody) or body.is_async or _is_moved(node)
        )
        if waits and not node.type.is_exec:
            node.awaits = True
            reached.append(node)
    while reached:
        for consumer in consumers.get(reached.pop().index, ()):
            if not consumer.awaits and not consumer.type.is_exec:
                consumer.awaits = True
                reached.append(consumer)
    for node in nodes:
        sources = {
            planned.upstream.index
            for planned in node.inputs
            if planned.source is NODE and not planned.socket.lazy and planned.upstream.awaits
        }
        node.ahead = len(sources) > 1


def _place(planned: PlanInput, size: int) -> None:
    """Say where the current cell of an input is, if a slot holds it."""
    if planned.source is NODE and planned.upstream.static:
        planned.source = STATIC
        planned.slot += planned.output
    if planned.source is STATIC:
        planned.there = planned.slot
    elif planned.source is SLOT:
        planned.there = planned.slot - size


def keep_static(nodes: list[PlanNode], size: int) -> tuple[Sequence[int], ...]:
    """Let the outputs of static nodes be read where the store keeps them; tell who reads what, by slot."""
    found: dict[int, list[int]] = {}
    for node in nodes:
        for planned in node.inputs:
            _place(planned, size)
        if node.static:
            body: Any = node.type.body
            node.function = body.function
            node.fields = body.result == "fields"
            if len(node.inputs) == 1 and node.inputs[0].source is not CONSTANT:
                node.sole = node.inputs[0]
            node.needs = tuple(
                planned
                for planned in node.inputs
                if planned.source is STATIC or (planned.source is SLOT and not planned.has_constant)
            )
            own = range(node.slot, node.slot + len(node.type.outputs))
            for planned in node.inputs:
                if planned.source is not CONSTANT:
                    found.setdefault(planned.slot, []).extend(own)
    readers: list[Sequence[int]] = [()] * size
    for slot, slots in found.items():
        readers[slot] = slots
    return tuple(readers)


def _is_moved(node: PlanNode) -> bool:
    """Whether its body runs in another process, for which it is waited."""
    said = (node.graph_node.policy, node.type.policy)
    return any(policy is not None and policy.run_on is not None for policy in said)


def _is_plain(node_type: NodeType) -> bool:
    body = node_type.body
    return not node_type.is_exec and isinstance(body, FunctionBody) and body.is_plain and not node_type.volatile
