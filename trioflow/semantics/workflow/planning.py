"""What the plan of a workflow has besides: where its wires lead, its expressions bound to slots, and its scopes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial

from trioflow.model.composition import PROGRESS, SCOPE, SCOPE_TYPE, Boundary
from trioflow.model.graph import Graph, GraphNode
from trioflow.semantics.plan import PORT, SLOT, Opening, PlanNode, Target
from trioflow.semantics.topology import may_await
from trioflow.semantics.workflow.bound import Bound, bind, item_of, names_at
from trioflow.semantics.workflow.keeping import dropped
from trioflow.semantics.workflow.net import Net, Region


def open_scopes(
    net: Net, nodes: list[PlanNode], listeners: Mapping[str, tuple[PlanNode, ...]]
) -> tuple[Target, Mapping[str, tuple[PlanNode, ...]]]:
    """Let all that is dispatched in a workflow open a scope: what is behind an exec output, a listener, all of it.

    Gives the target of a run, and the listeners by event.
    """

    def scope(begin: Callable[[], Region] | None = None) -> PlanNode:
        node = PlanNode(len(nodes), GraphNode(SCOPE, SCOPE), SCOPE_TYPE)
        node.begin = begin
        nodes.append(node)
        return node

    opened = scope()
    for place, each in net.nodes.items():
        node = nodes[place]
        entering = node.type.body is Boundary.ENTER
        for index, output in enumerate(node.type.exec_outputs):
            if any(wire.output == output.name and "completed" in wire.on for wire in each.out):
                begin = partial(net.whole, output.name) if entering else partial(net.behind, place, output.name)
                entered = output.name if entering else f"{node.id}.{output.name}"
                node.targets[index] = (Opening(opened, entered, begin),)
        if each.progress is not None:
            node.progress = (Opening(opened, f"{node.id}{PROGRESS}", partial(net.reporting, place)),)
        if node.targets:
            node.first_targets = node.targets[0]
    standing = {
        event: tuple(scope(partial(net.listening, node.index)) for node in found) for event, found in listeners.items()
    }
    return Opening(opened, None, net.whole), standing


def bound_expressions(
    graph: Graph, net: Net, nodes: Sequence[PlanNode]
) -> tuple[dict[int, Bound], dict[int, tuple[tuple[int, Bound], ...]]]:
    """The expressions of a workflow, bound to slots: conditions by wire, and what is set, by node."""
    variables = {f"vars.{variable.name}": slot for slot, variable in enumerate(graph.variables)}
    for node in nodes:
        if node.type.body is Boundary.ENTER and node.first_output >= 0:
            inputs = enumerate(node.type.outputs, node.first_output)
            variables |= {f"input.{socket.name}": slot for slot, socket in inputs}

    def slots(node: PlanNode) -> dict[str, int]:
        outputs = enumerate(node.type.outputs, node.first_output)
        return variables | {f"out.{socket.name}": slot for slot, socket in outputs}

    conditions: dict[int, Bound] = {}
    for wire in net.wires:
        if wire.when is not None:
            node = nodes[wire.source]
            item = item_of(node.type, wire.output)
            known = slots(node)
            if item is not None:
                known["item"] = known[f"out.{item}"]
            if "progress" in wire.on:
                known["progress"] = node.progress_slot
            names = names_at(graph, node.type, wire.output, wire.on)
            conditions[wire.place] = bind(wire.when, names, known, condition=True)
    sets = {
        place: tuple(
            (variables[f"vars.{name}"], bind(text, names_at(graph, nodes[place].type), slots(nodes[place])))
            for name, text in graph.nodes[place].set.items()
        )
        for place in net.nodes
        if graph.nodes[place].set
    }
    return conditions, sets


def drops_of(net: Net, nodes: Sequence[PlanNode]) -> dict[int, tuple[int, ...]]:
    """What a workflow lets go of that keeps only what is needed, by wire (W20)."""

    def read_by(node: PlanNode) -> frozenset[int]:
        """The outputs of exec nodes that its inputs depend on."""
        waiting, seen, found = [node], {node.index}, set[int]()
        while waiting:
            for planned in waiting.pop().inputs:
                upstream = planned.upstream
                if planned.connection is not None and planned.source is SLOT:
                    found.add(planned.slot)
                elif planned.connection is not None and planned.source is not PORT and upstream.index not in seen:
                    seen.add(upstream.index)
                    waiting.append(upstream)
        return frozenset(found)

    writes: dict[int, frozenset[int]] = {}
    for place in net.nodes:
        node = nodes[place]
        first = node.first_output
        slots = {*range(first, first + len(node.type.outputs))} if first >= 0 else set[int]()
        slots |= {slot for slot in (node.error_slot, node.progress_slot) if slot >= 0}
        # Expressions may name the inputs of the graph everywhere.
        writes[place] = frozenset() if node.type.body is Boundary.ENTER else frozenset(slots)
    written = frozenset().union(*writes.values())
    reads = {place: read_by(nodes[place]) & written for place in net.nodes}
    awaiting = [
        place for place in net.nodes if nodes[place].streams or nodes[place].progress or may_await(nodes[place].type)
    ]
    return dropped(net, reads, writes, awaiting)
