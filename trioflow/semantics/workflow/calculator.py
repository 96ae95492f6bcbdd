"""What a workflow depends on, and the machine without a run, for those who schedule themselves."""

from __future__ import annotations

from typing import Any

from trioflow.errors import UnknownName, did_you_mean
from trioflow.model.graph import Graph
from trioflow.model.registry import Registry
from trioflow.model.scope import Scope
from trioflow.semantics.topology import knots
from trioflow.semantics.validation import validate
from trioflow.semantics.workflow.gates import machine_of
from trioflow.semantics.workflow.machine import Firing, Machine
from trioflow.semantics.workflow.net import Net, Wire


class Calculation:
    """One execution of a workflow that somebody else carries out: which firings are ready, and what follows an end.

    The store is the caller's, too: conditions are answered by a function that gets the wire.
    """

    def __init__(self, machine: Machine) -> None:
        self._machine = machine
        self._ready: dict[Firing, None] = {}
        self._begun: set[Firing] = set()
        self._look()

    def ready(self) -> list[Firing]:
        """The firings that may begin now, in the order in which they should."""
        return [*self._ready]

    @property
    def is_over(self) -> bool:
        """Whether nothing is alive any more."""
        return not self._machine.alive

    def begin(self, firing: Firing) -> None:
        """This firing begins. Raises `ValueError` if it is not ready."""
        if firing not in self._ready:
            raise ValueError(f"{firing} is not ready: begin those that ready() gives, each once")
        del self._ready[firing]
        self._begun.add(firing)

    def end(self, firing: Firing, exit: str | BaseException | None = None, *, when: Any = None) -> None:
        """A firing that has begun has returned this exec output, or failed with this exception.

        `when` is asked for wires with a condition; without it none holds. Raises `ValueError` if it has not begun, and
        `NoWay`.
        """
        if firing not in self._begun:
            raise ValueError(f"{firing} has not begun, or has ended before")
        net = firing.net
        way = net.failed if isinstance(exit, BaseException) else net.way(exit)
        taken = () if way is None else way.taken(when or _never)
        self._begun.remove(firing)
        following = self._machine.end(firing, taken)
        if following is not None and not self._machine.queues:
            self._add(following)
        self._look()

    def _look(self) -> None:
        while (firing := self._machine.take()) is not None:
            self._add(firing)

    def _add(self, firing: Firing) -> None:
        if firing.cancelled:
            self._machine.end(firing)
        elif firing.ghost is not None:  # nothing is to be run for it
            way = firing.net.exhausted if firing.ghost == "exhausted" else firing.net.failed
            following = self._machine.end(firing, () if way is None else way.taken(_never))
            if following is not None and not self._machine.queues:
                self._add(following)
        else:
            self._ready[firing] = None


class WorkflowPlan:
    """A workflow made ready to be asked, without a run."""

    def __init__(self, net: Net) -> None:
        self._net = net

    def dependencies(self, node: str) -> list[str]:
        """The nodes from which an exec wire leads straight to this one, in the order of the document.

        Raises `UnknownName`.
        """
        place = self._net.place.get(node)
        if place is None:
            known = [*self._net.place]
            raise UnknownName(f"There is no exec node {node!r}.{did_you_mean(node, known)}")
        return [self._net.nodes[source].id for source in sorted({wire.source for wire in self._net.nodes[place].into})]

    def layers(self) -> list[list[str]]:
        """Which nodes can run at the same time: each is in the first layer after all that lead to it.

        A circle is one thing: its nodes are in one layer. Nodes that undo are in none.
        """
        undoing = {node.undo for node in self._net.nodes.values()}
        nodes = {place: node for place, node in self._net.nodes.items() if place not in undoing}
        edges = {place: [wire.target for wire in node.out] for place, node in nodes.items() if node.out}
        leader = {place: place for place in nodes}
        for knot in knots(edges):
            leader |= dict.fromkeys(knot, min(knot))
        into: dict[int, set[int]] = {leader[place]: set() for place in nodes}
        for wire in self._net.wires:
            if leader[wire.source] != leader[wire.target]:
                into[leader[wire.target]].add(leader[wire.source])
        beyond: dict[int, list[int]] = {}
        for target, sources in into.items():
            for source in sources:
                beyond.setdefault(source, []).append(target)
        found: list[list[str]] = []
        layer = [place for place, sources in into.items() if not sources]
        while layer:
            found.append([node.id for place, node in nodes.items() if leader[place] in {*layer}])
            following: dict[int, None] = {}
            for source in layer:
                for target in beyond.get(source, ()):
                    into[target].remove(source)
                    if not into[target]:
                        following[target] = None
            layer = [*following]
        return found

    def start(self) -> Calculation:
        """Begin an execution that the caller carries out."""
        return Calculation(machine_of(self._net.whole()))


def workflow_plan(graph: Graph, registry: Registry | None = None) -> WorkflowPlan:
    """Plan a workflow without running it: dependencies, layers, and the machine that says what fires next.

    Without a registry, the standard node types are known. Raises `InvalidGraph`, and `ValueError` for a graph that is
    no workflow.
    """
    registry = Registry.standard() if registry is None else registry
    if graph.kind != "workflow":
        raise ValueError('Only a workflow has dependencies: a graph of "kind": "workflow". In others exec wires call.')
    validate(graph, registry).raise_for_errors()
    scope = Scope(graph, registry)
    return WorkflowPlan(Net(scope.graph, [scope.type_of(node) for node in scope.graph.nodes]))


def _never(wire: Wire) -> bool:
    return False
