"""From a workflow definition of ExecutionEngine to a workflow of ours.

A node there has one output, a dictionary, and gets those of the nodes before it, put together; here too: the data input
`input` of a node is the `result` of the node before it, or a `value.join` of several. Each node and the workflow keep
what they were read from in `metadata`, for an export.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import attrs

from trioflow.errors import DocumentError
from trioflow.formats.executionengine.code import code_node, unknown
from trioflow.formats.executionengine.control import for_each, if_else, pass_on, switch, timer, while_
from trioflow.formats.executionengine.definition import INSIDE, JOINS, PRIORITIES, Node
from trioflow.formats.executionengine.entries import find_entries, ids_in_bodies, mark_entries, mark_standby
from trioflow.formats.executionengine.expressions import member
from trioflow.formats.executionengine.inputs import feed
from trioflow.formats.executionengine.level import KEY, Context, Level
from trioflow.formats.executionengine.policies import policy_of
from trioflow.formats.executionengine.reading import chain, read_level
from trioflow.formats.executionengine.subflow import if_there_inside, subflow
from trioflow.formats.executionengine.wires import connect, make_interface
from trioflow.formats.fields import Fields, kind
from trioflow.formats.port import Document, Imported, ImportOptions, Notes
from trioflow.model.graph import Endpoint, Graph, GraphNode, Variable
from trioflow.model.policy import Policy
from trioflow.model.registry import Registry

WORKFLOW = ("workflowId", "workflowName", "description", "version", "nodes", "connections", "metadata",
            "entryPointNodeId", "maxConcurrency", "allowPause", "timeoutSeconds", "defaultVariables")  # fmt: skip


def import_definition(document: Document, registry: Registry, options: ImportOptions) -> Imported:
    """The workflow that a definition says. Raises `DocumentError` for what is no definition."""
    notes = Notes()
    if not isinstance(document.tree, dict):
        raise DocumentError(document.name, [f"expected a workflow definition, an object, got {kind(document.tree)}."])
    fields = Fields(document.tree, "", notes, lenient=True)
    if not any(name in fields for name in ("nodes", "workflowId")):
        raise DocumentError(document.name, ["expected a workflow definition, with workflowId, nodes and connections."])
    return Imported(make_workflow(Context(document, notes, options), fields), tuple(notes))


def make_workflow(context: Context, fields: Fields) -> Graph:
    """The workflow that a definition says."""
    notes = context.notes
    for name in ("workflowId", "workflowName", "description", "version"):
        fields.text(name)
    fields.mapping("metadata")
    if not fields.text("workflowId"):
        notes.warning("bad-value", fields.at("workflowId"), "The workflow has no id.")
    limit = fields.whole("maxConcurrency", 0)
    if not fields.flag("allowPause", True):
        notes.info("differs", fields.at("allowPause"), "Whoever runs it can pause it, whatever it says.")
    seconds = fields.whole("timeoutSeconds", 0)
    if seconds:
        cure = f"`trioflow run --timeout {seconds}`, or RunOptions(timeout={seconds})."
        notes.info("differs", fields.at("timeoutSeconds"), "The time of a run is limited by whoever runs it:", cure)
    defaults = fields.mapping("defaultVariables")
    level = Level(context, "", fields, "nodes", "connections", variables=defaults, inherited=frozenset())
    read_level(level)
    graph = make_graph(
        level, limit=limit or None, entry=fields.text("entryPointNodeId"), called=context.options.called, container=None
    )
    tell_timeouts(context, fields, level)
    fields.tell_left()
    policies = {"*": Policy(timeout=10.0)} if context.options.timeouts == "theirs" else {}
    frame = {name: value for name, value in fields.raw.items() if name.lower() not in {"nodes", "connections"}}
    kept = {"document": frame, **level.kept}
    variables = [Variable(name, "any", value) for name, value in level.variables.items()]
    return attrs.evolve(graph, policies=policies, variables=variables, metadata={KEY: kept})


def tell_timeouts(context: Context, fields: Fields, level: Level) -> None:
    """Say how the time of nodes and of the workflow is limited."""
    if context.options.timeouts == "theirs":
        if "timeoutSeconds" not in fields:
            message = "The other program ends a workflow after 30 s unless it says otherwise:"
            context.notes.info("differs", "nodes", message, "`trioflow run --timeout 30`.")
    elif level.nodes and not any("timeout" in node.fields for node in level.nodes.values()):
        whole = "" if "timeoutSeconds" in fields else " and a workflow after 30 s"
        message = (
            f"No node says how long it may take: the other program ends one after 10 s{whole}, which is not so here."
        )
        context.notes.info("differs", "nodes", message, "`--timeouts theirs` limits nodes as there.")


def make_graph(level: Level, *, limit: int | None, entry: str, called: bool, container: Fields | None) -> Graph:
    """The graph; one that is called has an interface: an entry, an exit, `input` and `result`."""
    mark_standby(level)
    in_bodies = ids_in_bodies(level)
    entries = find_entries(level, entry)
    level.entries = {node.id for node in entries}
    if called:
        level.enter = Endpoint(level.free("enter"), "input")
    for node in level.nodes.values():
        make_node(level, node)
    for wire in level.wires:
        connect(level, wire)
    for places in level.notes_once.values():
        (path, message), more = places[0], f" (so for {len(places):,})" if len(places) > 1 else ""
        level.notes.info("differs", path, f"{message}{more}.")
    interface = make_interface(level, entries, in_bodies, container) if called else None
    mark_entries(level, entry, called=called)
    return Graph(
        kind="workflow",
        limit=limit,
        interface=interface,
        nodes=(*level.made, *level.helpers),
        connections=level.connections,
        graphs=level.graphs,
    )


def make_node(level: Level, node: Node) -> None:
    """Make what a node becomes."""
    fields, notes = node.fields, level.notes
    for name in ("nodeName", "description"):
        fields.text(name)
    fields.mapping("metadata")
    node.exits[""] = "then"
    policy = policy_of(fields, notes, fallback=fields.text("fallbackNodeId") if level.standby else "")
    settings: dict[str, Any] = {"policy": policy} if policy is not None else {}
    undo = fields.text("compensationNodeId")
    if undo in level.undoing and undo != node.id:
        settings["undo"] = undo
    priority = fields.choice("priority", PRIORITIES, "Normal").lower()
    at_once = fields.whole("maxConcurrentExecutions", 0)
    if priority != "normal":
        settings["priority"] = priority
    if at_once:
        settings["limit"] = at_once
    set_join(level, node, settings)
    if node.id in level.standby and not level.incoming.get(node.id):
        settings["initiator"] = False
    made = _MAKERS.get(node.type, code_node)(level, node, settings)
    kept = {name: value for name, value in fields.raw.items() if name.lower() not in INSIDE}
    fields.tell_left()
    level.made.append(attrs.evolve(made, metadata={**made.metadata, KEY: kept}))


def set_join(level: Level, node: Node, settings: dict[str, Any]) -> None:
    """Say how a node waits for its wires."""
    fields = node.fields
    said = fields.choice("joinType", JOINS, "All")
    wires = [wire for wire in level.incoming.get(node.id, ()) if wire.enabled]
    if len(wires) < 2:
        return
    if said == "Any":
        settings["join"] = "first"
        message = f"{node.id!r} runs for the first that comes; what comes later is dropped, as the program does."
        level.notes.info("differs", fields.at("joinType"), message)
    elif "joinType" not in fields:
        level.once("join", node.path, f"{node.id!r} says no joinType: it waits for all that can still come")


def container_node(level: Level, node: Node, settings: dict[str, Any]) -> GraphNode:
    """A node that calls the graph of a container."""
    fields = node.fields
    mode = fields.choice("executionMode", ("Parallel", "Sequential", "Mixed"), "Parallel")
    inner = Level(
        level.context, f"{level.prefix}{node.id}/", fields, "childNodes", "childConnections", variables={},
        inherited=frozenset(level.variables) | level.inherited,
    )  # fmt: skip
    read_level(inner)
    if not inner.nodes:
        level.notes.warning("bad-value", node.path, f"Container {node.id!r} holds no nodes.")
    if mode == "Sequential" and not inner.wires:
        chain(inner)
    limit = 1 if mode == "Sequential" else None
    graph = make_graph(inner, limit=limit, entry="", called=True, container=fields)
    kept = {"connections": inner.kept["connections"] if not inner.chained else [], **(
        {"dropped": inner.dropped} if inner.dropped else {})}  # fmt: skip
    level.graphs[node.id] = attrs.evolve(graph, metadata={KEY: kept})
    node.result = Endpoint(node.id, "result")
    made = GraphNode(node.id, f"graph:{node.id}", **settings)
    feed(level, node, "input", made, variables=True)
    if level.prefix:
        level.written += [((node.id, *steps), key, name) for steps, key, name in inner.written]
        return made
    values: dict[str, str] = {}
    for steps, key, name in inner.written:
        level.variables.setdefault(name, None)
        values[name] = if_there_inside(steps, key, values.get(name, member("vars", name)))
    return attrs.evolve(made, set=values) if values else made


_MAKERS: Mapping[str, Callable[[Level, Node, dict[str, Any]], GraphNode]] = {
    "IfElse": if_else,
    "ForEach": for_each,
    "While": while_,
    "Switch": switch,
    "Subflow": subflow,
    "Container": container_node,
    "Noop": pass_on,
    "Timer": timer,
    "Manual": pass_on,
    "Event": unknown,
}
