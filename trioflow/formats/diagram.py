"""A graph as a drawing with places: nodes with their pins, wires with the points they go through, graphs as frames.

What `svg.py` draws, and what `trioflow draw --format json` gives to other programs. Units are those of SVG: pixels of
a picture that is not scaled.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from itertools import chain
from typing import Any, Literal, NamedTuple

import attrs

from trioflow.formats._wires import Drawing, literal_text, terms_of, tokens_at, undone_by, visible
from trioflow.formats.layout import Box, Link, lay_out, placed
from trioflow.formats.placeholder import KEY as PLACEHOLDER
from trioflow.model.composition import GraphBody
from trioflow.model.graph import Connection, Graph, GraphNode, Interface
from trioflow.model.node_type import NodeType
from trioflow.model.policy import described
from trioflow.model.registry import Registry
from trioflow.model.sockets import UNSET, DataIn, DataOut
from trioflow.model.types import describe_type
from trioflow.semantics.tracking import NodeState, RunReport

TITLE, SMALL = 12.0, 10.5
"""Sizes of letters, of titles and of all else."""
HEAD, ROW, PAD = 22.0, 16.0, 9.0
FRAME, LINE = 18.0, 15.0
"""The margin inside of a frame, and the height of a line of text in it."""
_LONGEST_TITLE = 34
_NARROWEST = 84.0
_ROOM = 400.0
"""How much room a frame may have above and left of its nodes."""
_FARTHEST = 1e6
"""Places farther away than that are taken for a mistake."""
_CONTROL = 6.0
"""How much more an exec wire is kept straight than a data wire."""

Kind = Literal["start", "exec", "data", "call", "boundary", "unknown"]


@attrs.frozen
class Pin:
    """A socket of a node in the drawing. `type` is that of its values; exec sockets have none. `text` is its label."""

    name: str
    control: bool
    type: str
    text: str
    wired: bool
    x: float
    y: float


@attrs.frozen
class Item:
    """A node in the drawing, with the sockets that say something: wired, given a literal, or still to be wired.

    `title` and `subtitle` are its id and type, shortened if they are long. `calls` is the `name` of the frame of the
    graph that it calls, if that is drawn.
    """

    id: str
    type: str
    kind: Kind
    doc: str
    title: str
    subtitle: str
    calls: str | None
    x: float
    y: float
    width: float
    height: float
    inputs: tuple[Pin, ...]
    outputs: tuple[Pin, ...]
    notes: tuple[str, ...] = ()
    """How it takes tokens, in a workflow, and what it has done, in a picture of a run, a line for each."""
    state: NodeState | None = None
    """Of its last activation or evaluation; None if the picture is not of a run."""


def bends(points: Iterable[tuple[float, float]]) -> list[tuple[float, float]]:
    """The points of a wire without those that it passes on a level way, which change nothing of how it is drawn."""
    found: list[tuple[float, float]] = []
    for x, y in points:
        if len(found) > 1:
            (before, level), (last, now) = found[-2:]
            if level == now == y and (before < last) == (last < x):
                found.pop()
        found.append((x, y))
    return found


@attrs.frozen
class Wire:
    """A connection in the drawing. Where two points are above one another it turns round."""

    source: str
    target: str
    control: bool
    type: str
    points: tuple[tuple[float, float], ...]
    terms: str = ""
    """When it is taken, in a workflow; empty if always."""
    undo: bool = False
    """Whether it is no connection, and leads from a node to the one that undoes it."""
    ends: tuple[tuple[str, str], tuple[str, str]] = (("", ""), ("", ""))
    """Node and socket of its source and of its target."""
    taken: bool | None = None
    """Whether something has come over it; None if the picture is not of a run."""


@attrs.frozen
class Diagram:
    """A graph in the drawing: its frame, what it declares, and below it the graphs that it holds or calls.

    `name` is a word for it that no other frame of the drawing has, empty for the outermost.
    """

    name: str
    title: str
    declarations: tuple[str, ...]
    x: float
    y: float
    width: float
    height: float
    nodes: tuple[Item, ...]
    wires: tuple[Wire, ...]
    graphs: tuple[Diagram, ...]


def to_diagram(
    graph: Graph,
    registry: Registry,
    *,
    fold: bool = False,
    all_sockets: bool = False,
    own_places: bool = False,
    report: RunReport | None = None,
) -> Diagram:
    """The graph with places for everything. Never raises for what is wrong with it.

    Graphs that it holds or calls come below it, each once; not if folded. The same graph has the same places always.
    With `all_sockets` nodes show also those that say nothing. With `own_places` nodes are where their metadata says,
    under `position`: `{"x": 10, "y": 20}`; those for which it says nothing come below. `report`: of a run of the graph,
    of which it is a picture then.
    """
    return _frame(Drawing.of(graph, registry, fold=fold, report=report), 0.0, 0.0, _Wishes(all_sockets, own_places))


class _Wishes(NamedTuple):
    all_sockets: bool
    own_places: bool


def position_of(node: GraphNode) -> tuple[float, float] | None:
    """Where a node is by its metadata; None if that says nothing that could be a place."""
    found = node.metadata.get("position")
    if not isinstance(found, Mapping):
        return None
    x, y = found.get("x"), found.get("y")
    if isinstance(x, int | float) and isinstance(y, int | float) and max(abs(x), abs(y)) < _FARTHEST:
        return float(x), float(y)
    return None


def _frame(drawing: Drawing, x: float, y: float, wishes: _Wishes) -> Diagram:
    graph = drawing.graph
    title = visible(drawing.title)
    declarations = tuple(visible(each) for each in _declared(graph))
    head = FRAME + LINE * (len(declarations) + bool(title)) + (8 if declarations or title else 0)
    plans = [_Plan(drawing, node, all_sockets=wishes.all_sockets) for node in graph.nodes]
    missing = [_Plan(drawing, GraphNode(each, "not in the graph")) for each in drawing.missing_nodes()]
    of = {node: plans[place] for node, place in drawing.place.items()} | {each.node.id: each for each in missing}
    plans += missing
    for wire in graph.connections:
        control = drawing.is_exec(wire)
        of[wire.source.node].outgoing(wire, control)
        of[wire.target.node].incoming(wire, control)
    undone = [(of[node], of[undo]) for node, undo in undone_by(graph)]
    number = {id(plan): place for place, plan in enumerate(plans)}
    for plan in plans:
        plan.settle()
    links = [
        Link(
            number[id(of[wire.source.node])],
            of[wire.source.node].pin(wire.source.socket, out=True)[0],
            number[id(of[wire.target.node])],
            of[wire.target.node].pin(wire.target.socket, out=False)[0],
            _CONTROL if drawing.is_exec(wire) else 1.0,
            text_width(visible(terms_of(wire)), SMALL),
        )
        for wire in graph.connections
    ]
    room = text_width("undo", SMALL)
    links += [Link(number[id(plan)], HEAD / 2, number[id(undo)], HEAD / 2, text=room) for plan, undo in undone]
    boxes = [Box(plan.width, plan.height) for plan in plans]
    given = [position_of(plan.node) for plan in plans] if wishes.own_places else []
    layout = placed(boxes, links, given) if any(given) else lay_out(boxes, links)
    if drawing.name or not any(given):
        left, top = x + FRAME, y + head
        if any(given):
            # Nodes stay where they say, if the frame has room for that, so that none moves when another does.
            left, top = (0.0 if -_ROOM < each < 0 else each for each in (left - layout.left, top - layout.top))
    else:
        # The outermost graph is where its nodes say, and nothing moves all others when one is moved.
        left = top = 0.0
        x, y = layout.left - FRAME, layout.top - head
    items = tuple(plan.item(left + place[0], top + place[1]) for plan, place in zip(plans, layout.places, strict=True))
    wires = tuple(
        Wire(
            str(wire.source),
            str(wire.target),
            drawing.is_exec(wire),
            of[wire.source.node].pin(wire.source.socket, out=True)[1],
            tuple((left + point[0], top + point[1]) for point in route),
            visible(terms_of(wire)),
            ends=((wire.source.node, wire.source.socket), (wire.target.node, wire.target.socket)),
            taken=drawing.was_taken(wire),
        )
        for wire, route in zip(graph.connections, layout.routes, strict=False)
    )
    for (plan, undo), route in zip(undone, layout.routes[len(wires) :], strict=True):
        points = tuple((left + point[0], top + point[1]) for point in route)
        ends = ((plan.node.id, ""), (undo.node.id, ""))
        wires = (*wires, Wire(plan.node.id, undo.node.id, False, "any", points, "undo", True, ends))
    spare = max(0.0, left + layout.left - x - FRAME) if any(given) else 0.0
    width = max([layout.width + spare, *(text_width(each, SMALL) for each in (title, *declarations))]) + 2 * FRAME
    bottom = (top + layout.top if any(given) else y + head) + layout.height + FRAME
    inner: list[Diagram] = []
    for each in (*drawing.held, *drawing.beside):
        inner.append(_frame(each, x + FRAME, bottom, wishes))
        bottom += inner[-1].height + FRAME
        width = max(width, inner[-1].width + 2 * FRAME)
    return Diagram(drawing.name, title, declarations, x, y, width, bottom - y, items, wires, tuple(inner))


def _declared(graph: Graph) -> Iterable[str]:
    """What a graph declares, a line for each kind."""
    interface = graph.interface or Interface()
    inputs = [f"{each.name}: {each.type}{'' if each.default is UNSET else f' = {literal_text(each.default)}'}"
              for each in interface.inputs]  # fmt: skip
    variables = [f"{each.name}: {each.type} = {literal_text(each.default)}" for each in graph.variables]
    for what, names in (
        ("entries", [each.name for each in interface.entries]),
        ("exits", [each.name for each in interface.exits]),
        ("inputs", inputs),
        ("outputs", [f"{each.name}: {each.type}" for each in interface.outputs]),
        ("variables", variables),
        ("events", [each.name for each in graph.events]),
    ):
        if names:
            yield f"{what}  {', '.join(names)}"


class _Plan:
    """A node before it has a place: which of its sockets are shown, where at its edges, and how large that makes it."""

    def __init__(self, drawing: Drawing, node: GraphNode, *, all_sockets: bool = False) -> None:
        self.node = node
        self._type = drawing.type_of(node)
        self._kind: Kind = _kind(drawing, node, self._type)
        self._drawing = drawing
        # By name: whether it carries control, its type, and whether it is wired.
        self._inputs: dict[str, tuple[bool, str, bool]] = {}
        self._outputs: dict[str, tuple[bool, str, bool]] = {}
        if self._type is not None:
            self._inputs |= {each.name: (True, "", False) for each in self._type.exec_inputs}
            self._outputs |= {each.name: (True, "", False) for each in self._type.exec_outputs}
            for socket in self._type.inputs:
                if all_sockets or socket.name in node.inputs or socket.required:
                    self._inputs[socket.name] = (False, describe_type(socket.type), False)
            if all_sockets:
                self._outputs |= {each.name: (False, describe_type(each.type), False) for each in self._type.outputs}
        for name in node.inputs:
            self._inputs.setdefault(name, (False, "any", False))
        self._done = drawing.done(node.id)
        notes = [*tokens_at(node), *(() if self._done is None else (self._done.text,))]
        self._notes = tuple(_shortened(visible(each)) for each in notes)
        self._title = _shortened(visible(node.id))
        self._policy = "" if node.policy is None else f"! {', '.join(described(node.policy))}"
        self._subtitle = _shortened(visible(f"{node.type} {self._policy}".rstrip()))

    def incoming(self, wire: Connection, control: bool) -> None:
        """A wire ends here."""
        name = wire.target.socket
        self._inputs[name] = (control, self._type_of(name, self._type.inputs if self._type else ()), True)

    def outgoing(self, wire: Connection, control: bool) -> None:
        """A wire begins here."""
        name = wire.source.socket
        self._outputs[name] = (control, self._type_of(name, self._type.outputs if self._type else ()), True)

    @staticmethod
    def _type_of(name: str, sockets: Sequence[DataIn[Any] | DataOut[Any]]) -> str:
        return next((describe_type(each.type) for each in sockets if each.name == name), "any")

    def settle(self) -> None:
        """All wires are known: the sizes are."""
        declared = self._type
        sides = () if declared is None else (
            declared.exec_inputs, declared.inputs, declared.exec_outputs, declared.outputs
        )  # fmt: skip
        order = {each.name: place for place, each in enumerate(chain.from_iterable(sides))}
        self._left = self._rows(self._inputs, order)
        self._right = self._rows(self._outputs, order)
        rows = max(max((row for row, _ in side.values()), default=0) for side in (self._left, self._right))
        widest = 0.0
        for row in range(1, rows + 1):
            labels = [text for side in (self._left, self._right) for at, text in side.values() if at == row and text]
            widest = max(widest, sum(text_width(each, SMALL) for each in labels) + 14 * (len(labels) - 1))
        title = text_width(self._title, TITLE, bold=True) + 8
        texts = max(text_width(each, SMALL) for each in (self._subtitle, *self._notes))
        self.width = max(_NARROWEST, widest + 2 * PAD + 6, title + 2 * PAD, texts + 2 * PAD)
        self._first = HEAD + ROW  # below the title and the type
        lines = rows + len(self._notes)
        self.height = self._first + ROW * lines + (5 if lines else 2)

    def _rows(self, sockets: dict[str, tuple[bool, str, bool]], order: dict[str, int]) -> dict[str, tuple[int, str]]:
        """The row and the label of each socket. The only exec socket of a side is in row 0, beside the title."""
        names = sorted(sockets, key=lambda name: (not sockets[name][0], order.get(name, len(order))))
        alone = sum(control for name, (control, _, _) in sockets.items() if name) == 1
        rows: dict[str, tuple[int, str]] = {}
        row = 0
        for name in names:
            # What starts at a node as such, not at a socket, is beside the title, too.
            if not name or (alone and sockets[name][0]):
                rows[name] = (0, "")
                continue
            row += 1
            rows[name] = (row, self._label(name, sockets))
        return rows

    def _label(self, name: str, sockets: dict[str, tuple[bool, str, bool]]) -> str:
        given = self.node.inputs.get(name, UNSET)
        if sockets is self._inputs and given is not UNSET and not sockets[name][2]:
            return visible(f"{name} = {literal_text(given)}")
        return visible(name)

    def pin(self, name: str, *, out: bool) -> tuple[float, str]:
        """How far below the top of the node a socket is, and its type."""
        row = (self._right if out else self._left)[name][0]
        kind = (self._outputs if out else self._inputs)[name][1]
        return (HEAD / 2 if row == 0 else self._first + ROW * (row - 0.5)), kind

    def item(self, x: float, y: float) -> Item:
        """The node at its place."""

        def pins(rows: dict[str, tuple[int, str]], sockets: dict[str, tuple[bool, str, bool]]) -> tuple[Pin, ...]:
            out = sockets is self._outputs
            side = x + self.width if out else x
            return tuple(
                Pin(name, *sockets[name][:2], text, sockets[name][2], side, y + self.pin(name, out=out)[0])
                for name, (_, text) in rows.items()
            )

        doc = visible(" ".join(filter(None, ["" if self._type is None else self._type.summary, self._policy])))
        return Item(
            self.node.id,
            self.node.type,
            self._kind,
            doc,
            self._title,
            self._subtitle,
            self._drawing.called_by(self._type),
            x,
            y,
            self.width,
            self.height,
            pins(self._left, self._inputs),
            pins(self._right, self._outputs),
            self._notes,
            None if self._done is None else self._done.state,
        )


def _kind(drawing: Drawing, node: GraphNode, node_type: NodeType | None) -> Kind:
    if node_type is None or PLACEHOLDER in node.metadata:
        return "unknown"
    if isinstance(node_type.body, GraphBody):
        return "call"
    if node.type in {"graph.enter", "graph.leave"}:
        return "boundary"
    if drawing.is_start(node):
        return "start"
    return "exec" if node_type.is_exec else "data"


# --- how long a text is ---

_WIDTHS = {char: width for width, chars in (
    (0.32, "ijl.,:;'|!"), (0.4, 'fIrt()[]{}/\\ "-'), (0.56, "Jcksvxyz*?^~_"), (0.66, "0123456789abdeghnopqu$"),
    (0.74, "ABCEFKLPRSTVXYZ+<=>#&"), (0.84, "DGHNOQU"), (1.0, "MWmw@%"),
) for char in chars}  # fmt: skip


def text_width(text: str, size: float, *, bold: bool = False) -> float:
    """How wide a text is at most, in the fonts that systems show without serifs: none says so without being asked."""
    ems = 0.0
    for char in text:
        width = _WIDTHS.get(char)
        if width is None:
            width = 1.0 if unicodedata.east_asian_width(char) in "WF" else 0.75
            width = 0.0 if unicodedata.combining(char) else width
        ems += width
    return ems * size * (1.08 if bold else 0.98)


def _shortened(text: str) -> str:
    return text if len(text) <= _LONGEST_TITLE else f"{text[: _LONGEST_TITLE - 1]}…"
