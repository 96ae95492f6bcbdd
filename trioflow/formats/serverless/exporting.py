"""From a graph back to a document, where the document says the same graph.

Each task knows its place in the document, so the document is put together from the definitions of the nodes. Then it is
read again: what comes of that is the graph, or everything in which it differs is told.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any, cast

from trioflow.errors import DocumentError
from trioflow.formats.serverless.importing import read_tree
from trioflow.formats.serverless.trees import Library, named_by
from trioflow.model.graph import Graph, GraphNode

_MOST = 20
"""Differences that are told; the others are counted."""


def write_tree(graph: Graph) -> dict[str, Any]:
    """The document of a graph as dicts and lists. Raises `DocumentError` with everything that it can't say."""
    problems: list[str] = []
    tree = _document(graph, problems)
    library: dict[tuple[str, str, str], Mapping[str, Any]] = {}
    for name, called in graph.graphs.items():
        inner: list[str] = []
        found = _document(called, inner)
        library[named_by(found)] = found
        problems += [f"graphs.{name}: {each}" for each in inner]
    if not problems:
        problems = _differences(graph, tree, {named_by(tree): tree, **library})
    if problems:
        more = len(problems) - _MOST
        raise DocumentError("<graph>", [*problems[:_MOST], *([f"and {more} more."] if more > 0 else [])])
    return tree


def _document(graph: Graph, problems: list[str]) -> dict[str, Any]:
    roots = [node for node in graph.nodes if node.type == "serverless.workflow"]
    if len(roots) != 1:
        problems.append(f"a document is one node of the type serverless.workflow; there are {len(roots)}.")
        return {"do": []}
    frame = roots[0].inputs.get("document")
    if not isinstance(frame, Mapping) or not isinstance(cast("Mapping[str, Any]", frame).get("document"), Mapping):
        problems.append(
            f"node {roots[0].id!r}: its input `document` must be an object with what the document says of itself."
        )
        return {"do": []}
    tree: dict[str, Any] = {**_plain(frame), "do": []}
    tasks = [node for node in graph.nodes if _place(node) is not None]
    for node in sorted(tasks, key=lambda node: len(_place(node) or ())):
        _put(tree, _place(node) or [], node, len(tasks), problems)
    problems += [f"the task {index} is missing." for index in _gaps(tree["do"])]
    return tree


def _place(node: GraphNode) -> list[str] | None:
    """The steps to the task in the document; None for a node that is none of its own."""
    reference = node.inputs.get("reference")
    if not isinstance(reference, str) or not reference.startswith("/do/") or node.type == "serverless.extended":
        return None
    return [each.replace("~1", "/").replace("~0", "~") for each in reference.split("/")[1:]]


def _put(tree: dict[str, Any], place: list[str], node: GraphNode, most: int, problems: list[str]) -> None:
    *around, index, name = place
    found: Any = tree
    for step in around:
        if isinstance(found, list):
            found = found[int(step)] if _is_index(step, len(found)) else None
        elif isinstance(found, dict):
            found = cast("dict[str, Any]", found).get(step)
        if found is None:
            break
    if not isinstance(found, list) or not _is_index(index, most):
        problems.append(f"node {node.id!r}: the place {node.inputs['reference']!r} of its task is not in the document.")
        return
    found += [None] * (int(index) + 1 - len(found))
    if found[int(index)] is not None:
        problems.append(f"node {node.id!r}: another one has the place {node.inputs['reference']!r} of its task.")
        return
    found[int(index)] = {name: _plain(node.inputs.get("task", {}))}


def _is_index(text: str, below: int) -> bool:
    return text.isdecimal() and len(text) < 10 and int(text) < below


def _gaps(tasks: Any, path: str = "do") -> list[str]:
    """The places in lists of tasks at which there is none."""
    found: list[str] = []
    todo: list[tuple[Any, str]] = [(tasks, path)]
    while todo:
        value, at = todo.pop()
        if isinstance(value, list):
            found += [f"{at}[{index}]" for index, each in enumerate(value) if each is None and at.endswith("do")]
            todo += [(each, f"{at}[{index}]") for index, each in enumerate(value)]
        elif isinstance(value, dict):
            todo += [(each, f"{at}.{key}") for key, each in cast("dict[str, Any]", value).items()]
    return found


def _differences(graph: Graph, tree: dict[str, Any], library: Library) -> list[str]:
    try:
        again = read_tree(tree, "<graph>", library).graph
    except DocumentError as error:
        return list(error.problems)
    found: list[str] = []
    for what, ours, theirs in (
        ("node", {node.id: _said(node) for node in graph.nodes}, {node.id: _said(node) for node in again.nodes}),
        ("wire", _counted(graph), _counted(again)),
        ("variable", {v.name: str(v) for v in graph.variables}, {v.name: str(v) for v in again.variables}),
    ):
        for name in sorted({*ours, *theirs}):
            if ours.get(name) != theirs.get(name):
                how = "is one too many" if name not in theirs else "is missing" if name not in ours else "was changed"
                found.append(f"{what} {name!r} {how}: a document of the format would say another graph.")
    return found


def _said(node: GraphNode) -> tuple[Any, ...]:
    settings = [getattr(node, name) for name in ("initiator", "stream", "policy")]
    return node.type, _plain(node.inputs), *settings


def _counted(graph: Graph) -> dict[str, int]:
    return dict(Counter(str(wire) for wire in graph.connections))


def _plain(value: Any) -> Any:
    """A value of a graph as dicts and lists that may be changed."""
    if isinstance(value, Mapping):
        return {key: _plain(each) for key, each in cast("Mapping[str, Any]", value).items()}
    if isinstance(value, list | tuple):
        return [_plain(each) for each in cast("list[Any]", value)]
    return value
