"""Workflow definitions for the tests: small trees, imported, and run with bodies for what is C# there."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import trioflow as tf
from trioflow.formats.known import import_document
from trioflow.formats.placeholder import shaped
from trioflow.formats.port import Imported, ImportOptions, document_in
from trioflow.testing import run_virtual


def code(node_id: str, **more: Any) -> dict[str, Any]:
    """A node with a C# script."""
    return {"nodeId": node_id, "runtimeType": "CSharpScript", "scriptContent": f"// {node_id}", **more}


def wire(text: str, **more: Any) -> dict[str, Any]:
    """A connection: `a -> b`, `a.Port -> b`."""
    source, target = text.split(" -> ")
    source, _, port = source.partition(".")
    ends: dict[str, Any] = {"sourceNodeId": source, "targetNodeId": target, "triggerMessageType": "Complete"}
    return {**ends, **({"sourcePort": port} if port else {}), **more}


def definition(*nodes: Mapping[str, Any], wires: Any = (), **more: Any) -> dict[str, Any]:
    """A whole definition; wires are texts or connections."""
    connections = [wire(each) if isinstance(each, str) else each for each in wires]
    return {"workflowId": "w", "nodes": [*nodes], "connections": connections, "timeoutSeconds": 0, **more}


def container(mode: str = "Parallel", wires: list[str] | None = None) -> dict[str, Any]:
    """A container with three children."""
    return {
        "nodeId": "c", "runtimeType": "Container", "executionMode": mode,
        "ChildNodes": [code("one"), code("two"), code("three")],
        "ChildConnections": [wire(each) for each in wires or []],
    }  # fmt: skip


def imported(tree: Any, bodies: Mapping[str, Any] | None = None, **options: Any) -> Imported:
    """What comes of a definition, as its text is read."""
    registry = tf.Registry.standard()
    for name, body in (bodies or {}).items():
        registry.body(name, body)
    return import_document(document_in(json.dumps(tree)), registry, options=ImportOptions(**options))


def said(tree: Any, **options: Any) -> list[str]:
    """Everything that the import says, a line each, without what is said of limits of time."""
    found = imported(tree, **options).diagnostics
    return [str(each).partition(" (line ")[0] for each in found if "how long it may take" not in each.message]


def problems(tree: Any) -> list[str]:
    """What validation says of the graph, with types for what has none here."""
    return [str(each) for each in tf.validate(shaped(imported(tree).graph), tf.Registry.standard()).problems]


class Bodies:
    """Bodies for all nodes, which tell when they ran and with what, and give what they are told to."""

    def __init__(self, **gives: Any) -> None:
        self.gives = gives
        self.ran: list[str] = []
        self.got: dict[str, Any] = {}

    def body(self, name: str) -> Any:
        def run(input: Any = None, **more: Any) -> Any:
            self.ran.append(name)
            self.got[name] = input
            if more.get("error") is not None:
                self.got[f"{name} error"] = more["error"]
            given = self.gives.get(name, {"by": name})
            if isinstance(given, Exception):
                raise given
            return given

        return run

    def __call__(self, tree: Any, *names: str, **options: Any) -> tf.RunResult:
        result = imported(tree, {name: self.body(name) for name in names}, **options)
        assert [str(each) for each in result.errors] == []
        return run_virtual(result.graph)
