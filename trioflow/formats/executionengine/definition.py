"""A definition as it was read: its nodes and its connections."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import attrs

from trioflow.formats.fields import Fields
from trioflow.model.graph import Endpoint

TYPES = ("CSharp", "CSharpScript", "CSharpTask", "PowerShell", "PowerShellTask", "IfElse", "ForEach", "While", "Switch",
         "Subflow", "Timer", "Container", "Noop")  # fmt: skip


PRIORITIES = ("Low", "Normal", "High", "Critical")
JOINS = {"All": "all", "Any": "first"}
CODE = frozenset({"CSharp", "CSharpScript", "CSharpTask", "PowerShell", "PowerShellTask"})
INSIDE = frozenset({"childnodes", "childconnections"})
LOOPS = frozenset({"ForEach", "While"})
BODY = "loopbody"


@attrs.define
class Node:
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
class Wire:
    """A connection as it was read."""

    source: Node
    target: Node
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


def result_socket(runtime: str) -> str:
    """The output with what a node gives."""
    return "result" if runtime in CODE or runtime in {"Subflow", "Container", "Event"} else "kept"
