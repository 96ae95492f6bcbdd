"""The graph as the page gets it: frames, nodes, wires, problems; and which node of it an event is about. Pure."""

from __future__ import annotations

import json
import re
from collections import deque
from functools import cached_property
from typing import Any

import attrs

from trioflow.formats import Diagram, to_diagram
from trioflow.formats.diagram import Pin, bends
from trioflow.model.graph import Graph
from trioflow.model.jsonable import jsonable
from trioflow.model.registry import Registry
from trioflow.semantics.validation import validate

_MOST_NAMES = 16
"""Ways in which a called graph is reached that are told; a graph that calls itself has no end of them."""


class Scene:
    """A graph with places for all that is drawn of it. A node is known by its place in `document["nodes"]`."""

    def __init__(self, graph: Graph, registry: Registry, *, all_sockets: bool = False) -> None:
        self.graph = graph
        self._nodes: list[dict[str, Any]] = []
        self._wires: list[dict[str, Any]] = []
        self._frames: list[dict[str, Any]] = []
        # By frame and id: the place of a node.
        self._place: dict[tuple[str, str], int] = {}
        self._known: dict[str, int | None] = {}
        # By node: the exec wires into it by input, and the data wires out of it.
        self._into: dict[tuple[int, str], list[int]] = {}
        self._out: dict[int, list[int]] = {}
        self._wire: dict[tuple[str, str], int] = {}
        diagram = to_diagram(graph, registry, all_sockets=all_sockets, own_places=True)
        self._add(diagram, graph, "")
        self._name()
        problems = [
            {**attrs.asdict(each), "severity": each.severity.value, "node": self._at(each.path)}
            for each in validate(graph, registry).problems
        ]
        self.document: dict[str, Any] = {
            "kind": graph.kind,
            "x": diagram.x,
            "y": diagram.y,
            "width": diagram.width,
            "height": diagram.height,
            "frames": self._frames,
            "nodes": self._nodes,
            "wires": self._wires,
            "problems": problems,
            "variables": [
                {"name": each.name, "type": each.type, "default": jsonable(each.default), "merge": each.merge}
                for each in graph.variables
            ],
        }

    @cached_property
    def text(self) -> str:
        """The document as JSON, which of a large graph takes a while to write."""
        return json.dumps(self.document, separators=(",", ":"))

    def places(self) -> dict[str, dict[str, tuple[float, float]]]:
        """By the way to each graph of the document, and by the ids of its nodes, the upper left corners of these."""
        ways = {each["name"]: each["graph"] for each in self._frames if each["graph"] is not None}
        found: dict[str, dict[str, tuple[float, float]]] = {way: {} for way in ways.values()}
        for node in self._nodes:
            if node["frame"] in ways:
                found[ways[node["frame"]]].setdefault(node["id"], (node["x"], node["y"]))
        return found

    def place(self, name: str | None) -> int | None:
        """The place of a node by its name as events have it, `work` or `call/work`; None if it is not drawn."""
        if name is None:
            return None
        if name not in self._known:
            frame, found = "", None
            for step in name.split("/"):
                found = self._place.get((frame, step))
                if found is None:
                    break
                frame = self._nodes[found]["calls"] or "-"
            self._known[name] = found
        return self._known[name]

    def wire(self, node: str | None, name: str) -> int | None:
        """The place of a wire, `a.then -> b.enter`, in the graph in which a node is; None if it is not drawn."""
        place = self.place(node)
        return None if place is None else self._wire.get((self._nodes[place]["frame"], name))

    def lit_by_start(self, place: int, entered: str | None) -> list[int]:
        """The exec wires over which a node may have been entered."""
        return self._into.get((place, entered or ""), [])

    def lit_by_value(self, place: int) -> list[int]:
        """The data wires that lead away from a node."""
        return self._out.get(place, [])

    # --- inside ---

    def _add(self, diagram: Diagram, graph: Graph | None, way: str, depth: int = 0) -> None:
        """Add what is drawn of a graph. `way` leads to it in the document; what stands elsewhere has no `graph`."""
        frame = diagram.name
        self._frames.append(
            {"name": frame, "title": diagram.title, "declarations": diagram.declarations, "depth": depth,
             "graph": None if graph is None else way, "kind": None if graph is None else graph.kind}
            | _box(diagram.x, diagram.y, diagram.width, diagram.height)
        )  # fmt: skip
        for item in diagram.nodes:
            self._place.setdefault((frame, item.id), len(self._nodes))
            self._nodes.append(
                {"id": item.id, "type": item.type, "kind": item.kind, "doc": item.doc, "title": item.title,
                 "subtitle": item.subtitle, "calls": item.calls, "inputs": [*map(_pin, item.inputs)],
                 "outputs": [*map(_pin, item.outputs)], "notes": item.notes, "frame": frame, "names": []}
                | _box(item.x, item.y, item.width, item.height)
            )  # fmt: skip
        for wire in diagram.wires:
            (source, output), (target, entry) = wire.ends
            start, end = self._place[frame, source], self._place[frame, target]
            self._wire[frame, f"{wire.source} -> {wire.target}"] = len(self._wires)
            if wire.undo:
                pass
            elif wire.control:
                self._into.setdefault((end, entry), []).append(len(self._wires))
            else:
                self._out.setdefault(start, []).append(len(self._wires))
            self._wires.append(
                {"from": start, "to": end, "output": output, "input": entry, "control": wire.control,
                 "type": wire.type, "points": [[round(x, 1), round(y, 1)] for x, y in bends(wire.points)],
                 "terms": wire.terms, "undo": wire.undo}
            )  # fmt: skip
        held = list(graph.graphs.items()) if graph is not None else []
        for place, inner in enumerate(diagram.graphs):
            name, inside = held[place] if place < len(held) else ("", None)
            self._add(inner, inside, f"{way}/{name}" if way else name, depth + 1)

    def _name(self) -> None:
        """Give each node the names by which events know it, the shortest first."""
        held: dict[str, list[dict[str, Any]]] = {}
        for node in self._nodes:
            held.setdefault(node["frame"], []).append(node)
        reached: dict[str, int] = {}
        waiting = deque([("", "")])
        while waiting:
            frame, prefix = waiting.popleft()
            if reached.setdefault(frame, 0) >= _MOST_NAMES:
                continue
            reached[frame] += 1
            for node in held.get(frame, ()):
                node["names"].append(prefix + node["id"])
                if node["calls"]:
                    waiting.append((node["calls"], f"{prefix}{node['id']}/"))

    def _at(self, path: str) -> int | None:
        """The node that a problem is at, in the graphs of the document."""
        graph, way = self.graph, ""
        while found := re.match(r'graphs(?:\.(\w+)|\["((?:[^"\\]|\\.)*)"\])\.', path):
            name = found[1] or found[2]
            if name not in graph.graphs:
                return None
            graph, way, path = graph.graphs[name], f"{way}/{name}" if way else name, path[found.end() :]
        frame = next((each["name"] for each in self._frames if each["graph"] == way), "")
        found = re.match(r"(nodes|connections)\[(\d+)\]", path)
        if found is None or int(found[2]) >= len(getattr(graph, found[1])):
            return None
        at = int(found[2])
        name = graph.nodes[at].id if found[1] == "nodes" else graph.connections[at].target.node
        return self._place.get((frame, name))


def _box(x: float, y: float, width: float, height: float) -> dict[str, float]:
    """A tenth of a pixel is as much as can be seen, and writes a third of what is sent."""
    return {"x": round(x, 1), "y": round(y, 1), "width": round(width, 1), "height": round(height, 1)}


def _pin(pin: Pin) -> dict[str, Any]:
    return {"name": pin.name, "control": pin.control, "type": pin.type, "text": pin.text, "wired": pin.wired,
            "x": round(pin.x, 1), "y": round(pin.y, 1)}  # fmt: skip
