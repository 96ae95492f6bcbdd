"""Making a request that shows a fault as small as it can be, so that a person can see what is wrong."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Mapping
from typing import Any

_BLOCKS = {"loop": (2,), "if": (1, 2), "try": (1, 2, 3), "within": (2,), "branches": (2,)}
"""Where operations hold operations."""


def shrunk(request: Mapping[str, Any], fails: Callable[[dict[str, Any]], bool], *, most: int = 2000) -> dict[str, Any]:
    """A smaller request for which `fails` still holds; it is called at most so many times.

    What is left can't be done without: no node, wire, operation, option, action or choice can be taken away alone.
    `fails` must say no to requests that are not valid.
    """
    smallest = copy.deepcopy(dict(request))
    calls = 0
    improved = True
    while improved:
        improved = False
        for smaller in _smaller(smallest):
            calls += 1
            if calls > most:
                return smallest
            if fails(copy.deepcopy(smaller)):
                smallest = smaller
                improved = True
                break
    return smallest


def _smaller(request: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Requests that are a little smaller, the boldest cuts first."""
    graph = request["graph"]
    for place, node in enumerate(graph["nodes"]):
        wires = [
            wire
            for wire in graph.get("connections", ())
            if node["id"] not in (wire["from"].rsplit(".", 1)[0], wire["to"].rsplit(".", 1)[0])
        ]
        yield _with_graph(request, nodes=_without(graph["nodes"], place), connections=wires)
    yield from _fewer(request)
    for name in ("connections", "variables", "events"):
        for place in range(len(graph.get(name, ()))):
            yield _with_graph(request, **{name: _without(graph[name], place)})
    for place, node in enumerate(graph["nodes"]):
        for changed in _smaller_nodes(node):
            yield _with_graph(request, nodes=[*graph["nodes"][:place], changed, *graph["nodes"][place + 1 :]])
    for place, choice in enumerate(request.get("choices") or ()):
        for less in range(choice):
            yield {**request, "choices": [*request["choices"][:place], less, *request["choices"][place + 1 :]]}


def _fewer(request: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """With fewer actions, choices, options and start values."""
    for name in ("actions", "choices"):
        listed = request.get(name) or []
        for length in (0, len(listed) // 2, len(listed) - 1):
            if 0 <= length < len(listed):
                yield {**request, name: listed[:length]}
        for place in range(len(listed)):
            yield {**request, name: _without(listed, place)}
    for name in ("options", "variables"):
        for key in request.get(name) or {}:
            if key != "max_steps":  # without it, it might never end
                yield {**request, name: {other: value for other, value in request[name].items() if other != key}}


def _smaller_nodes(node: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for key in ("stream", "initiator"):
        if key in node:
            yield {name: value for name, value in node.items() if name != key}
    for key in node.get("stream", ()):
        if len(node["stream"]) > 1:
            yield {**node, "stream": {name: value for name, value in node["stream"].items() if name != key}}
    if "life" in node["inputs"]:
        yield {**node, "inputs": {name: value for name, value in node["inputs"].items() if name != "life"}}
    for script in _smaller_scripts(node["inputs"]["script"]):
        yield {**node, "inputs": {**node["inputs"], "script": script}}


def _smaller_scripts(operations: list[Any]) -> Iterator[list[Any]]:
    for place, operation in enumerate(operations):
        before, after = operations[:place], operations[place + 1 :]
        yield before + after
        blocks = _BLOCKS.get(operation[0], ())
        for block in blocks:
            yield before + operation[block] + after
        for block in blocks:
            for inner in _smaller_scripts(operation[block]):
                yield [*before, [*operation[:block], inner, *operation[block + 1 :]], *after]
        for smaller in _smaller_operations(operation):
            yield [*before, smaller, *after]


def _smaller_operations(operation: list[Any]) -> Iterator[list[Any]]:
    name = operation[0]
    if name == "loop" and operation[1] > 1:
        yield ["loop", operation[1] - 1, operation[2]]
    elif name == "branches" and len(operation[1]) > 1:
        for place in range(len(operation[1])):
            yield ["branches", _without(operation[1], place), operation[2]]
    elif name == "trigger" and len(operation) > 2:
        yield operation[:2]
    elif name == "const" and type(operation[1]) is int:
        step = operation[1]
        while step:
            yield ["const", operation[1] - step]
            step //= 2


def _with_graph(request: dict[str, Any], **changes: Any) -> dict[str, Any]:
    return {**request, "graph": {**request["graph"], **changes}}


def _without(items: list[Any], place: int) -> list[Any]:
    return items[:place] + items[place + 1 :]
