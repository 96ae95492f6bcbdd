"""Checks of graphs as node types: interfaces, the nodes at their boundary, calls, and calls that never end (C1-C3)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from trioflow.model.composition import ENTER, LEAVE, GraphBody
from trioflow.model.graph import Interface
from trioflow.model.scope import Scope
from trioflow.model.sockets import UNSET
from trioflow.model.types import NAMED_TYPES, describe_type
from trioflow.semantics.coercion import Mismatch, coerce_literal
from trioflow.semantics.report import Problem, error
from trioflow.semantics.topology import cycle_through, initiators, knots
from trioflow.semantics.wiring import Wiring

_NAME = re.compile(r"[^.\x00-\x20\x7f-\x9f\u2028\u2029\ud800-\udfff]([^.\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]*)")


def all_wirings(root: Scope) -> list[Wiring]:
    """The graph, those that it holds, and those that any of these calls, each once (C1)."""
    found: dict[Scope, Wiring] = {}
    waiting = [root]
    while waiting:
        scope = waiting.pop()
        if scope in found:
            continue
        wiring = found[scope] = Wiring(scope)
        types = dict.fromkeys(view.type for view in wiring.views if view is not None)
        inner = [*scope.nested(), *filter(None, map(scope.callee, types))]
        waiting += reversed(inner)
    return [*found.values()]


def check_interface(wiring: Wiring) -> Iterator[Problem]:
    """What a graph declares of itself: names that sockets can have, types that are known, defaults that fit (C1)."""
    interface = wiring.graph.interface
    if interface is None:
        return
    inputs = [(f"interface.inputs[{place}]", each) for place, each in enumerate(interface.inputs)]
    outputs = [(f"interface.outputs[{place}]", each) for place, each in enumerate(interface.outputs)]
    entries = [(f"interface.entries[{place}]", each.name) for place, each in enumerate(interface.entries)]
    exits = [(f"interface.exits[{place}]", each.name) for place, each in enumerate(interface.exits)]
    yield from _check_names([*entries, *((path, each.name) for path, each in inputs)])
    yield from _check_names([*exits, *((path, each.name) for path, each in outputs)])
    types = [(path, each.type) for path, each in inputs] + [(path, each.type) for path, each in outputs]
    for path, declared in types:
        if declared not in NAMED_TYPES:
            known = f"Use one of: {', '.join(NAMED_TYPES)}.{wiring.suggest(declared, NAMED_TYPES)}"
            yield error("unknown-type", f"{path}.type", f"There is no type {declared!r}.", known, "C1")
    for path, each in inputs:
        if each.type in NAMED_TYPES and each.default is not UNSET and each.default is not None:
            try:
                coerce_literal(each.default, NAMED_TYPES[each.type], wiring.registry.converters)
            except Mismatch as mismatch:
                cure = f"Give input {each.name!r} a default of type {describe_type(NAMED_TYPES[each.type])}."
                message = str(mismatch)
                message = f"{message[:1].upper()}{message[1:]}."
                yield error("type-mismatch", f"{path}.default", message, cure, "D11")


def _check_names(declared: Sequence[tuple[str, str]]) -> Iterator[Problem]:
    """Entries and inputs share one namespace, exits and outputs another."""
    first: dict[object, str] = {}
    for path, name in declared:
        if not isinstance(name, str) or not _NAME.fullmatch(name):
            cure = "Use visible characters, and no dot."
            yield error("invalid-id", f"{path}.name", f"{name!r} can't be the name of a socket.", cure, "C1")
        elif name in first:
            message = f"{name!r} is the name of {first[name]} already."
            yield error("duplicate-id", f"{path}.name", message, "Give one of them another name.", "C1")
        first.setdefault(name, path)


def check_boundaries(wiring: Wiring) -> Iterator[Problem]:
    """`graph.enter` and `graph.leave` are in a graph with an interface, once at most, and where it needs them (C1)."""
    interface = wiring.graph.interface
    first: dict[str, str] = {}
    for place, node in enumerate(wiring.graph.nodes):
        if node.type not in (ENTER, LEAVE):
            continue
        path = f"nodes[{place}]"
        if interface is None:
            message = f"{node.id!r} is at the boundary of a graph that declares no interface."
            yield error("no-interface", f"{path}.type", message, 'Declare one: "interface": {...}.', "C1")
        elif node.type in first:
            message = f"{node.id!r} is a second {node.type}; {first[node.type]!r} is one already."
            yield error("second-boundary", path, message, "Keep one: its sockets may have many wires.", "C1")
        elif node.initiator:
            cure = "Mark a node that acts, or let callers enter here."
            yield error("data-initiator", f"{path}.initiator", f"No run can start at {node.type}.", cure, "M4")
        first.setdefault(node.type, node.id)
    for boundary, needed in _needed(interface or Interface()):
        if needed and boundary not in first:
            message = f"The interface declares {needed}, but no node of type {boundary} is there."
            yield error("no-boundary", "interface", message, "Add one, and wire it.", "C1")


def _needed(interface: Interface) -> Sequence[tuple[str, str]]:
    """Which boundaries a graph can't do without, and for what."""
    return (
        (ENTER, "entries" if interface.entries else ""),
        (LEAVE, "exits" if interface.exits else "outputs" if interface.outputs else ""),
    )


def check_calls(wiring: Wiring) -> Iterator[Problem]:
    """Only a graph that declares an interface can be called (C1)."""
    for place, view in enumerate(wiring.views):
        if view is not None and isinstance(view.type.body, GraphBody) and view.type.body.graph.interface is None:
            node = wiring.graph.nodes[place]
            message = f"{node.id!r} calls {node.type}, which declares no interface."
            yield error("no-interface", f"nodes[{place}].type", message, 'Declare one there: "interface": {...}.', "C1")


def check_started(wirings: Sequence[Wiring]) -> Iterator[tuple[Wiring, Problem]]:
    """A call at which a run starts enters nowhere, so the graph that it calls must start by itself (C3, M4)."""
    by_scope = {wiring.scope: wiring for wiring in wirings}
    for wiring in wirings:
        for place, (node, view) in enumerate(zip(wiring.graph.nodes, wiring.views, strict=True)):
            callee = wiring.scope.callee(view.type) if view is not None and view.is_exec and node.initiator else None
            if callee is not None and by_scope[callee].typed and not initiators(by_scope[callee]):
                message = f"A run starts at {node.id!r}, but in the graph that it calls no node starts."
                cure = "Add a node of a type such as flow.start there, or enter this one through a wire."
                yield wiring, error("no-initiator", f"nodes[{place}].initiator", message, cure, "M4")


# --- calls that never end --------------------------------------------------------------------------------------------

_Output = tuple[int, str]


def check_endless(wirings: Sequence[Wiring]) -> Iterator[tuple[Wiring, Problem]]:
    """A data graph whose value needs a value of itself never ends, unless a lazy input lies between (C2)."""
    numbers = {wiring.scope: number for number, wiring in enumerate(wirings)}
    callers: dict[tuple[_Output, _Output], int] = {}
    edges: dict[_Output, list[_Output]] = {}
    for number, wiring in enumerate(wirings):
        interface = wiring.graph.interface
        if interface is None or interface.is_exec or not wiring.complete:
            continue
        for output in interface.outputs:
            here = (number, output.name)
            for place, socket in _always_called(wiring, output.name):
                view = wiring.views[place]
                callee = None if view is None else wiring.scope.callee(view.type)
                if callee is not None:
                    there = (numbers[callee], socket)
                    edges.setdefault(here, []).append(there)
                    callers.setdefault((here, there), place)
    index = {output: place for place, output in enumerate(dict.fromkeys([*edges, *(b for _, b in callers)]))}
    outputs = [*index]
    by_index = {index[a]: [index[b] for b in others] for a, others in edges.items()}
    for knot in knots(by_index):
        cycle = [outputs[each] for each in cycle_through(min(knot), knot, by_index)]
        start, following = cycle[0], cycle[1 % len(cycle)]
        wiring = wirings[start[0]]
        place = callers[start, following]
        way = " -> ".join(f"{wirings[number].scope.name}.{socket}" for number, socket in [*cycle, start])
        yield (
            wiring,
            error(
                "endless-graph",
                f"nodes[{place}]",
                f"The value of a graph needs a value of itself, without end: {way}.",
                "Let a lazy input decide whether it is needed, for example one of logic.select.",
                "C2",
            ),
        )


def _always_called(wiring: Wiring, output: str) -> Iterator[tuple[int, str]]:
    """The calls of graphs, with the output asked for, that an output of this graph always needs."""
    waiting = [(place, output) for place, node in enumerate(wiring.graph.nodes) if node.type == LEAVE]
    seen: set[int] = set()
    while waiting:
        supplied = wiring.supplied.get(waiting.pop())
        if supplied is None:
            continue
        source = wiring.graph.connections[supplied].source
        place = wiring.place[source.node]
        view = wiring.views[place]
        if view is None or view.is_exec:
            continue
        if isinstance(view.type.body, GraphBody):
            yield place, source.socket
        elif place not in seen:
            seen.add(place)
            waiting += [(place, socket.name) for socket in view.type.inputs if not socket.lazy]
