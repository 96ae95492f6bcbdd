"""Workflows that a job calls (`uses: ./.github/workflows/x.yml`): where they are, and how they are called.

A called workflow is a graph inside of the graph, with variables of its own: it begins with what the job gives it, and
ends with the outputs that it declares.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, cast

import attrs

from trioflow.errors import DocumentError
from trioflow.formats.port import Document, open_document
from trioflow.model.graph import Connection, Endpoint, Entry, Exit, Graph, GraphNode, Input, Interface, Output

MOST_DEEP = 10
"""So many workflows may call one another."""
_ENTER, _LEAVE, BEGIN = "(enter)", "(leave)", "(begin)"


def opened(uses: str, document: Document | None, around: tuple[Path, ...]) -> Document:
    """The document of a workflow that lies in the same repository.

    `around` are those that are being read. Raises `DocumentError` for one that is not there, lies outside, calls itself
    or is called too deep.
    """
    if document is None or document.path is None:
        raise DocumentError(uses, ["it is looked for beside the document that calls it, and that is not a file."])
    here = document.path.resolve()
    root = here.parents[2] if here.parent.name == "workflows" and here.parent.parent.name == ".github" else here.parent
    path = (root / uses).resolve()
    if not path.is_relative_to(root):
        raise DocumentError(uses, ["it lies outside of the repository."])
    if path in (*around, here):
        raise DocumentError(uses, ["it calls itself."])
    if len(around) >= MOST_DEEP:
        raise DocumentError(uses, [f"more than {MOST_DEEP} workflows call one another."])
    return open_document(path)


def declared(tree: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """What a workflow says under `on: workflow_call`; None if it is not to be called."""
    events = tree.get("on", tree.get("true"))
    if isinstance(events, dict):
        said = cast("dict[str, Any]", events)
        found = said.get("workflow_call") or {}
        return cast("dict[str, Any]", found) if "workflow_call" in said and isinstance(found, dict) else None
    named = [events] if isinstance(events, str) else events
    return {} if isinstance(named, list) and "workflow_call" in named else None


def problems_of(call: Mapping[str, Any], given: Mapping[str, Any], secrets: Any) -> Iterable[tuple[str, str]]:
    """What is wrong with what a job gives: its path below the job, and a sentence."""
    inputs, wanted = (_mapping(call.get(name)) for name in ("inputs", "secrets"))
    for name in given:
        if name not in inputs:
            yield f"with.{name}", f"The workflow has no input {name!r}: {', '.join(inputs) or 'it has none'}."
    for name, each in inputs.items():
        said = _mapping(each)
        if said.get("required") and name not in given and "default" not in said:
            yield "with", f"The workflow needs the input {name!r}."
    if secrets != "inherit":
        for name, each in wanted.items():
            if _mapping(each).get("required") and name not in _mapping(secrets):
                yield "secrets", f"The workflow needs the secret {name!r}."


def as_called(graph: Graph, end: str, roots: Iterable[str], call: Mapping[str, Any]) -> Graph:
    """A workflow that can be called: `end` is the node behind all its jobs, `roots` are those that need no other."""
    outputs = {name: _mapping(each).get("value") for name, each in _mapping(call.get("outputs")).items()}
    nodes = [
        attrs.evolve(node, type="actions.return", inputs={**node.inputs, "values": outputs})
        if node.id == end else node
        for node in graph.nodes
    ]  # fmt: skip
    nodes += [
        GraphNode(_ENTER, "graph.enter"), GraphNode(BEGIN, "actions.begin"), GraphNode(_LEAVE, "graph.leave"),
    ]  # fmt: skip
    wires = [
        *graph.connections,
        Connection(Endpoint(_ENTER, "enter"), Endpoint(BEGIN, "enter")),
        Connection(Endpoint(_ENTER, "given"), Endpoint(BEGIN, "given")),
        *(Connection(Endpoint(BEGIN, "then"), Endpoint(each, "enter")) for each in roots),
        Connection(Endpoint(end, "then"), Endpoint(_LEAVE, "then")),
        Connection(Endpoint(end, "outputs"), Endpoint(_LEAVE, "outputs")),
    ]
    interface = Interface(
        entries=[Entry("enter")], exits=[Exit("then")], inputs=[Input("given", "any", {})], outputs=[Output("outputs")]
    )
    return attrs.evolve(graph, nodes=tuple(nodes), connections=wires, interface=interface)


def _mapping(value: Any) -> Mapping[str, Any]:
    return cast("Mapping[str, Any]", value) if isinstance(value, dict) else {}
