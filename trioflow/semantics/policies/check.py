"""What can be known to be wrong with policies before a run: each problem with its path and its cure (M5, P8)."""

from __future__ import annotations

import fnmatch
from collections.abc import Iterator
from typing import Any

from trioflow.model.composition import Boundary
from trioflow.model.graph import GraphNode
from trioflow.model.moving import reason_to_stay
from trioflow.model.node_type import FunctionBody, NodeType
from trioflow.model.policy import Laddered, Policy, RetryPolicy, Rung
from trioflow.model.types import describe_type
from trioflow.semantics.coercion import Mismatch, coerce_literal
from trioflow.semantics.policies.conditions import STATUS, known_names
from trioflow.semantics.policies.ladder import laddered
from trioflow.semantics.report import Problem, error, warning
from trioflow.semantics.wiring import Wiring

COST = {"low": 1.5, "normal": 1.0, "high": 0.6, "critical": 0.5}
"""What a call costs, times its weight, by priority (P7)."""

LEAST_COST = 0.5


def cost(weight: float, priority: str) -> float:
    """What a call costs where a rate is limited (P7)."""
    return max(LEAST_COST, weight * COST[priority])


def check_policies(wiring: Wiring) -> Iterator[Problem]:
    """Policies of nodes and of patterns: what contradicts itself, names what is not there, or can't be met."""
    graph = wiring.graph
    if not wiring.has_policies:
        return
    types = {view.type.id for view in wiring.views if view is not None}
    for pattern, policy in graph.policies.items():
        path = f'policies["{pattern}"]'
        if wiring.typed and not any(fnmatch.fnmatchcase(each, pattern) for each in types):
            message = f"No node of the graph has a type that {pattern!r} means."
            known = ", ".join(sorted(types)[:8])
            cure = f"Write a pattern of types such as 'http.*', or remove it. Types here: {known}."
            yield warning("unmatched-pattern", path, f"{message}{wiring.suggest(pattern, types)}", cure, "P8")
        yield from _check_values(wiring, policy, path)
    for place, (node, view) in enumerate(zip(graph.nodes, wiring.views, strict=True)):
        if node.policy is not None:
            yield from _check_values(wiring, node.policy, f"nodes[{place}].policy")
        found = None if view is None else laddered(graph, node, view.type, {}, node.id)
        if view is not None and found is not None:
            yield from _check_node(wiring, place, node, view.type, found)
            yield from _check_place(place, node, view.type, found)
    yield from _check_circles(wiring)


def fallback_of(wiring: Wiring, place: int) -> int | None:
    """The place of the node that is fired where this one fails; None if there is none."""
    node, view = wiring.graph.nodes[place], wiring.views[place]
    found = None if view is None else laddered(wiring.graph, node, view.type, {}, node.id)
    fallback = None if found is None else found.policy.fallback
    return None if fallback is None or fallback.node is None else wiring.place.get(fallback.node)


def supplied_by_fallbacks(wiring: Wiring) -> Iterator[tuple[int, str]]:
    """The inputs that get their values where a node takes the place of another (P5)."""
    for place, view in enumerate(wiring.views if wiring.has_policies else ()):
        other = fallback_of(wiring, place)
        if view is not None and other is not None:
            yield from ((other, socket.name) for socket in view.type.inputs)
            yield other, "error"


# --- values of one policy --------------------------------------------------------------------------------------------


def _check_values(wiring: Wiring, policy: Policy, path: str) -> Iterator[Problem]:
    """What is wrong with a policy whosever it is."""
    if policy.retry is not None:
        yield from _check_retry(wiring, policy.retry, f"{path}.retry")
    if policy.rate is not None:
        price = cost(policy.rate.weight, policy.priority or "normal")
        if price > policy.rate.capacity:
            message = f"A call costs {price:g}, and no more than {policy.rate.capacity:g} may come at once."
            cure = "Raise burst, or lower weight."
            yield error("unmeetable", f"{path}.rate", message, cure, "P3")
    for name, amount in policy.quota.items():
        if amount < 1:
            message = f"Expected a whole number of at least 1, got {amount}."
            yield error("bad-policy", f"{path}.quota.{name}", message, "Remove it, if none is needed.", "P4")
    fallback = policy.fallback
    if fallback is not None:
        said = [name for name in ("node", "value") if getattr(fallback, name) is not None]
        if len(said) == 2 or (not said and fallback.exit is None):
            message = f"Expected a node, a value or an exit, got {' and '.join(said) or 'nothing'}."
            yield error("bad-policy", f"{path}.fallback", message, "Say one thing that is to be done instead.", "P5")


def _check_retry(wiring: Wiring, retry: RetryPolicy, path: str) -> Iterator[Problem]:
    if retry.backoff != "none" and retry.delay > retry.max_delay:
        message = f"The first delay is {retry.delay:g} s, and none may be more than {retry.max_delay:g} s."
        yield error("contradictory-policy", f"{path}.delay", message, "Raise max_delay, or lower delay.", "P1")
    twice = sorted({*retry.on} & {*retry.not_on})
    if twice:
        message = f"{', '.join(map(repr, twice))} is both to be tried again and not."
        yield error("contradictory-policy", f"{path}.not_on", message, "Remove it from one of the two.", "P1")
    known: set[str] = set()
    for key in ("on", "not_on"):
        for place, name in enumerate(getattr(retry, key)):
            known = known or known_names()
            if name not in known and not STATUS.fullmatch(name):
                message = f"No error is known that is called {name!r}.{wiring.suggest(name, _short(known))}"
                cure = (
                    "Write the name of a class, such as 'OSError', its full name, such as 'package.module.Error', or a "
                    "code such as 'http.5xx'. An error of a module that is not imported yet is not known here."
                )
                yield warning("unknown-error", f"{path}.{key}[{place}]", message, cure, "P1")


def _short(known: set[str]) -> list[str]:
    return [name for name in known if "." not in name and not name.startswith("_")]


# --- policies of one node --------------------------------------------------------------------------------------------


def _check_node(wiring: Wiring, place: int, node: GraphNode, node_type: NodeType, found: Laddered) -> Iterator[Problem]:
    """What is wrong with the policy of a node, as it is from all rungs."""
    policy = found.policy
    said_here = {name for name, rung in found.said_by.items() if rung.level == "node"}
    path = f"nodes[{place}].policy"
    if isinstance(node_type.body, Boundary):
        if node.policy is not None:
            message = f"{node.id!r} is the boundary of the graph, which does nothing that could fail."
            yield error("no-policy", path, message, "Give it to a node inside, or to the node that calls.", "P8")
        return
    if not node_type.is_exec:
        acting: list[str] = [name for name in ("skip", "quarantine") if name in said_here]
        if "fallback" in said_here and policy.fallback is not None and policy.fallback.value is None:
            acting.append("fallback")
        for name in acting:
            message = f"{node.id!r} is a data node: whoever asks for its value needs one."
            cure = "Give it a fallback with a value."
            yield error("no-policy", f"{path}.{name}", message, cure, "P5")
    if wiring.graph.kind == "workflow" and node_type.is_exec and "limit" in said_here:
        message = f"{node.id!r} is a node of a workflow, whose firings wait before they start."
        cure = (
            f"Write limit: {policy.limit.at_once if policy.limit else 1} at the node itself, or a group of the graph."
        )
        yield error("no-policy", f"{path}.limit", message, cure, "P3")
    total, each = policy.timeout, policy.attempt_timeout
    if total and each and each > total:
        rungs = {name: found.said_by[name] for name in ("timeout", "attempt_timeout")}
        message = (
            f"{node.id!r} has {total:g} s for all attempts ({rungs['timeout']}) and {each:g} s for each "
            f"({rungs['attempt_timeout']}): no attempt ever gets so far."
        )
        make = error if rungs["timeout"] == rungs["attempt_timeout"] else warning
        yield make("contradictory-policy", f"{path}.attempt_timeout", message, "Change one of the two.", "P5")
    if policy.fallback is not None and node_type.is_exec:
        yield from _check_fallback(wiring, place, node, node_type, found)
    elif policy.fallback is not None and policy.fallback.value is not None:
        yield from _check_value(wiring, place, node_type, policy.fallback.value)


def _check_place(place: int, node: GraphNode, node_type: NodeType, found: Laddered) -> Iterator[Problem]:
    """Whether the body can run where it is to; a pattern is for those that can."""
    if found.policy.run_on is None or isinstance(node_type.body, Boundary):
        return
    reason, rung = reason_to_stay(node_type), found.said_by["run_on"]
    if reason is not None and rung.level in {"node", "type"}:
        message = f"{node.id!r} can't run in another process ({rung}): {reason}."
        yield error("cant-move", f"nodes[{place}].policy.run_on", message, "Let it run here: remove run_on.", "A9")


def _check_fallback(
    wiring: Wiring, place: int, node: GraphNode, node_type: NodeType, found: Laddered
) -> Iterator[Problem]:
    fallback = found.policy.fallback
    assert fallback is not None
    path = f"nodes[{place}].policy.fallback"
    exits = [each.name for each in node_type.exec_outputs]
    if fallback.exit is not None and fallback.exit not in exits:
        message = f"{node.id!r} has no exec output {fallback.exit!r}.{wiring.suggest(fallback.exit, exits)}"
        yield error("unknown-socket", f"{path}.exit", message, f"Name one of: {', '.join(exits) or 'none'}.", "P5")
    if fallback.value is not None:
        yield from _check_value(wiring, place, node_type, fallback.value)
    if fallback.node is None:
        if fallback.exit is None and len(exits) > 1 and fallback.value is not None:
            message = f"{node.id!r} has the exec outputs {', '.join(exits)}."
            yield error("no-exit", path, message, "Say at which it goes on: exit.", "P5")
        return
    other = wiring.place.get(fallback.node)
    if other is None:
        known = [each.id for each in wiring.graph.nodes]
        message = f"There is no node {fallback.node!r}.{wiring.suggest(fallback.node, known)}"
        yield error("unknown-node", path, message, "Name a node of this graph.", "P5")
        return
    if other == place:
        message = f"{node.id!r} is its own fallback, and would fail again."
        yield error("fallback-circle", path, message, "Name another node, or give it a retry.", "P5")
        return
    view = wiring.views[other]
    if view is not None:
        yield from _check_instead(wiring, path, node_type, found.said_by["fallback"], other, view.type)


def _check_instead(
    wiring: Wiring, path: str, node_type: NodeType, rung: Rung, other: int, instead: NodeType
) -> Iterator[Problem]:
    """Whether one node can take the place of another."""
    node = wiring.graph.nodes[other]
    if not instead.is_exec or isinstance(instead.body, Boundary):
        message = f"{node.id!r} ({instead.id}) can't be fired: it is not an exec node with a body."
        yield error("bad-fallback", path, message, "Name an exec node.", "P5")
        return
    wires = [
        str(wire)
        for wire in wiring.graph.connections
        if (wire.target.node == node.id and wire.target.socket not in instead.input_index)
        or (wire.source.node == node.id and wire.source.socket in instead.exec_output_index)
    ]
    if wires:
        message = f"{node.id!r} takes the place of another node, and has an exec wire of its own: {wires[0]}."
        yield error("bad-fallback", path, message, "Remove the wire: its outputs become those of the other.", "P5")
    if instead.initiator if node.initiator is None else node.initiator:
        message = f"{node.id!r} takes the place of another node, and starts by itself."
        yield error("bad-fallback", path, message, "Name a node that does not start runs.", "P5")
    missing = [each.name for each in node_type.outputs if each.name not in instead.output_index]
    if missing and isinstance(node_type.body, FunctionBody):
        message = f"{node.id!r} has no output {missing[0]!r}, which would be missing."
        yield error("bad-fallback", path, message, "Name a node with outputs of the same names.", "P5")
    exits = [each.name for each in node_type.exec_outputs]
    goes_on = [each.name for each in instead.exec_outputs]
    policy = rung.policy.fallback
    if policy is not None and policy.exit is None and len(exits) > 1 and goes_on and not {*exits} & {*goes_on}:
        message = f"{node.id!r} goes on at {', '.join(goes_on)}, which is not one of {', '.join(exits)}."
        yield error("no-exit", path, message, "Say at which it goes on: exit.", "P5")


def _check_value(wiring: Wiring, place: int, node_type: NodeType, value: Any) -> Iterator[Problem]:
    path = f"nodes[{place}].policy.fallback.value"
    known = [each.name for each in node_type.outputs]
    for name, each in value.items():
        index = node_type.output_index.get(name)
        if index is None:
            message = f"{wiring.name(place)} has no data output {name!r}.{wiring.suggest(name, known)}"
            yield error("unknown-socket", path, message, f"Name one of: {', '.join(known) or 'none'}.", "P5")
            continue
        try:
            coerce_literal(each, node_type.outputs[index].type, wiring.registry.converters)
        except Mismatch as mismatch:
            message = f"Output {name!r}: {mismatch}."
            cure = f"Give it a value of type {describe_type(node_type.outputs[index].type)}."
            yield error("type-mismatch", path, message, cure, "D11")
    missing = [name for name in known if name not in value]
    if missing and isinstance(node_type.body, FunctionBody):
        message = f"Output {missing[0]!r} of {wiring.name(place)} would be missing."
        yield error("bad-fallback", path, message, "Give a value for each output.", "P5")


def _check_circles(wiring: Wiring) -> Iterator[Problem]:
    """A fallback that leads back to a node that has failed before would go on for ever."""
    told: set[int] = set()
    for place in range(len(wiring.graph.nodes)):
        way = [place]
        while (other := fallback_of(wiring, way[-1])) is not None and other not in way:
            way.append(other)
        if other == place and len(way) > 1 and told.isdisjoint(way):
            told |= {*way}
            message = f"Fallbacks lead in a circle: {' -> '.join(map(wiring.name, [*way, place]))}."
            cure = "Let the last of them fail, or give it a value."
            yield error("fallback-circle", f"nodes[{place}].policy.fallback", message, cure, "P5")
