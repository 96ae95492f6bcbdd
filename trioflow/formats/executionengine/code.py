"""Nodes that run code: PowerShell where it is found; the others are placeholders."""

from __future__ import annotations

import shutil
from typing import Any

from trioflow.errors import DocumentError
from trioflow.formats.executionengine.definition import INSIDE, Node
from trioflow.formats.executionengine.inputs import feed, feed_error
from trioflow.formats.executionengine.level import Level
from trioflow.formats.placeholder import Sockets, body_for, placeholder
from trioflow.model.document import decoded
from trioflow.model.graph import Endpoint, GraphNode

_OWN = frozenset({"script", "scriptpath", "scriptcontent", "assemblypath", "typename", "input", "error", "code",
                  "timeout", *INSIDE})  # fmt: skip
"""What in a configuration is not for the code itself, in small letters."""


def code_node(level: Level, node: Node, settings: dict[str, Any]) -> GraphNode:
    """A node that runs code: PowerShell where it is found, otherwise a placeholder."""
    fields, notes = node.fields, level.notes
    script, assembly, class_ = fields.text("scriptPath"), fields.text("assemblyPath"), fields.text("typeName")
    shell = node.type.startswith("PowerShell")
    content = fields.text("scriptContent") or fields.text("script") or (script_in(level, script) if shell else "")
    if not any((content, script, class_)):
        notes.error("bad-value", node.path, f"Node {node.id!r} says nothing to run.", "Give it scriptContent.")
    if shell and content and shutil.which("pwsh"):
        node.result = Endpoint(node.id, "result")
        made = GraphNode(node.id, "script.powershell", {"code": content}, **settings)
        feed(level, node, "inputs", made)
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
    cure = f"Give it a body: {body_for(level.prefix + node.id)}"
    notes.error("no-counterpart", node.path, f"{node.id!r}: {what}.", cure, node=f"{level.prefix}{node.id}")
    ports = ports_of(level, node)
    enters = [wire.target_port for wire in level.incoming.get(node.id, ()) if wire.target_port]
    node.exits |= {port.lower(): socket_of(port) for port in ports}
    node.result = Endpoint(node.id, "result")
    types = dict.fromkeys(inputs, "any") | {"input": "any"}
    failing = [wire for wire in level.incoming.get(node.id, ()) if "Fail" in wire.triggers and wire.enabled]
    if failing:
        types["error"] = "any"
    made = placeholder(
        node.id,
        f"executionengine.{node.type.lower()}",
        inputs,
        sockets=Sockets(
            tuple(dict.fromkeys(["enter", *map(socket_of, enters)])),
            tuple(dict.fromkeys(["then", *map(socket_of, ports)])),
            types,
            {"result": "any"},
        ),
        **settings,
    )
    feed(level, node, "input", made)
    feed_error(level, node, failing)
    return made


def script_in(level: Level, path: str) -> str:
    """The script in a file beside the document; empty if it is not there."""
    home = level.context.document.path
    if not path or home is None:
        return ""
    try:
        return decoded(home.parent / path.replace("\\", "/"))
    except DocumentError:
        return ""


def unknown(level: Level, node: Node, settings: dict[str, Any]) -> GraphNode:
    """A node of a type that is not known."""
    level.notes.error(
        "no-counterpart", node.fields.at("runtimeType"), f"{node.id!r}: nodes of type {node.type} are not known.",
        f"Give it a body: {body_for(level.prefix + node.id)}", node=f"{level.prefix}{node.id}",
    )  # fmt: skip
    node.result = Endpoint(node.id, "result")
    return placeholder(
        node.id, f"executionengine.{node.type.lower()}", sockets=Sockets(outputs={"result": "any"}), **settings
    )


def ports_of(level: Level, node: Node) -> list[str]:
    """The ports by which a node is left."""
    return [*dict.fromkeys(wire.port for wire in level.outgoing.get(node.id, ()) if wire.port)]


def socket_of(port: str) -> str:
    """The socket that is called as a port."""
    return port.replace(".", "_")
