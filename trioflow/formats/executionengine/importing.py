"""From a workflow definition of ExecutionEngine to a workflow of ours.

A node there has one output, a dictionary, and gets those of the nodes before it, put together; here too: the data input
`input` of a node is the `result` of the node before it, or a `value.join` of several. Each node and the workflow keep
what they were read from in `metadata`, for an export.
"""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any, cast

import attrs

from trioflow.errors import DocumentError, did_you_mean
from trioflow.formats.executionengine.expressions import Untranslatable, member, translate
from trioflow.formats.executionengine.policies import policy_of
from trioflow.formats.fields import Fields, kind
from trioflow.formats.placeholder import Sockets, placeholder
from trioflow.formats.port import Document, Imported, ImportOptions, Notes
from trioflow.model.document import decoded
from trioflow.model.graph import Connection, Endpoint, Entry, Exit, Graph, GraphNode, Input, Interface, Output, Variable
from trioflow.model.policy import Policy
from trioflow.model.registry import Registry

KEY = "executionengine"
"""The key in metadata of what an import keeps for an export."""

WORKFLOW = ("workflowId", "workflowName", "description", "version", "nodes", "connections", "metadata",
            "entryPointNodeId", "maxConcurrency", "allowPause", "timeoutSeconds", "defaultVariables")  # fmt: skip
TYPES = ("CSharp", "CSharpScript", "CSharpTask", "PowerShell", "PowerShellTask", "IfElse", "ForEach", "While", "Switch",
         "Subflow", "Timer", "Container", "Noop")  # fmt: skip
PRIORITIES = ("Low", "Normal", "High", "Critical")
JOINS = {"All": "all", "Any": "first"}
CODE = frozenset({"CSharp", "CSharpScript", "CSharpTask", "PowerShell", "PowerShellTask"})
_INSIDE = frozenset({"childnodes", "childconnections"})
_OWN = frozenset({"script", "scriptpath", "scriptcontent", "assemblypath", "typename", "input", "error", "code",
                  "timeout", *_INSIDE})  # fmt: skip
"""What in a configuration is not for the code itself, in small letters."""
LOOPS = frozenset({"ForEach", "While"})
BODY = "loopbody"
_TRIGGERS = ("Complete", "Fail", "Progress", "Next")
_UP = 3
"""How many folders above a document are looked into for a file that it names: paths there are those of the program."""


def import_definition(document: Document, registry: Registry, options: ImportOptions) -> Imported:
    """The workflow that a definition says. Raises `DocumentError` for what is no definition."""
    notes = Notes()
    if not isinstance(document.tree, dict):
        raise DocumentError(document.name, [f"expected a workflow definition, an object, got {kind(document.tree)}."])
    fields = Fields(document.tree, "", notes, lenient=True)
    if not any(name in fields for name in ("nodes", "workflowId")):
        raise DocumentError(document.name, ["expected a workflow definition, with workflowId, nodes and connections."])
    reader = _Reader(document, notes, options)
    return Imported(reader.workflow(fields), tuple(notes))


@attrs.define
class _Node:
    """A node as it was read, with what its wires need of it."""

    id: str
    type: str
    fields: Fields
    path: str
    enter: str = "enter"
    exits: dict[str, str] = attrs.Factory(dict[str, str])
    """Our exec outputs by their ports, in small letters; the empty one is the usual."""
    result: Endpoint | None = None
    """Where what it gives is found; None if it gives nothing."""
    conditions: dict[str, str] = attrs.Factory(dict[str, str])
    """Under which condition a port is taken."""


@attrs.define
class _Wire:
    """A connection as it was read."""

    source: _Node
    target: _Node
    triggers: frozenset[str]
    condition: str
    enabled: bool
    priority: int
    port: str
    target_port: str
    path: str
    raw: Mapping[str, Any]

    @property
    def is_body(self) -> bool:
        """Whether it leads from a loop to what it repeats."""
        return self.source.type in LOOPS and (self.port.lower() == BODY or self.triggers == frozenset(["Next"]))

    @property
    def carries(self) -> bool:
        """Whether it brings what its source gives, and not a failure alone."""
        return self.enabled and self.triggers != frozenset(["Fail"])


class _Reader:
    def __init__(self, document: Document, notes: Notes, options: ImportOptions) -> None:
        self.document, self.notes, self.options = document, notes, options

    def workflow(self, fields: Fields) -> Graph:
        notes = self.notes
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
        level = _Level(self, "", fields, "nodes", "connections", variables=defaults, inherited=frozenset())
        level.read()
        graph = level.graph(
            limit=limit or None, entry=fields.text("entryPointNodeId"), called=self.options.called, container=None
        )
        self._timeouts(fields, level)
        fields.tell_left()
        policies = {"*": Policy(timeout=10.0)} if self.options.timeouts == "theirs" else {}
        frame = {name: value for name, value in fields.raw.items() if name.lower() not in {"nodes", "connections"}}
        kept = {"document": frame, **level.kept}
        variables = [Variable(name, "any", value) for name, value in level.variables.items()]
        return attrs.evolve(graph, policies=policies, variables=variables, metadata={KEY: kept})

    def _timeouts(self, fields: Fields, level: _Level) -> None:
        if self.options.timeouts == "theirs":
            if "timeoutSeconds" not in fields:
                message = "The other program ends a workflow after 30 s unless it says otherwise:"
                self.notes.info("differs", "nodes", message, "`trioflow run --timeout 30`.")
        elif level.nodes and not any("timeout" in node.fields for node in level.nodes.values()):
            message = (
                "No node says how long it may take: the other program ends one after 10 s and a workflow after 30 s, "
                "which is not so here."
            )
            self.notes.info("differs", "nodes", message, "`--timeouts theirs` limits nodes as there.")


class _Level:
    """The nodes and connections of a workflow, or of a container in one."""

    def __init__(
        self,
        reader: _Reader,
        prefix: str,
        fields: Fields,
        nodes: str,
        connections: str,
        *,
        variables: dict[str, Any],
        inherited: frozenset[str],
    ) -> None:
        self._reader, self._notes, self._prefix, self._fields = reader, reader.notes, prefix, fields
        self._nodes_key, self._connections_key = nodes, connections
        self.variables = dict(variables)
        self._inherited = inherited
        self.nodes: dict[str, _Node] = {}
        self._wires: list[_Wire] = []
        self._dropped: list[Any] = []
        self._written: list[tuple[tuple[str, ...], str, str]] = []
        """What workflows called in here leave in variables: the nodes down to one, its key, the variable."""
        self._ids: set[str] = set()
        self._made: list[GraphNode] = []
        self._helpers: list[GraphNode] = []
        self._connections: list[Connection] = []
        self._graphs: dict[str, Graph] = {}
        self._incoming: dict[str, list[_Wire]] = {}
        self._outgoing: dict[str, list[_Wire]] = {}
        self._undoing: set[str] = set()
        self._standby: set[str] = set()
        self._enter: Endpoint | None = None
        self._entries: set[str] = set()
        self._notes_once: dict[str, list[tuple[str, str]]] = {}

    @property
    def kept(self) -> dict[str, Any]:
        """What the graph does not say of the connections, for an export."""
        kept: dict[str, Any] = {"connections": [wire.raw for wire in self._wires]}
        return kept | ({"dropped": self._dropped} if self._dropped else {})

    # --- reading ---

    def read(self) -> None:
        for index, raw in enumerate(self._fields.items(self._nodes_key)):
            self._read_node(raw, f"{self._fields.at(self._nodes_key)}[{index}]")
        for index, raw in enumerate(self._fields.items(self._connections_key)):
            wire = self._read_wire(raw, f"{self._fields.at(self._connections_key)}[{index}]")
            if wire is None:
                self._dropped.append(raw)
            else:
                self._wires.append(wire)
        self._drop_feedback()
        for wire in self._wires:
            self._incoming.setdefault(wire.target.id, []).append(wire)
            self._outgoing.setdefault(wire.source.id, []).append(wire)

    def _read_node(self, raw: Any, path: str) -> None:
        fields = Fields(raw, path, self._notes, lenient=True, inside=("configuration",))
        node_id = fields.text("nodeId")
        if not node_id:
            self._notes.error("bad-value", fields.at("nodeId"), "A node needs an id.")
        if not node_id or node_id in self.nodes:
            if node_id:
                message = f"There is a node {node_id!r} already."
                self._notes.error("second-node", fields.at("nodeId"), message, "Ids are unique: choose another.")
            node_id = self._free(node_id or f"node {len(self.nodes) + 1}")
        self._ids.add(node_id)
        runtime = fields.choice("runtimeType", (*TYPES, "Manual", "Event"), "CSharp")
        if "runtimeType" not in fields:
            self._notes.error("bad-value", fields.at("runtimeType"), f"Node {node_id!r} has no runtimeType.")
        self.nodes[node_id] = _Node(node_id, runtime, fields, path)

    def _read_wire(self, raw: Any, path: str) -> _Wire | None:
        fields = Fields(raw, path, self._notes, lenient=True)
        ends: list[_Node] = []
        for name in ("sourceNodeId", "targetNodeId"):
            found = fields.text(name)
            if found in self.nodes:
                ends.append(self.nodes[found])
            else:
                near = did_you_mean(found, self.nodes)
                message = f"There is no node {found!r}.{near}" if found else "It names no node."
                self._notes.error("unknown-node", fields.at(name), message, "The connection is left out.")
        triggers = self._triggers(fields)
        condition, enabled = fields.text("condition"), fields.flag("isEnabled", True)
        priority = fields.whole("priority", 0, least=-(2**31))
        port, target_port = fields.text("sourcePort"), fields.text("targetPort")
        fields.mapping("metadata")
        if fields.flag("isCompensation", False):
            message = "Nodes that undo are named by compensationNodeId here, and never reached by connections."
            self._notes.warning("no-counterpart", fields.at("isCompensation"), message, "The connection is left out.")
            ends = []
        fields.tell_left()
        if len(ends) < 2 or not triggers:
            return None
        source, target = ends
        return _Wire(
            source, target, triggers, condition, enabled, priority, port, target_port, path, cast("dict[str, Any]", raw)
        )

    def _triggers(self, fields: Fields) -> frozenset[str]:
        said = fields.take("triggerMessageType")
        if said is None:
            self._once(
                "trigger", fields.path, "it says no triggerMessageType: taken for Complete, as the program "
                "does, and not for Complete and Fail, as its document says",
            )  # fmt: skip
            return frozenset({"Complete"})
        words = (
            said if isinstance(said, list) else re.split(r"[|,\s]+", said.strip()) if isinstance(said, str) else [said]
        )
        known = {each.lower(): each for each in _TRIGGERS}
        found: set[str] = set()
        at = fields.at("triggerMessageType")
        for word in words or [""]:
            if not isinstance(word, str) or word.lower() not in known:
                near = did_you_mean(word, _TRIGGERS) if isinstance(word, str) else ""
                self._notes.error("bad-value", at, f"Expected some of {', '.join(_TRIGGERS)}, got {kind(word)}.{near}")
                return frozenset()
            found.add(known[word.lower()])
        if "Progress" in found:
            self._notes.error(
                "no-counterpart", at, "No node starts because another one tells how far it is.",
                "Observers see it: tf.observe(call, kinds=['Progress']).",
            )  # fmt: skip
            found.discard("Progress")
        return frozenset(found)

    def _drop_feedback(self) -> None:
        """Leave out the wires with which a body leads back to its loop: the loop waits for its body here."""
        after: dict[str, list[_Wire]] = {}
        for wire in self._wires:
            after.setdefault(wire.source.id, []).append(wire)
        kept: list[_Wire] = []
        reached: dict[str, set[str]] = {}
        for wire in self._wires:
            loop = wire.target
            if loop.type in LOOPS and wire.source is not loop:
                if loop.id not in reached:
                    reached[loop.id] = _reachable(
                        after, [each for each in after.get(loop.id, ()) if each.is_body], loop
                    )
                if wire.source.id in reached[loop.id]:
                    message = f"{loop.id!r} waits for its body, so the connection back to it is left out."
                    self._notes.info("differs", wire.path, message)
                    self._dropped.append(wire.raw)
                    continue
            kept.append(wire)
        self._wires = kept

    # --- making ---

    def graph(self, *, limit: int | None, entry: str, called: bool, container: Fields | None) -> Graph:
        """The graph; one that is called has an interface: an entry, an exit, `input` and `result`."""
        self._mark_standby()
        in_bodies = self._in_bodies()
        entries = self._find_entries(entry)
        self._entries = {node.id for node in entries}
        if called:
            self._enter = Endpoint(self._free("enter"), "input")
        for node in self.nodes.values():
            self._make(node)
        for wire in self._wires:
            self._connect(wire)
        for places in self._notes_once.values():
            (path, message), more = places[0], f" (so for {len(places):,})" if len(places) > 1 else ""
            self._notes.info("differs", path, f"{message}{more}.")
        interface = self._interface(entries, in_bodies, container) if called else None
        self._mark_entries(entry, called=called)
        return Graph(
            kind="workflow",
            limit=limit,
            interface=interface,
            nodes=(*self._made, *self._helpers),
            connections=self._connections,
            graphs=self._graphs,
        )

    def _find_entries(self, entry: str) -> list[_Node]:
        if entry:
            if entry in self.nodes:
                return [self.nodes[entry]]
            near = did_you_mean(entry, self.nodes)
            self._notes.error("unknown-node", self._fields.at("entryPointNodeId"), f"There is no node {entry!r}.{near}")
        ready = [node for node in self.nodes.values() if self._starts(node)]
        return ready or [*self.nodes.values()][:1]

    def _starts(self, node: _Node) -> bool:
        waits = any(wire.enabled for wire in self._incoming.get(node.id, ()))
        return not waits and node.id not in self._undoing and node.id not in self._standby

    def _mark_entries(self, entry: str, *, called: bool) -> None:
        """Say where runs start if it is not where no wire leads to; a graph that is called may be run by itself."""
        for index, made in enumerate(self._made):
            node = self.nodes[made.id]
            if made.id in self._entries and (called or not self._starts(node)):
                self._made[index] = attrs.evolve(made, initiator=True)
            elif made.id not in self._entries and self._starts(node):
                self._notes.info("differs", node.path, f"No connection leads to {node.id!r}, and it is not the entry.")
                self._made[index] = attrs.evolve(made, initiator=False)

    def _mark_standby(self) -> None:
        """Find the nodes that others name, which never start by themselves."""
        for node in self.nodes.values():
            for name, found in (("compensationNodeId", self._undoing), ("fallbackNodeId", self._standby)):
                said = node.fields.text(name)
                if said in self.nodes and said != node.id:
                    found.add(said)
                elif said:
                    what = (
                        "itself"
                        if said == node.id
                        else f"{said!r}, which is not there.{did_you_mean(said, self.nodes)}"
                    )
                    self._notes.error("unknown-node", node.fields.at(name), f"{node.id!r} names {what}")

    def _in_bodies(self) -> set[str]:
        after: dict[str, list[_Wire]] = self._outgoing
        return _reachable(after, [wire for wire in self._wires if wire.is_body and wire.enabled], None)

    def _make(self, node: _Node) -> None:
        fields, notes = node.fields, self._notes
        for name in ("nodeName", "description"):
            fields.text(name)
        fields.mapping("metadata")
        node.exits[""] = "then"
        policy = policy_of(fields, notes, fallback=fields.text("fallbackNodeId") if self._standby else "")
        settings: dict[str, Any] = {"policy": policy} if policy is not None else {}
        undo = fields.text("compensationNodeId")
        if undo in self._undoing and undo != node.id:
            settings["undo"] = undo
        priority = fields.choice("priority", PRIORITIES, "Normal").lower()
        at_once = fields.whole("maxConcurrentExecutions", 0)
        if priority != "normal":
            settings["priority"] = priority
        if at_once:
            settings["limit"] = at_once
        self._join(node, settings)
        if node.id in self._standby and not self._incoming.get(node.id):
            settings["initiator"] = False
        made = self._typed(node, settings)
        kept = {name: value for name, value in fields.raw.items() if name.lower() not in _INSIDE}
        fields.tell_left()
        self._made.append(attrs.evolve(made, metadata={**made.metadata, KEY: kept}))

    def _join(self, node: _Node, settings: dict[str, Any]) -> None:
        fields = node.fields
        said = fields.choice("joinType", JOINS, "All")
        wires = [wire for wire in self._incoming.get(node.id, ()) if wire.enabled]
        if len(wires) < 2:
            return
        if said == "Any":
            settings["join"] = "first"
            message = f"{node.id!r} runs for the first that comes; what comes later is dropped, as the program does."
            self._notes.info("differs", fields.at("joinType"), message)
        elif "joinType" not in fields:
            self._once("join", node.path, f"{node.id!r} says no joinType: it waits for all that can still come")

    def _typed(self, node: _Node, settings: dict[str, Any]) -> GraphNode:
        make = {
            "IfElse": self._if_else, "ForEach": self._for_each, "While": self._while, "Switch": self._switch,
            "Subflow": self._subflow, "Container": self._container, "Noop": self._pass, "Timer": self._timer,
            "Manual": self._pass, "Event": self._unknown,
        }.get(node.type, self._code)  # fmt: skip
        return make(node, settings)

    # --- what runs code ---

    def _code(self, node: _Node, settings: dict[str, Any]) -> GraphNode:
        fields, notes = node.fields, self._notes
        script, assembly, class_ = fields.text("scriptPath"), fields.text("assemblyPath"), fields.text("typeName")
        shell = node.type.startswith("PowerShell")
        content = fields.text("scriptContent") or fields.text("script") or (self._script(script) if shell else "")
        if not any((content, script, class_)):
            notes.error("bad-value", node.path, f"Node {node.id!r} says nothing to run.", "Give it scriptContent.")
        if shell and content and shutil.which("pwsh"):
            node.result = Endpoint(node.id, "result")
            made = GraphNode(node.id, "script.powershell", {"code": content}, **settings)
            self._feed(node, "inputs", made)
            return made
        given = {"code": content, "script": script, "assembly": assembly, "class": class_}
        inputs: dict[str, Any] = {name: value for name, value in given.items() if value}
        inputs |= {
            name: value
            for name, value in fields.mapping("configuration").items()
            if name.lower() not in _OWN and "." not in name
        }
        what = "C# can't be run here"
        if shell:
            what = "PowerShell was not found" if content else f"its script {script!r} was not found"
        cure = f"Give it a body: --body {node.id}=MODULE.NAME, or registry.body({node.id!r}, function)."
        notes.error("no-counterpart", node.path, f"{node.id!r}: {what}.", cure, node=f"{self._prefix}{node.id}")
        ports = self._ports(node)
        enters = [wire.target_port for wire in self._incoming.get(node.id, ()) if wire.target_port]
        node.exits |= {port.lower(): _socket(port) for port in ports}
        node.result = Endpoint(node.id, "result")
        types = dict.fromkeys(inputs, "any") | {"input": "any"}
        failing = [wire for wire in self._incoming.get(node.id, ()) if "Fail" in wire.triggers and wire.enabled]
        if failing:
            types["error"] = "any"
        made = placeholder(
            node.id,
            f"executionengine.{node.type.lower()}",
            inputs,
            sockets=Sockets(
                tuple(dict.fromkeys(["enter", *map(_socket, enters)])),
                tuple(dict.fromkeys(["then", *map(_socket, ports)])),
                types,
                {"result": "any"},
            ),
            **settings,
        )
        self._feed(node, "input", made)
        self._feed_error(node, failing)
        return made

    def _script(self, path: str) -> str:
        """The script in a file beside the document; empty if it is not there."""
        home = self._reader.document.path
        if not path or home is None:
            return ""
        try:
            return decoded(home.parent / path.replace("\\", "/"))
        except DocumentError:
            return ""

    def _unknown(self, node: _Node, settings: dict[str, Any]) -> GraphNode:
        self._notes.error(
            "no-counterpart", node.fields.at("runtimeType"), f"{node.id!r}: nodes of type {node.type} are not known.",
            f"Give it a body: --body {node.id}=MODULE.NAME.", node=f"{self._prefix}{node.id}",
        )  # fmt: skip
        node.result = Endpoint(node.id, "result")
        return placeholder(
            node.id, f"executionengine.{node.type.lower()}", sockets=Sockets(outputs={"result": "any"}), **settings
        )

    # --- what controls ---

    def _pass(self, node: _Node, settings: dict[str, Any]) -> GraphNode:
        """A node that goes on with what it got."""
        node.result = Endpoint(node.id, "kept")
        made = GraphNode(node.id, "state.keep", {"value": {}}, **settings)
        self._feed(node, "value", made)
        return made

    def _timer(self, node: _Node, settings: dict[str, Any]) -> GraphNode:
        fields = node.fields
        schedule = fields.text("schedule")
        fields.flag("triggerOnStart", False)
        when = f"{schedule!r} says when" if schedule else "Nothing says when"
        message = f"{when} runs start: here it is whoever starts them, and {node.id!r} is where they start."
        self._notes.info("differs", node.path, message)
        return self._pass(node, settings)

    def _if_else(self, node: _Node, settings: dict[str, Any]) -> GraphNode:
        condition = self._translated(node, "condition", self._names_at(node))
        node.exits |= dict.fromkeys(("truebranch", "falsebranch", "true", "false"), "then")
        if condition is not None:
            node.conditions = dict.fromkeys(("truebranch", "true"), condition)
            node.conditions |= dict.fromkeys(("falsebranch", "false"), f"!({condition})")
        return self._pass(node, settings)

    def _switch(self, node: _Node, settings: dict[str, Any]) -> GraphNode:
        expression = self._translated(node, "expression", self._names_at(node))
        cases: dict[str, list[str]] = {}
        for value, port in node.fields.mapping("cases").items():
            if isinstance(port, str):
                cases.setdefault(port.lower(), []).append(value)
            else:
                at = f"{node.fields.at('cases')}.{value}"
                self._notes.error("bad-value", at, f"Expected the name of a port, got {kind(port)}.")
        node.exits |= dict.fromkeys((*cases, "default"), "then")
        if expression is not None:
            held = {port: _any_of(expression, values) for port, values in cases.items()}
            node.conditions = dict(held)
            if "default" not in held:
                every = " || ".join(held.values())
                node.conditions["default"] = f"!({every})" if every else "true"
        return self._pass(node, settings)

    def _for_each(self, node: _Node, settings: dict[str, Any]) -> GraphNode:
        node.exits = {"": "done", BODY: "body", "complete": "done"}
        name = node.fields.text("itemVariableName", "item")
        made = GraphNode(node.id, "flow.for_each", **settings)
        raw = node.fields.take("collectionExpression")
        if isinstance(raw, list):
            made = attrs.evolve(made, inputs={"items": raw})
        else:
            self._compute(node, "collectionExpression", "items")
        item = self._helper(f"{node.id} {name}", "value.collect", config={"inputs": {"item": name}})
        self._connections.append(Connection(Endpoint(node.id, "item"), Endpoint(item, "item")))
        node.result = Endpoint(item, "result")
        return made

    def _while(self, node: _Node, settings: dict[str, Any]) -> GraphNode:
        node.exits = {"": "done", BODY: "body", "complete": "done"}
        most = node.fields.whole("maxIterations", 1000, least=1)
        self._compute(node, "conditionExpression", "condition")
        node.result = None
        return GraphNode(node.id, "flow.while", {"most": most}, **settings)

    # --- what is called ---

    def _container(self, node: _Node, settings: dict[str, Any]) -> GraphNode:
        fields = node.fields
        mode = fields.choice("executionMode", ("Parallel", "Sequential", "Mixed"), "Parallel")
        inner = _Level(
            self._reader, f"{self._prefix}{node.id}/", fields, "childNodes", "childConnections", variables={},
            inherited=frozenset(self.variables) | self._inherited,
        )  # fmt: skip
        inner.read()
        if not inner.nodes:
            self._notes.warning("bad-value", node.path, f"Container {node.id!r} holds no nodes.")
        if mode == "Sequential" and not inner._wires:
            inner.chain()
        limit = 1 if mode == "Sequential" else None
        graph = inner.graph(limit=limit, entry="", called=True, container=fields)
        kept = {"connections": inner.kept["connections"] if not inner.chained else [], **(
            {"dropped": inner._dropped} if inner._dropped else {})}  # fmt: skip
        self._graphs[node.id] = attrs.evolve(graph, metadata={KEY: kept})
        node.result = Endpoint(node.id, "result")
        made = GraphNode(node.id, f"graph:{node.id}", **settings)
        self._feed(node, "input", made, variables=True)
        if self._prefix:
            self._written += [((node.id, *steps), key, name) for steps, key, name in inner._written]
            return made
        values: dict[str, str] = {}
        for steps, key, name in inner._written:
            self.variables.setdefault(name, None)
            values[name] = _if_there_inside(steps, key, values.get(name, member("vars", name)))
        return attrs.evolve(made, set=values) if values else made

    chained = False

    def chain(self) -> None:
        """Let the nodes follow one another in the order of the document."""
        self.chained = True
        nodes = [*self.nodes.values()]
        for source, target in pairwise(nodes):
            wire = _Wire(source, target, frozenset({"Complete"}), "", True, 0, "", "", target.path, {})
            self._wires.append(wire)
            self._incoming.setdefault(target.id, []).append(wire)
            self._outgoing.setdefault(source.id, []).append(wire)

    def _subflow(self, node: _Node, settings: dict[str, Any]) -> GraphNode:
        fields = node.fields
        said = fields.text("workflowFilePath")
        if not said:
            self._notes.error("bad-value", fields.at("workflowFilePath"), f"{node.id!r} names no workflow.")
        found = self._file(said, node)
        path = found or said
        node.result = Endpoint(node.id, "result")
        made = GraphNode(node.id, f"file:{path}", **settings)
        if found is None:
            sockets = Sockets(inputs={"input": "any"}, outputs={"result": "any"})
            made = placeholder(node.id, f"file:{said}", sockets=sockets, **settings)
        mapped = fields.mapping("inputMappings")
        if mapped:
            self._map_inputs(node, mapped)
        else:
            self._feed(node, "input", made, variables=True)
        outputs = {key: value for key, value in fields.mapping("outputMappings").items() if isinstance(value, str)}
        for key, value in fields.mapping("outputMappings").items():
            if key not in outputs:
                at = f"{fields.at('outputMappings')}.{key}"
                self._notes.error("bad-value", at, f"Expected the name of a variable, got {kind(value)}.")
        if outputs and self._prefix:
            names = ", ".join(outputs.values())
            message = f"Variables of the workflow are written when its container has ended: {names}."
            self._notes.info("differs", fields.at("outputMappings"), message)
            self._written += [((node.id,), key, name) for key, name in outputs.items()]
        elif outputs:
            for name in outputs.values():
                self.variables.setdefault(name, None)
            made = attrs.evolve(made, set={name: _if_there(key, name) for key, name in outputs.items()})
        return made

    def _file(self, said: str, node: _Node) -> str | None:
        """The path of a file that the document names, from where the document is; None if it is not there."""
        said = said.replace("\\", "/")
        home = self._reader.document.path
        folder = home.parent if home is not None else Path()
        places = [folder, *[*folder.resolve().parents][:_UP]]
        for place in places:
            if (place / said).is_file():
                return said if place is folder else Path(place / said).as_posix()
        beside = Path(said).name
        if (folder / beside).is_file():
            message = f"{said!r} is not there; {beside!r} beside the document is taken."
            self._notes.info("differs", node.fields.at("workflowFilePath"), message)
            return beside
        self._notes.error(
            "missing-file", node.fields.at("workflowFilePath"), f"There is no file {said!r}.",
            f"Put it there, or give the node a body: --body {node.id}=MODULE.NAME.", node=f"{self._prefix}{node.id}",
        )  # fmt: skip
        return None

    def _map_inputs(self, node: _Node, mapped: Mapping[str, Any]) -> None:
        """Give a workflow that is called its values: variables by their names, anything else as it is."""
        names = {f"in_{number}": key for number, key in enumerate(mapped, 1)}
        literals: dict[str, Any] = {}
        collect = self._helper(f"{node.id} input", "value.collect", config={"inputs": names})
        for name, key in names.items():
            value = mapped[key]
            source = self._variable(value) if isinstance(value, str) else None
            if source is not None:
                self._connections.append(Connection(source, Endpoint(collect, name)))
            else:
                literals[name] = value
                if isinstance(value, str):
                    at = f"{node.fields.at('inputMappings')}.{key}"
                    self._notes.info("differs", at, f"There is no variable {value!r}: it is taken for a text.")
        index = next(index for index, each in enumerate(self._helpers) if each.id == collect)
        self._helpers[index] = attrs.evolve(self._helpers[index], inputs=literals)
        self._connections.append(Connection(Endpoint(collect, "result"), Endpoint(node.id, "input")))

    # --- data ---

    def _sources(self, node: _Node) -> list[Endpoint]:
        """Where what a node gets comes from, each once, in the order of the document."""
        found: list[Endpoint] = []
        if self._enter is not None and (node.id in self._entries or not self._prefix):
            found.append(self._enter)  # all of a workflow that is called may ask for what it was given
        for wire in self._incoming.get(node.id, ()):
            if not wire.carries:
                continue
            result = self._result_of(wire)
            if result is not None and result not in found:
                found.append(result)
        return found

    def _result_of(self, wire: _Wire) -> Endpoint | None:
        source = wire.source
        if source.type == "ForEach":
            name = source.fields.text("itemVariableName", "item")
            return Endpoint(f"{source.id} {name}", "result") if wire.is_body else None
        if source.type == "While":
            return None
        return Endpoint(source.id, _result_socket(source.type))

    def _feed(self, node: _Node, socket: str, made: GraphNode, *, variables: bool = False) -> None:
        """Wire what a node gets to one of its inputs."""
        source = self._joined(node, self._sources(node), variables=variables)
        if source is not None:
            self._connections.append(Connection(source, Endpoint(node.id, socket)))

    def _joined(self, node: _Node, sources: Sequence[Endpoint], *, variables: bool = False) -> Endpoint | None:
        found = [*sources]
        if variables and self.variables:
            names = {f"var_{number}": name for number, name in enumerate(self.variables, 1)}
            collect = self._helper(f"{node.id} variables", "value.collect", config={"inputs": names})
            for name, variable in names.items():
                got = self._variable(variable)
                assert got is not None
                self._connections.append(Connection(got, Endpoint(collect, name)))
            found.insert(0, Endpoint(collect, "result"))
        if len(found) < 2:
            return found[0] if found else None
        names = {f"in_{number}": each.node for number, each in enumerate(found, 1)}
        join = self._helper(f"{node.id} input", "value.join", config={"inputs": names})
        for name, source in zip(names, found, strict=True):
            self._connections.append(Connection(source, Endpoint(join, name)))
        return Endpoint(join, "result")

    def _feed_error(self, node: _Node, failing: Sequence[_Wire]) -> None:
        sources = [*dict.fromkeys(Endpoint(wire.source.id, "!error") for wire in failing)]
        if not sources:
            return
        source = sources[0]
        if len(sources) > 1:
            names = [f"in_{number}" for number in range(1, len(sources) + 1)]
            first = self._helper(f"{node.id} error", "value.first", config={"inputs": names})
            for name, each in zip(names, sources, strict=True):
                self._connections.append(Connection(each, Endpoint(first, name)))
            source = Endpoint(first, "result")
        self._connections.append(Connection(source, Endpoint(node.id, "error")))

    def _variable(self, name: str) -> Endpoint | None:
        """Where the value of a variable is found; None if there is none of that name."""
        if name in self.variables:
            helper = f"variable {name}"
            if helper not in {each.id for each in self._helpers}:
                self._helper(helper, "variable.get", {"name": name})
            return Endpoint(helper, "result")
        if name in self._inherited and self._enter is not None:
            helper = f"variable {name}"
            if helper not in {each.id for each in self._helpers}:
                self._helper(helper, "dict.get_or", {"key": name, "otherwise": None})
                self._connections.append(Connection(self._enter, Endpoint(helper, "entries")))
            return Endpoint(helper, "result")
        return None

    def _compute(self, node: _Node, field: str, socket: str) -> None:
        """Wire the value of an expression to an input of a node."""
        source = self._joined(node, self._sources(node))

        def resolve(root: str, name: str) -> str | None:
            if root in {"globals", ""} and name in self.variables:
                return f"vars.{name}"
            if root in {"input", "output"} or (root == "" and source is not None):
                return member("input", name)
            return None

        text = self._translated(node, field, resolve)
        if text is None:
            return
        given: dict[str, Any] = {"text": text} if source is not None else {"text": text, "input": {}}
        helper = self._helper(f"{node.id} {socket}", "value.expression", given, config={"inputs": ["input"]})
        if source is not None:
            self._connections.append(Connection(source, Endpoint(helper, "input")))
        self._connections.append(Connection(Endpoint(helper, "result"), Endpoint(node.id, socket)))

    def _names_at(self, node: _Node) -> Any:
        """What names mean in a condition on a wire that leaves a node."""
        result = f"out.{_result_socket(node.type)}"

        def resolve(root: str, name: str) -> str | None:
            if root in {"globals", ""} and name in self.variables:
                return f"vars.{name}"
            if root == "output" or (root in {"input", ""} and node.type not in CODE):
                return member(result, name)
            return None

        return resolve

    def _translated(self, node: _Node, field: str, resolve: Any) -> str | None:
        text = node.fields.text(field)
        try:
            if not text:
                raise Untranslatable("it is missing")
            return translate(text, resolve)
        except Untranslatable as error:
            self._refuse(node.fields.at(field), text, error)
            return None

    def _refuse(self, path: str, text: str, error: Untranslatable) -> None:
        cure = "Write it with output.NAME, input.NAME, variables, comparisons, &&, || and !."
        self._notes.error("condition", path, f"{text!r} can't be translated: {error}.", cure)

    # --- wires ---

    def _ports(self, node: _Node) -> list[str]:
        return [*dict.fromkeys(wire.port for wire in self._outgoing.get(node.id, ()) if wire.port)]

    def _connect(self, wire: _Wire) -> None:
        source, when, enabled = wire.source, "", wire.enabled
        if wire.is_body:
            start, on = Endpoint(source.id, "body"), "completed"
        elif "Next" in wire.triggers:
            message = f"{source.id!r} sends no items: only ForEach and While do."
            self._notes.error("no-counterpart", wire.path, message, "Use Complete.")
            return
        else:
            both = {"Complete", "Fail"} <= wire.triggers
            on = "ended" if both else "failed" if "Fail" in wire.triggers else "completed"
            exit_ = source.exits.get(wire.port.lower())
            if exit_ is None:
                ports = ", ".join(port for port in source.exits if port) or "none"
                message = f"{source.id!r} has no port {wire.port!r}. It has: {ports}."
                self._notes.error("unknown-port", wire.path, message, "The connection is left out.")
                return
            start = Endpoint(source.id, exit_ if on == "completed" else "")
            when = source.conditions.get(wire.port.lower(), "") if on == "completed" else ""
            if source.type in {"IfElse", "Switch"} and wire.port and not when and on == "completed":
                enabled = False  # its condition was refused
        if wire.condition:
            try:
                condition = translate(wire.condition, self._names_at(source))
                when = f"({when}) && ({condition})" if when else condition
            except Untranslatable as error:
                self._refuse(f"{wire.path}.condition", wire.condition, error)
                enabled = False
        end = Endpoint(
            wire.target.id, _socket(wire.target_port) if wire.target_port and wire.target.type in CODE else "enter"
        )
        outcome: Any = on
        self._connections.append(
            Connection(start, end, on=outcome, when=when or None, priority=wire.priority, enabled=enabled)
        )

    def _interface(self, entries: Sequence[_Node], in_bodies: set[str], container: Fields | None) -> Interface:
        """Let the graph be called: wires from where it is entered, and to where it is left when all has ended."""
        assert self._enter is not None
        enter, leave, end = self._enter.node, self._free("leave"), self._free("end")
        self._helpers.append(GraphNode(enter, "graph.enter"))
        for node in entries:
            self._connections.append(Connection(Endpoint(enter, "enter"), Endpoint(node.id, "enter")))
        results = [
            (node.id, node.result) for node in self.nodes.values() if node.result is not None and node.type not in LOOPS
        ]
        names = {f"in_{number}": name for number, (name, _) in enumerate(results, 1)}
        kind_ = "value.collect" if container is not None else "value.join"
        collect = self._helper("results", kind_, config={"inputs": names})
        for name, (_, result) in zip(names, results, strict=True):
            self._connections.append(Connection(result, Endpoint(collect, name)))
        result = Endpoint(collect, "result")
        if container is not None:
            mode = container.choice("executionMode", ("Parallel", "Sequential", "Mixed"), "Parallel")
            counts = {"TotalChildren": len(self.nodes), "CompletedChildren": len(self.nodes), "ExecutionMode": mode}
            whole = self._helper("all results", "dict.set", {"entries": counts, "key": "ChildResults"})
            self._connections.append(Connection(result, Endpoint(whole, "value")))
            result = Endpoint(whole, "result")
        self._helpers += [GraphNode(end, "state.keep"), GraphNode(leave, "graph.leave")]
        self._connections.append(Connection(result, Endpoint(end, "value")))
        for node in self.nodes.values():
            if node.id not in in_bodies and node.id not in self._undoing | self._standby:
                self._connections.append(Connection(Endpoint(node.id, node.exits[""]), Endpoint(end, "enter")))
        self._connections += [
            Connection(Endpoint(end, "then"), Endpoint(leave, "then")),
            Connection(Endpoint(end, "kept"), Endpoint(leave, "result")),
        ]
        return Interface(
            entries=[Entry("enter")],
            exits=[Exit("then")],
            inputs=[Input("input", "any", {})],
            outputs=[Output("result")],
        )

    def _helper(self, stem: str, type_id: str, inputs: Mapping[str, Any] | None = None, **more: Any) -> str:
        node_id = self._free(stem)
        self._helpers.append(GraphNode(node_id, type_id, inputs or {}, metadata={KEY: {"made": True}}, **more))
        return node_id

    def _free(self, stem: str) -> str:
        name, number = stem, 1
        while name in self._ids or name in self.nodes:
            number += 1
            name = f"{stem} {number}"
        self._ids.add(name)
        return name

    def _once(self, code: str, path: str, message: str) -> None:
        self._notes_once.setdefault(code, []).append((path, f"{message[:1].upper()}{message[1:]}"))


def _reachable(after: Mapping[str, list[_Wire]], start: Sequence[_Wire], stop: _Node | None) -> set[str]:
    """The nodes to which wires lead, directly or not."""
    found: set[str] = set()
    todo = [wire.target for wire in start]
    while todo:
        node = todo.pop()
        if node.id in found or node is stop:
            continue
        found.add(node.id)
        todo += [wire.target for wire in after.get(node.id, ())]
    return found


def _result_socket(runtime: str) -> str:
    return "result" if runtime in CODE or runtime in {"Subflow", "Container", "Event"} else "kept"


def _any_of(expression: str, values: Sequence[str]) -> str:
    quoted = [value.replace("\\", "\\\\").replace('"', '\\"') for value in values]
    return " || ".join(f'string({expression}) == "{each}"' for each in quoted)


def _if_there(key: str, variable: str) -> str:
    """What a workflow that was called gives under a key; if it gives nothing, the variable stays as it is."""
    return f"{json.dumps(key)} in out.result ? out.result[{json.dumps(key)}] : {member('vars', variable)}"


def _if_there_inside(steps: Sequence[str], key: str, otherwise: str) -> str:
    """What a workflow that a container called gives under a key; otherwise what else there is."""
    place, known = "out.result", list[str]()
    for step in steps:
        place = f"{place}.ChildResults"
        known.append(f"{json.dumps(step)} in {place}")
        place = f"{place}[{json.dumps(step)}]"
    known.append(f"{json.dumps(key)} in {place}")
    return f"{' && '.join(known)} ? {place}[{json.dumps(key)}] : ({otherwise})"


def _socket(port: str) -> str:
    return port.replace(".", "_")
