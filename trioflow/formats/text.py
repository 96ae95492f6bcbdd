"""An outline to read: control from each start downwards, every node with what its inputs get, then the data nodes."""

from __future__ import annotations

from collections import deque

from trioflow.formats._wires import Drawing, facts, terms_of, tokens_at, undone_by, visible
from trioflow.model.graph import Connection, Graph, GraphNode, Interface
from trioflow.model.policy import described, fired_instead
from trioflow.model.registry import Registry
from trioflow.model.sockets import UNSET
from trioflow.semantics.tracking import RunReport

_INDENT = "    "
_DEEPEST = 12
"""Chains that branch deeper go on as outlines of their own, so that the text stays as long as the graph is large."""


def to_text(graph: Graph, registry: Registry, *, fold: bool = False, report: RunReport | None = None) -> str:
    """The graph as an outline. Never raises for what is wrong with it.

    `*` marks where runs start, `=>` is control, `<-` is data, `!` what is done where a node fails. A node with one way
    out is followed by its successor;
    one with several has each successor indented below its socket. Graphs that it holds or calls follow, indented, each
    once; not if folded. With the `report` of a run `=` says what each node has done.
    """
    return "\n".join(_Outline(Drawing.of(graph, registry, fold=fold, report=report)).lines()) + "\n"


class _Outline:
    def __init__(self, drawing: Drawing) -> None:
        self._drawing = drawing
        self._incoming: dict[str, list[Connection]] = {}
        self._outgoing: dict[str, list[Connection]] = {}
        self._drawn: set[str] = set()
        self._lines: list[str] = []
        for wire in drawing.graph.connections:
            if drawing.is_exec(wire):
                self._outgoing.setdefault(wire.source.node, []).append(wire)
            else:
                self._incoming.setdefault(wire.target.node, []).append(wire)

    def lines(self) -> list[str]:
        graph, drawing = self._drawing.graph, self._drawing
        self._interface(graph.interface or Interface())
        merges = [f" (merge: {each.merge})" if each.merge != "last" else "" for each in graph.variables]
        declared = [f"{each.name}: {each.type} = {each.default!r}" for each in graph.variables]
        self._section("variables:", [each + merge for each, merge in zip(declared, merges, strict=True)])
        self._section("events:", [each.name + (" (shared)" if each.shared else "") for each in graph.events])
        policies = {pattern: ", ".join(described(each)) for pattern, each in graph.policies.items()}
        self._section("policies:", [f"{pattern}: {said}" for pattern, said in policies.items()])
        for node in graph.nodes:
            if drawing.is_start(node):
                self._follow(node)
        undoing = {undo for _, undo in undone_by(graph)}
        self._nodes("undoing:", [node for node in graph.nodes if node.id in undoing])
        exec_nodes = [node for node in graph.nodes if drawing.is_exec_node(node)]
        said = [*(node.policy for node in graph.nodes), *graph.policies.values()]
        fallbacks = fired_instead(said)
        for title, is_there in (("in place of others:", True), ("not reached:", False)):
            loose = [n for n in exec_nodes if n.id not in self._drawn and (n.id in fallbacks) is is_there]
            if loose:
                self._title(title)
            for node in loose:
                self._follow(node)
        data = [node for node in graph.nodes if not drawing.is_exec_node(node) and node.id not in self._drawn]
        self._nodes("data:", data)
        missing = set(drawing.missing_nodes())
        self._section(
            "wires without an end:",
            [str(wire) for wire in graph.connections if wire.source.node in missing or wire.target.node in missing],
        )
        for inner in (*drawing.held, *drawing.beside):
            self._title(f"graph {visible(inner.title)}:")
            self._lines += [_INDENT + line if line else "" for line in _Outline(inner).lines()]
        return self._lines

    def _nodes(self, title: str, nodes: list[GraphNode]) -> None:
        if nodes:
            self._title(title)
        for node in nodes:
            self._node(node, 0)

    def _interface(self, interface: Interface) -> None:
        self._section("entries:", [each.name for each in interface.entries])
        self._section("exits:", [each.name + (" (callback)" if each.callback else "") for each in interface.exits])
        inputs: list[str] = []
        for each in interface.inputs:
            default = "" if each.default is UNSET else f" = {each.default!r}"
            inputs.append(f"{each.name}: {each.type}{default}{' (lazy)' if each.lazy else ''}")
        self._section("inputs:", inputs)
        self._section("outputs:", [f"{each.name}: {each.type}" for each in interface.outputs])

    def _section(self, title: str, lines: list[str]) -> None:
        if lines:
            self._title(title)
            self._lines += [_INDENT + visible(line) for line in lines]

    def _title(self, title: str) -> None:
        self._lines += [*([""] if self._lines else []), title]

    def _follow(self, first: GraphNode) -> None:
        """Everything that control reaches from here and that is not drawn yet."""
        if first.id not in self._drawn and self._lines and self._drawing.is_start(first):
            self._lines.append("")
        # What is still to be drawn, the next at the end: a node, or a wire with what follows it below.
        waiting: list[tuple[GraphNode | Connection, int]] = [(first, 0)]
        too_deep: deque[tuple[GraphNode | Connection, int]] = deque()
        while waiting or too_deep:
            item, level = waiting.pop() if waiting else too_deep.popleft()
            if isinstance(item, GraphNode):
                if item.id in self._drawn:
                    continue
                self._node(item, level)
                wires = self._outgoing.get(item.id, [])
                if len(wires) == 1:
                    self._wire(wires[0], level + 1)
                    waiting += self._target(wires[0], level)
                else:
                    waiting += [(wire, level + 1) for wire in reversed(wires)]
            else:
                self._wire(item, level)
                if level < _DEEPEST:
                    waiting += self._target(item, level + 1)
                else:
                    too_deep += self._target(item, 0)

    def _target(self, wire: Connection, level: int) -> list[tuple[GraphNode | Connection, int]]:
        place = self._drawing.place.get(wire.target.node)
        return [] if place is None else [(self._drawing.graph.nodes[place], level)]

    def _node(self, node: GraphNode, level: int) -> None:
        self._drawn.add(node.id)
        mark = "* " if self._drawing.is_start(node) else ""
        indent = _INDENT * level
        self._lines.append(f"{indent}{mark}{visible(node.id)} ({visible(node.type)})")
        done = self._drawing.done(node.id)
        inputs = [
            *tokens_at(node),
            *([_undo(node)] if node.undo is not None else []),
            *facts(node),
            *(() if done is None else (f"= {done.text}",)),
            *(f"{wire.target.socket} <- {wire.source}" for wire in self._incoming.get(node.id, ())),
        ]
        self._lines += [indent + _INDENT + visible(line) for line in inputs]

    def _wire(self, wire: Connection, level: int) -> None:
        again = " (above)" if wire.target.node in self._drawn else ""
        terms = f" [{terms_of(wire)}]" if terms_of(wire) else ""
        way = " ".join(filter(None, [wire.source.socket, f"=> {wire.target}"]))
        left_out = " (not taken)" if self._drawing.was_taken(wire) is False else ""
        self._lines.append(f"{_INDENT * level}{visible(way + terms)}{left_out}{again}")


def _undo(node: GraphNode) -> str:
    return f"undo: {node.undo}" if node.undo_from == "completed" else f"undo from its start: {node.undo}"
