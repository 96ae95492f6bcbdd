"""What a port must be capable of: for the level that it claims, and for a request (spec/INTERPRETING.md, 2)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

_L1 = frozenset({"core", "data", "failure", "state", "limit"})
_L2 = _L1 | {"fork", "stream", "time", "event", "life", "validation"}

CLAIMED_BY: Mapping[int, frozenset[str]] = {0: frozenset({"core"}), 1: _L1, 2: _L2, 3: _L2 | {"action"}}
"""The capabilities that a port must have to claim a level."""
WORKFLOW = "workflow"
"""The capability of graphs whose exec wires carry tokens. No level asks for it: it is claimed besides one."""
EVERY = CLAIMED_BY[3] | {"ahead", WORKFLOW}
"""All capabilities that there are."""

_LISTS_IN: Mapping[str, tuple[int, ...]] = {
    "branches": (2,),
    "within": (2,),
    "loop": (2,),
    "if": (1, 2),
    "try": (1, 2, 3),
}
"""Where the operations that have other operations inside hold them."""
_NEEDED_BY_OPERATION: Mapping[str, str] = {
    "fail": "failure",
    "try": "failure",
    "twice": "failure",
    "getstate": "state",
    "setstate": "state",
    "branches": "fork",
    "emit": "stream",
    "sleep": "time",
    "now": "time",
    "within": "time",
}
_NEEDED_BY_OPTION: Mapping[str, str] = {
    "max_steps": "limit",
    "max_depth": "limit",
    "max_nesting": "limit",
    "max_strands": "limit",
    "max_ahead": "ahead",
    "timeout": "time",
}
_NEEDED_BY_STATUS: Mapping[str, str] = {"failed": "failure", "invalid": "validation"}
_DATA_NODES = frozenset({"script.data", "script.volatile", "script.number", "script.text"})


def needed(request: Mapping[str, Any], status: str) -> frozenset[str]:
    """The capabilities that a request needs: by its graph, options and actions, and by the status that must come."""
    found = {"core"}
    graph, options = request["graph"], request.get("options") or {}
    for node in graph.get("nodes") or ():
        inputs = node.get("inputs") or {}
        found.update(_NEEDED_BY_OPERATION.get(operation, "core") for operation in _operations(inputs.get("script")))
        if "life" in inputs:
            found.add("life")
        if node["type"] in _DATA_NODES:
            found.add("data")
    found.update(_NEEDED_BY_OPTION[name] for name, value in options.items() if name in _NEEDED_BY_OPTION and value)
    if options.get("parallel_initiators"):
        found.add("fork")
    if graph.get("kind") == "workflow":
        found.add(WORKFLOW)
    if graph.get("events"):
        found.add("event")
    if request.get("actions"):
        found.add("action")
    found.add(_NEEDED_BY_STATUS.get(status, "core"))
    return frozenset(found)


def _operations(script: Any) -> Iterator[str]:
    """The names of all operations of a script. A script may be anything: the wrong ones are for the port to refuse."""
    if not isinstance(script, list):
        return
    for operation in script:
        if isinstance(operation, list) and operation and isinstance(operation[0], str):
            name = operation[0]
            yield name
            for index in _LISTS_IN.get(name, ()):
                if index < len(operation):
                    yield from _operations(operation[index])
