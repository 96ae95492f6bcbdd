"""Making a workflow of a graph that calls: whether it would mean the same, and if so, the workflow (W1).

Two things part them. Where an exec output has several wires, calls run one target after the other, and tokens all of
them at once. Where several wires meet, calls run the node once for each arrival, and tokens once for all. So what an
exec output with several wires leads to may not meet again, nor may a later target use what an earlier one did. Where
wires meet otherwise, the node fires for each token (`join: each`), which is the same.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import attrs

from trioflow.model.composition import ENTER, LEAVE
from trioflow.model.graph import Connection, Graph, GraphNode
from trioflow.model.registry import Registry
from trioflow.model.scope import Scope
from trioflow.semantics.report import Problem, Report, error, info
from trioflow.semantics.topology import firing_first, initiators, knots, may_call, walk
from trioflow.semantics.validation import validate
from trioflow.semantics.wiring import Wiring
from trioflow.semantics.workflow.meaning import GRAPH_SETTINGS

_LEAVING = ("flow.break", "flow.continue")
_NAMING = frozenset({"get_variable", "set_variable"})
_PUBLISHING = frozenset({"publish"})
MANY_TURNS = 2**53
"""The turns of a circle that had no limit when it was calls."""


def check_as_workflow(graph: Graph, registry: Registry | None = None) -> Report:
    """Why a graph that calls can't become a workflow that means the same, if it can't; and what will be at once.

    Without a registry, the standard node types are known. Problems of the graph itself come first, and alone.
    """
    registry = Registry.standard() if registry is None else registry
    found = validate(graph, registry)
    if not found.ok or graph.kind == "workflow":
        return found
    return Report(tuple(_problems(Wiring(Scope(graph, registry)))))


def as_workflow(graph: Graph, registry: Registry | None = None) -> Graph:
    """A graph that calls as a workflow that leaves the same behind; a workflow comes back as it is.

    Raises `InvalidGraph` with all reasons why it would not be the same: `check_as_workflow`.
    """
    registry = Registry.standard() if registry is None else registry
    report = check_as_workflow(graph, registry)
    report.raise_for_errors("The graph can't become a workflow that means the same, for")
    return graph if graph.kind == "workflow" else _converted(Wiring(Scope(graph, registry)), graph)


def _problems(wiring: Wiring) -> Iterator[Problem]:
    graph = wiring.graph
    for place, node in enumerate(graph.nodes):
        if node.type in _LEAVING:
            message = f"{node.type} of {node.id!r} leaves a strand of its own, which a firing in a workflow is not."
            yield error("leaves-strand", f"nodes[{place}]", message, "Let a condition end the loop.", "W13")
    interface = graph.interface
    for place, each in enumerate(interface.exits if interface is not None else ()):
        if each.callback:
            message = f"Exit {each.name!r} is a callback, and firings are concurrent to the graph around (C6)."
            cure = "Let it be an exit at which the call goes on when it is over."
            yield error("concurrent-callback", f"interface.exits[{place}].callback", message, cure, "W14")
    starts = [*initiators(wiring)]
    if len(starts) > 1:
        yield from _at_once(wiring, "the graph", f"nodes[{starts[0]}]", starts)
    for source, wires in _several(wiring):
        targets = [wiring.place[wire.target.node] for _, wire in wires]
        yield from _at_once(wiring, f"output {source}", f"connections[{wires[0][0]}].from", targets)


def _several(wiring: Wiring) -> Iterator[tuple[str, list[tuple[int, Connection]]]]:
    """Exec outputs with several wires."""
    found: dict[str, list[tuple[int, Connection]]] = {}
    for index, wire in enumerate(wiring.graph.connections):
        if _is_exec(wiring, wire):
            found.setdefault(str(wire.source), []).append((index, wire))
    return ((source, wires) for source, wires in found.items() if len(wires) > 1)


def _is_exec(wiring: Wiring, wire: Connection) -> bool:
    view = wiring.views[wiring.place[wire.source.node]]
    return wire.enabled and view is not None and wire.source.socket in view.type.exec_output_index


def _at_once(wiring: Wiring, source: str, path: str, targets: Sequence[int]) -> Iterator[Problem]:
    """What begins one after the other, and would begin at once."""
    graph, ids = wiring.graph, [node.id for node in wiring.graph.nodes]
    ways = [_Way(wiring, target) for target in targets]
    for number, way in enumerate(ways):
        for before in ways[:number]:
            begins = f"{source} runs {ids[before.start]!r} first and then {ids[way.start]!r}, a workflow both at once"
            met = sorted(before.reached & way.reached)
            if met:
                message = f"{begins}: {ids[met[0]]!r} runs behind each of them, and as a join it would fire once."
                cure = "Wire one behind the other, or let a graph of its own be what runs twice."
                yield error("runs-several-times", path, message, cure, "W4")
                continue
            read = next((wire for wire in graph.connections if _crosses(wiring, wire, before, way)), None)
            shared = sorted(way.variables & before.variables)
            if read is not None or shared:
                what = f"{read} would be read too early" if read is not None else f"both use variable {shared[0]!r}"
                cure = f"Wire {ids[way.start]!r} behind what it needs."
                yield error("relies-on-order", path, f"{begins}: {what}.", cure, "W9")
            else:
                cure = (
                    "Nothing in the graph depends on that order. If something outside does, wire one behind the other."
                )
                yield info("at-once", path, f"{begins}.", cure, "W9")


class _Way:
    """What one target leads to: the exec nodes, what they ask for, and the variables that they may use."""

    def __init__(self, wiring: Wiring, start: int) -> None:
        self.start = start
        self.reached = walk([start], wiring.dispatches, _listening(wiring))
        self.asked = walk(self.reached, wiring.demands)
        self.variables = {name for place in self.asked for name in _variables(wiring, place)}


def _listening(wiring: Wiring) -> dict[int, list[int]]:
    """From what may publish an event to what listens for any."""
    listeners = [place for place, view in enumerate(wiring.views) if view is not None and view.type.listens]
    if not listeners:
        return {}
    return {
        place: listeners
        for place, view in enumerate(wiring.views)
        if view is not None and may_call(view.type, _PUBLISHING)
    }


def _variables(wiring: Wiring, place: int) -> Iterable[str]:
    """The variables that a node names; all, if its body may name any."""
    view, node = wiring.views[place], wiring.graph.nodes[place]
    assert view is not None
    every = [each.name for each in wiring.graph.variables]
    named = [socket.name for socket, what in view.naming if what == "variable"]
    if named and all(isinstance(node.inputs.get(name), str) for name in named):
        return [str(node.inputs[name]) for name in named]
    return every if named or may_call(view.type, _NAMING) else ()


def _crosses(wiring: Wiring, wire: Connection, before: _Way, way: _Way) -> bool:
    """Whether over this wire one of the two asks for what the other writes."""
    if not wire.enabled or _is_exec(wiring, wire):
        return False
    source, target = wiring.place[wire.source.node], wiring.place[wire.target.node]
    return (source in before.reached and target in way.asked) or (source in way.reached and target in before.asked)


_PLAIN = Graph()


def _converted(wiring: Wiring, graph: Graph) -> Graph:
    into: dict[int, int] = {}
    for wire in wiring.graph.connections:
        if _is_exec(wiring, wire):
            place = wiring.place[wire.target.node]
            into[place] = into.get(place, 0) + 1
    starting = {*initiators(wiring)}
    circles = {place for knot in knots(wiring.dispatches) for place in knot}
    nodes = [
        _node(node, starts=place in starting, into=into.get(place, 0), circle=place in circles)
        for place, node in enumerate(graph.nodes)
    ]
    plain = {name: getattr(_PLAIN, name) for name in GRAPH_SETTINGS}  # they had no meaning
    made = attrs.evolve(graph, kind="workflow", nodes=nodes, **plain)
    # What would fire in a workflow, and never ran.
    firing = firing_first(Wiring(Scope(made, wiring.registry)))
    for place in firing:
        if place not in starting:
            nodes[place] = attrs.evolve(nodes[place], initiator=False)
    return attrs.evolve(made, nodes=nodes)


def _node(node: GraphNode, *, starts: bool, into: int, circle: bool) -> GraphNode:
    """The node as it is, but for what a graph that calls gives no meaning to."""
    made = GraphNode(
        node.id, node.type, node.inputs, node.initiator, node.stream,
        policy=node.policy, metadata=node.metadata, extra=node.extra,
    )  # fmt: skip
    if node.type in (ENTER, LEAVE):
        return made
    if starts and into:
        made = attrs.evolve(made, initiator=True)
    return attrs.evolve(made, join="each" if into > 1 else "all", most=MANY_TURNS if circle else None)
