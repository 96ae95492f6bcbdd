"""What only the whole graph shows: cycles, and what is never reached (M4, M5).

All walks are iterative and linear in the size of the graph, so that a chain of any length is checked.
"""

from __future__ import annotations

import inspect
import types
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any

from trioflow.model.composition import ENTER, LEAVE, GraphBody
from trioflow.model.node_type import FunctionBody, Node, NodeType
from trioflow.semantics.report import Problem, error, info, warning
from trioflow.semantics.wiring import Wiring

Edges = Mapping[int, Sequence[int]]

_AWAITING = frozenset({"trigger", "emit", "branches"})


def check_data_cycles(wiring: Wiring) -> Iterator[Problem]:
    """A value can't depend on itself, unless an exec node lies between, which makes it feedback (M5)."""
    # Exec nodes are nobody's demand, so a knot of demands is made of data nodes alone.
    for knot in knots(wiring.demands):
        cycle = cycle_through(min(knot), knot, wiring.demands)
        cycle = [cycle[0], *reversed(cycle[1:])]  # in the direction of the values
        yield error(
            "data-cycle",
            f"nodes[{cycle[0]}]",
            f"Data nodes depend on each other: {_round(wiring, cycle)}{_others(knot, cycle)}.",
            "Break the cycle, or pass the value through an exec node, which makes it feedback.",
        )


def check_exec_cycles(wiring: Wiring) -> Iterator[Problem]:
    """A loop made of wires runs in constant memory if each node in it hands over; one that awaits nests (T6, T9)."""
    known: dict[NodeType, bool] = {}
    if wiring.graph.kind == "workflow":
        return  # a wire that leads back is a token, and what awaits one waits for a scope of its own (W13)
    for knot in knots(wiring.dispatches):
        awaiting = [place for place in sorted(knot) if _may_await(wiring, place, known)]
        if not awaiting:
            continue
        cycle = cycle_through(awaiting[0], knot, wiring.dispatches)
        yield warning(
            "exec-cycle",
            f"nodes[{awaiting[0]}]",
            f"Control comes back to a node that may await its trigger: {_round(wiring, cycle)}{_others(knot, cycle)}.",
            "That is legal, but each round nests. Let each node in the cycle return the exec output it goes on at.",
        )


def _may_await(wiring: Wiring, place: int, known: dict[NodeType, bool]) -> bool:
    view = wiring.views[place]
    if view is None:
        return False
    if view.type not in known:
        known[view.type] = may_await(view.type)
    return known[view.type]


def may_await(node_type: NodeType) -> bool:
    """Whether bodies of this type may await what they start, instead of handing over (T6)."""
    body = node_type.body
    if isinstance(body, GraphBody):
        # A call goes on at its exits when it is over; only a callback is awaited inside of it (C6).
        exits = body.graph.interface.exits if body.graph.interface else ()
        return any(each.callback for each in exits)
    return may_call(node_type, _AWAITING)


def may_call(node_type: NodeType, methods: frozenset[str]) -> bool:
    """Whether bodies of this type may call one of these methods of their context.

    What a body will do can't be known. The rule: it may if its code, or that of any method of its class, has the name,
    or can't be looked at. A function without a context has nothing to call. A body that leaves it to a function
    elsewhere is not recognised: this is for warnings, and for what is checked again where it happens.
    """
    body: Any = node_type.body
    if isinstance(body, FunctionBody):
        return any(parameter.fill == "context" for parameter in body.parameters) and _names(body.function, methods)
    return isinstance(body, type) and _class_may_call(body, methods)


@lru_cache(maxsize=1024)
def _class_may_call(body: Any, methods: frozenset[str]) -> bool:
    """The same of a class, which many node types may have whose sockets their nodes configure."""
    own = body.__mro__[: body.__mro__.index(Node)]
    routines = [method for cls in own for method in vars(cls).values() if inspect.isroutine(method)]
    return not routines or any(_names(method, methods) for method in routines)


def _names(method: Any, names: frozenset[str]) -> bool:
    function: Callable[..., Any] = inspect.unwrap(method)
    code = getattr(function, "__code__", None)
    waiting = [code]
    while waiting:
        code = waiting.pop()
        if not isinstance(code, types.CodeType):
            return True
        if not names.isdisjoint(code.co_names):
            return True
        waiting += [constant for constant in code.co_consts if isinstance(constant, types.CodeType)]
    return False


def check_starts(wiring: Wiring) -> Iterator[Problem]:
    """Something must start the graph, an initiator or an event, and only exec nodes can (M4)."""
    for place in _marked(wiring):
        view = wiring.views[place]
        if view is not None and not view.is_exec:
            yield error(
                "data-initiator",
                f"nodes[{place}].initiator",
                f"{wiring.name(place)} is a data node ({view.type.id}), which runs only when its value is asked for.",
                "Mark an exec node.",
                "M4",
            )
    # A node of an unknown type may be the one that starts. A graph that is called starts where its caller enters (C3),
    # a data graph where it is asked.
    interface = wiring.graph.interface
    called = interface is not None and (bool(interface.entries) or not interface.is_exec)
    if not wiring.typed or called or initiators(wiring):
        return
    if _listeners(wiring):
        yield info(
            "no-initiator",
            "nodes",
            "No node starts the graph: it waits for events that the host publishes.",
            "Run it with open_run and RunOptions(stay_open=True), or add a node of a type such as flow.start.",
            "M4",
        )
    else:
        yield error(
            "no-initiator",
            "nodes",
            "No node starts the graph, so nothing would run.",
            'Add a node of a type such as flow.start, or mark one with "initiator": true.',
            "M4",
        )


def _marked(wiring: Wiring) -> list[int]:
    return [place for place, node in enumerate(wiring.graph.nodes) if node.initiator]


def initiators(wiring: Wiring) -> list[int]:
    """Where runs of the graph start (M4); in a workflow, the nodes that fire without a token (W2)."""
    if wiring.graph.kind == "workflow":
        return firing_first(wiring)
    return [
        place
        for place, (node, view) in enumerate(zip(wiring.graph.nodes, wiring.views, strict=True))
        if view is not None and view.is_exec and (view.type.initiator if node.initiator is None else node.initiator)
    ]


def firing_first(wiring: Wiring) -> list[int]:
    """The nodes of a workflow that fire once, with no token (W2).

    No wire leads to them, or they are marked, or they are the first of a circle that nothing leads into; those that
    undo something never are.
    """
    nodes = wiring.graph.nodes
    led_to = {place for targets in wiring.dispatches.values() for place in targets}
    instead = {
        wiring.graph.nodes[other].id
        for place in range(len(nodes))
        if wiring.has_policies and (other := _fallback_of(wiring, place)) is not None
    }  # P5
    undoing = {node.undo for node in nodes} | instead
    circles = {place: index for index, knot in enumerate(knots(wiring.dispatches)) for place in knot}
    entered = {circles[place] for place in circles if nodes[place].initiator}
    for source, targets in wiring.dispatches.items():
        entered |= {circles[place] for place in targets if place in circles and circles.get(source) != circles[place]}
    found: list[int] = []
    for place, (node, view) in enumerate(zip(nodes, wiring.views, strict=True)):
        if view is None or not view.is_exec or view.type.listens is not None or node.type in (ENTER, LEAVE):
            continue
        if node.id in undoing or node.initiator is False:
            continue
        if node.initiator or place not in led_to:
            found.append(place)
        elif place in circles and circles[place] not in entered:
            entered.add(circles[place])
            found.append(place)
    return found


def _listeners(wiring: Wiring) -> list[int]:
    return [place for place, view in enumerate(wiring.views) if view is not None and view.type.listens is not None]


def _fallback_of(wiring: Wiring, place: int) -> int | None:
    from trioflow.semantics.policies.check import fallback_of  # noqa: PLC0415 - only if there are policies

    return fallback_of(wiring, place)


def check_reachable(wiring: Wiring, *, by_itself: bool) -> Iterator[Problem]:
    """An exec node is reached through exec wires, a data node by whoever asks for its value (M5)."""
    interface = wiring.graph.interface
    starts = [place for place, node in enumerate(wiring.graph.nodes) if node.type in (ENTER, LEAVE)]
    if interface is None or interface.is_exec or by_itself:  # a data graph that is called starts nothing (C2)
        starts = sorted({*starts, *initiators(wiring)})
    starts += _listeners(wiring)
    if not wiring.complete or not starts:
        return
    starts += [wiring.place[node.undo] for node in wiring.graph.nodes if node.undo in wiring.place]  # W17
    fallbacks = range(len(wiring.graph.nodes)) if wiring.has_policies else ()
    # Reading the output of an exec node does not run it (D2), so it is not among the demands.
    fired = {place: [other] for place in fallbacks if (other := _fallback_of(wiring, place)) is not None}  # P5
    reached = walk(starts, wiring.dispatches, wiring.demands, fired)
    if len(reached) == len(wiring.graph.nodes):
        return
    for place in range(len(wiring.graph.nodes)):
        if place not in reached:
            cause = "no initiator or listener leads to it"
            if not wiring.is_exec(place):
                cause = "nothing that runs asks for its value"
            message = f"{wiring.name(place)} never runs: {cause}."
            yield warning("unreachable", f"nodes[{place}]", message, "Wire it up, or remove it.")


# --- walks ---


def walk(starts: Iterable[int], *edges: Edges) -> set[int]:
    """What can be reached from these over edges of any of these kinds, themselves included."""
    reached = set(starts)
    waiting = list(reached)
    while waiting:
        place = waiting.pop()
        for ways in edges:
            for other in ways.get(place, ()):
                if other not in reached:
                    reached.add(other)
                    waiting.append(other)
    return reached


def knots(edges: Edges) -> list[set[int]]:
    """The sets of nodes that lie on cycles with each other, ordered by their first node.

    Tarjan's algorithm: a walk into the depth numbers the nodes; the first node of a knot is the one from which no
    node with a smaller number is reached. Its path is a list, so no depth exhausts the stack.
    """
    found: list[set[int]] = []
    number: dict[int, int] = {}
    lowest: dict[int, int] = {}  # the smallest number that was reached from a node
    pending: dict[int, None] = {}  # numbered, but of no knot yet; in the order of the numbers
    for root in edges:
        path = [root] if root not in number else []
        ways: list[Iterator[int]] = []
        while path:
            node = path[-1]
            if node not in number:
                number[node] = lowest[node] = len(number)
                pending[node] = None
                ways.append(iter(edges.get(node, ())))
            other = _first_new(node, ways[-1], number, lowest, pending)
            if other is not None:
                path.append(other)
                continue
            path.pop()
            ways.pop()
            if path:
                lowest[path[-1]] = min(lowest[path[-1]], lowest[node])
            if lowest[node] == number[node]:
                knot = _taken_back_to(node, pending)
                if len(knot) > 1 or node in edges.get(node, ()):
                    found.append(knot)
    return sorted(found, key=min)


def _first_new(
    node: int, ways: Iterator[int], number: dict[int, int], lowest: dict[int, int], pending: dict[int, None]
) -> int | None:
    for other in ways:
        if other not in number:
            return other
        if other in pending:
            lowest[node] = min(lowest[node], number[other])
    return None


def _taken_back_to(node: int, pending: dict[int, None]) -> set[int]:
    knot: set[int] = set()
    while node not in knot:
        knot.add(pending.popitem()[0])
    return knot


def cycle_through(start: int, knot: set[int], edges: Edges) -> list[int]:
    """A shortest cycle through a node of a knot, from there on."""
    came_from: dict[int, int] = {}
    waiting = deque([start])
    while waiting:
        node = waiting.popleft()
        for other in edges[node]:
            if other == start:
                cycle = [node]
                while cycle[-1] != start:
                    cycle.append(came_from[cycle[-1]])
                return cycle[::-1]
            if other in knot and other not in came_from:
                came_from[other] = node
                waiting.append(other)
    raise AssertionError(f"{start} is not in a knot")


def _round(wiring: Wiring, cycle: Sequence[int]) -> str:
    names = [wiring.name(place) for place in cycle]
    if len(names) > 12:
        names = [*names[:6], f"... ({len(names) - 12} more)", *names[-6:]]
    return " -> ".join([*names, names[0]])


def _others(knot: set[int], cycle: Sequence[int]) -> str:
    more = len(knot) - len(cycle)
    return f" ({len(knot)} nodes lie on cycles with each other)" if more else ""
