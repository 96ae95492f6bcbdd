"""Diagrams for the tests: small trees of the light form, imported, and run with answers for persons."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import jinja2

import trioflow as tf
from trioflow.formats.dipeo import FORMAT
from trioflow.formats.known import import_document, load
from trioflow.formats.placeholder import shaped
from trioflow.formats.port import Imported, ImportOptions, document_in
from trioflow.testing import run_virtual

REGISTRY = tf.Registry.standard(allow=["scripts"])


def node(label: str, type_: str, **props: Any) -> dict[str, Any]:
    """A node with its properties in `props`."""
    return {"label": label, "type": type_, **({"props": props} if props else {})}


START = node("start", "start")
END = node("end", "endpoint")


def wire(text: str, label: str = "", content: str = "") -> dict[str, Any]:
    """A connection: `a -> b`, `a[condtrue] -> b`."""
    source, target = text.split(" -> ")
    more = {"label": label, "content_type": content}
    return {"from": source, "to": target, **{key: value for key, value in more.items() if value}}


def diagram(*nodes: Mapping[str, Any], wires: Any = (), **more: Any) -> dict[str, Any]:
    """A whole diagram; wires are texts or connections."""
    connections = [wire(each) if isinstance(each, str) else each for each in wires]
    return {"version": "light", "nodes": [*nodes], "connections": connections, **more}


def read(tree: Any, **options: Any) -> Imported:
    """What an import says and makes of a tree, without lines."""
    return FORMAT.read(document_in(json.dumps(tree)), REGISTRY, ImportOptions(**options))


def said(tree: Any, **options: Any) -> list[str]:
    """Everything that the import says, a line each."""
    return [str(each) for each in read(tree, **options).diagnostics]


def problems(tree: Any) -> list[str]:
    """What validation says of the graph, with types for what has none here."""
    return [str(each) for each in tf.validate(shaped(read(tree).graph), REGISTRY).problems]


class Answers:
    """Bodies that tell what they were asked, and answer as they are told: a list is an answer for each time."""

    def __init__(self, **gives: Any) -> None:
        self.gives = {name: list(value) if isinstance(value, list) else value for name, value in gives.items()}
        self.asked: list[tuple[str, Any]] = []

    def body(self, name: str) -> Any:
        def run(**inputs: Any) -> Any:
            said = next((inputs[key] for key in ("prompt", "question", "inputs", "event") if key in inputs), inputs)
            self.asked.append((name, said))
            given = self.gives[name]
            return given.pop(0) if isinstance(given, list) else given

        return run

    def registry(self, graph: tf.Graph) -> tf.Registry:
        """The node types, with bodies for what is answered, and for templates, which need no process here."""
        registry = tf.Registry.standard(allow=["scripts"])
        for each in graph.all_nodes():
            if each.type == "template.render":
                registry.body(each.id, render)
        for name in self.gives:
            registry.body(name.replace("_", " "), self.body(name))
        return registry

    def run(self, tree: Any, **arguments: Any) -> tf.RunResult:
        """Run a diagram; all that it asks is answered."""
        document = document_in(json.dumps(tree))
        registry = self.registry(import_document(document, REGISTRY).graph)
        result = import_document(document, registry)
        assert [str(each) for each in result.errors] == []
        return run_virtual(result.graph, registry=registry, **arguments)

    def run_file(self, path: Path) -> tf.RunResult:
        """The same for a diagram in a file."""
        registry = self.registry(load(path, REGISTRY).graph)
        result = load(path, registry)
        assert [str(each) for each in result.errors] == []
        return run_virtual(result.graph, registry=registry)


def render(template: str, inputs: Mapping[str, Any]) -> str:
    """What `template.render` does, in this process."""
    return jinja2.Template(template).render(**inputs)
