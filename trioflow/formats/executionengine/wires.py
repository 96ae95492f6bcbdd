"""Connections, and the interface of a graph that is called."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from trioflow.formats.executionengine.code import socket_of
from trioflow.formats.executionengine.conditions import names_at, refuse
from trioflow.formats.executionengine.definition import CODE, LOOPS, Node, Wire
from trioflow.formats.executionengine.expressions import Untranslatable, translate
from trioflow.formats.executionengine.level import Level
from trioflow.formats.fields import Fields
from trioflow.model.graph import Connection, Endpoint, Entry, Exit, GraphNode, Input, Interface, Output


def connect(level: Level, wire: Wire) -> None:
    """Wire what a connection leads from to what it leads to."""
    source, when, enabled = wire.source, "", wire.enabled
    if wire.is_body:
        start, on = Endpoint(source.id, "body"), "completed"
    elif "Next" in wire.triggers:
        message = f"{source.id!r} sends no items: only ForEach and While do."
        level.notes.error("no-counterpart", wire.path, message, "Use Complete.")
        return
    else:
        both = {"Complete", "Fail"} <= wire.triggers
        on = "ended" if both else "failed" if "Fail" in wire.triggers else "completed"
        exit_ = source.exits.get(wire.port.lower())
        if exit_ is None:
            ports = ", ".join(port for port in source.exits if port) or "none"
            message = f"{source.id!r} has no port {wire.port!r}. It has: {ports}."
            level.notes.error("unknown-port", wire.path, message, "The connection is left out.")
            return
        start = Endpoint(source.id, exit_ if on == "completed" else "")
        when = source.conditions.get(wire.port.lower(), "") if on == "completed" else ""
        if source.type in {"IfElse", "Switch"} and wire.port and not when and on == "completed":
            enabled = False  # its condition was refused
    if wire.condition:
        try:
            condition = translate(wire.condition, names_at(level, source))
            when = f"({when}) && ({condition})" if when else condition
        except Untranslatable as error:
            refuse(level, f"{wire.path}.condition", wire.condition, error)
            enabled = False
    end = Endpoint(
        wire.target.id, socket_of(wire.target_port) if wire.target_port and wire.target.type in CODE else "enter"
    )
    outcome: Any = on
    level.connections.append(
        Connection(start, end, on=outcome, when=when or None, priority=wire.priority, enabled=enabled)
    )


def make_interface(level: Level, entries: Sequence[Node], in_bodies: set[str], container: Fields | None) -> Interface:
    """Let the graph be called: wires from where it is entered, and to where it is left when all has ended."""
    assert level.enter is not None
    enter, leave, end = level.enter.node, level.free("leave"), level.free("end")
    level.helpers.append(GraphNode(enter, "graph.enter"))
    for node in entries:
        level.connections.append(Connection(Endpoint(enter, "enter"), Endpoint(node.id, "enter")))
    results = [
        (node.id, node.result) for node in level.nodes.values() if node.result is not None and node.type not in LOOPS
    ]
    names = {f"in_{number}": name for number, (name, _) in enumerate(results, 1)}
    kind_ = "value.collect" if container is not None else "value.join"
    collect = level.helper("results", kind_, config={"inputs": names})
    for name, (_, result) in zip(names, results, strict=True):
        level.connections.append(Connection(result, Endpoint(collect, name)))
    result = Endpoint(collect, "result")
    if container is not None:
        mode = container.choice("executionMode", ("Parallel", "Sequential", "Mixed"), "Parallel")
        counts = {"TotalChildren": len(level.nodes), "CompletedChildren": len(level.nodes), "ExecutionMode": mode}
        whole = level.helper("all results", "dict.set", {"entries": counts, "key": "ChildResults"})
        level.connections.append(Connection(result, Endpoint(whole, "value")))
        result = Endpoint(whole, "result")
    level.helpers += [GraphNode(end, "state.keep"), GraphNode(leave, "graph.leave")]
    level.connections.append(Connection(result, Endpoint(end, "value")))
    for node in level.nodes.values():
        if node.id not in in_bodies and node.id not in level.undoing | level.standby:
            level.connections.append(Connection(Endpoint(node.id, node.exits[""]), Endpoint(end, "enter")))
    level.connections += [
        Connection(Endpoint(end, "then"), Endpoint(leave, "then")),
        Connection(Endpoint(end, "kept"), Endpoint(leave, "result")),
    ]
    return Interface(
        entries=[Entry("enter")],
        exits=[Exit("then")],
        inputs=[Input("input", "any", {})],
        outputs=[Output("result")],
    )
