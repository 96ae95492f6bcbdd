"""The graph of flows while it is made."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

import attrs

from trioflow.formats.fields import short
from trioflow.formats.nodered.shape import shape_of
from trioflow.formats.port import Notes
from trioflow.formats.shapes import mismatches
from trioflow.model.graph import Connection, GraphNode
from trioflow.model.trigger import Trigger


@attrs.define
class Placed:
    """A node of the document where it stands in the graph: before its id are the instances of subflows around it."""

    raw: dict[str, Any]
    path: str
    prefix: str
    env: Mapping[str, Any]
    id: str = ""

    @property
    def key(self) -> str:
        return f"{self.prefix}{self.raw['id']}"

    @property
    def type(self) -> str:
        return str(self.raw.get("type", ""))


class Draft:
    """The graph of flows while it is made of the nodes of an export."""

    def __init__(self, raw: list[Any], path: str) -> None:
        self.notes = Notes()
        self.raw: dict[str, tuple[str, dict[str, Any]]] = {}
        self.placed: dict[str, Placed] = {}
        self.wires: list[Connection] = []
        self.nodes: list[GraphNode] = []
        self.ports: dict[tuple[str, int], list[str]] = {}
        """Where messages go that leave an instance of a subflow."""
        self.reads_message = False
        self.triggers: list[Trigger] = []
        self.calls: set[str] = set()
        """The nodes that call others, which go on at a node `ID (back)`."""
        for index, each in enumerate(raw):
            at = f"{path}[{index}]"
            if not isinstance(each, dict) or not isinstance(each.get("id"), str):
                self.notes.error(
                    "wrong-type", at, f"A node is an object with an id, got {short(each)}.", "Leave it out."
                )
            elif each["id"] in self.raw:
                self.notes.error(
                    "duplicate-id", f"{at}.id", f"There is another node {each['id']!r}.", "Give one another id."
                )
            else:
                self.raw[each["id"]] = (at, cast("dict[str, Any]", each))
                for place, message in mismatches(each, shape_of(each), at):
                    self.notes.error("wrong-type", place, message, "Write it so, or leave it out.")
