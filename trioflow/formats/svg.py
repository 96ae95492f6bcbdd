"""SVG: pictures for web pages, notebooks and editors, in light and in dark."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import pairwise
from xml.sax.saxutils import escape

from trioflow.formats._wires import visible
from trioflow.formats.diagram import FRAME, HEAD, LINE, PAD, ROW, SMALL, TITLE, Diagram, Item, Pin, Wire, to_diagram
from trioflow.model.graph import Graph
from trioflow.model.registry import Registry
from trioflow.semantics.tracking import RunReport

_FONT = "system-ui,-apple-system,'Segoe UI',Roboto,'Helvetica Neue','DejaVu Sans',Arial,sans-serif"

# What is coloured how, in light and in dark. Classes, and no variables: programs that draw SVG know few of CSS's.
_COLOURS: tuple[tuple[str, str, str, str], ...] = (
    (".page", "fill", "#ffffff", "#14171c"),
    (".frame", "fill", "#f5f7fa", "#1a1e25"),
    (".frame", "stroke", "#d3dae3", "#343c48"),
    (".box", "fill", "#ffffff", "#232932"),
    (".box", "stroke", "#b4bfcc", "#475262"),
    (".halo", "stroke", "#ffffff", "#14171c"),
    (".frame~.wires .halo", "stroke", "#f5f7fa", "#1a1e25"),  # what is drawn behind a frame is inside of one
    ("text.terms", "stroke", "#ffffff", "#14171c"),
    ("text", "fill", "#1c2430", "#e4e9f0"),
    (".soft", "fill", "#66717f", "#98a5b5"),
    (".start .head", "fill", "#bfe8c8", "#1f5a33"),
    (".exec .head", "fill", "#d5e1f5", "#2b4266"),
    (".data .head", "fill", "#e6e9ee", "#363e4a"),
    (".call .head", "fill", "#e7d9f8", "#4b3570"),
    (".boundary .head", "fill", "#fbe6c2", "#5e4718"),
    (".unknown .head", "fill", "#f9d0d0", "#6b2727"),
    (".control", "stroke", "#3d4a5c", "#c3ccd8"),
    (".pin.control", "fill", "#3d4a5c", "#c3ccd8"),
    (".pin.open", "fill", "#ffffff", "#232932"),
)
_STATES: tuple[tuple[str, str, str, str], ...] = (
    (".did-running .box", "stroke", "#1f6fe0", "#6aa7ff"),
    (".did-completed .box", "stroke", "#2a8f4b", "#5fd088"),
    (".did-failed .box", "stroke", "#cc2b2b", "#ff7d74"),
    (".did-skipped .box", "stroke", "#b8860b", "#e5b94c"),
    (".did-cancelled .box", "stroke", "#8a5a9e", "#c79ddb"),
)
_TYPES: tuple[tuple[tuple[str, ...], str, str], ...] = (
    (("any",), "#7b8794", "#8d99a8"),
    (("bool",), "#c43d3d", "#f07f78"),
    (("int",), "#0b7f8f", "#4cc5d3"),
    (("float",), "#2f8a3c", "#74cf7f"),
    (("str", "path"), "#b8379b", "#ee8ad6"),
    (("bytes",), "#8a6239", "#cfa574"),
    (("list", "set", "tuple"), "#6d4fc4", "#ac96f7"),
    (("dict",), "#b06a00", "#eda948"),
    (("date", "datetime", "duration"), "#3b66c4", "#85abf5"),
)
_KNOWN = {name: names[0] for names, _, _ in _TYPES for name in names}


_OF_RUNS = (
    ".trioflow [class*=did-] .box{stroke-width:2.4}.trioflow .did-not-started{opacity:.5}"
    ".trioflow .did-skipped .box{stroke-dasharray:6 3}.trioflow .left-out{opacity:.3}"
)


def to_svg(graph: Graph, registry: Registry, *, fold: bool = False, report: RunReport | None = None) -> str:
    """The graph as an SVG picture, light or dark as who looks at it likes. Never raises for what is wrong with it.

    Thick wires are control, thin ones data, in the colours of their types. Green: where runs start. Blue: exec nodes.
    Grey: data nodes. Violet: calls of graphs, which are framed below, each once; not if folded. Red: unknown types.
    With the `report` of a run each node says what it has done, and has a green edge if it has completed, a red one if
    it has failed, a blue one while it runs; what has not been reached is pale.
    """
    diagram = to_diagram(graph, registry, fold=fold, report=report)
    nodes, wires = len(graph.nodes), len(graph.connections)
    label = f"A graph of {nodes} {'node' if nodes == 1 else 'nodes'} and {wires} {'wire' if wires == 1 else 'wires'}"
    width, height = _number(diagram.width), _number(diagram.height)
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" class="trioflow" role="img" aria-label="{label}" width="{width}" '
        f'height="{height}" viewBox="0 0 {width} {height}" style="max-width:100%;height:auto">',
        f"<style>{_style(of_run=report is not None)}</style>",
        f'<rect class="page" width="{width}" height="{height}" rx="10"/>',
        *_drawn(diagram),
        "</svg>",
    ]
    return "\n".join(lines) + "\n"


def shown(graph: Graph) -> str:
    """The graph as notebooks show it: with the standard node types, and those that it was built with."""
    return to_svg(graph, Registry.standard())


def _style(*, of_run: bool) -> str:
    light, dark = "", ""
    for selector, what, bright, dim in (*_COLOURS, *(_STATES if of_run else ())):
        light += f".trioflow {selector}{{{what}:{bright}}}"
        dark += f".trioflow {selector}{{{what}:{dim}}}"
    for (name, *_), bright, dim in _TYPES:
        light += f".trioflow .t-{name}{{stroke:{bright}}}.trioflow .pin.t-{name}{{fill:{bright}}}"
        dark += f".trioflow .t-{name}{{stroke:{dim}}}.trioflow .pin.t-{name}{{fill:{dim}}}"
    # What is open is not filled, whatever its type.
    opened = ".trioflow .pin.open{{fill:{}}}".format
    return (
        f".trioflow text{{font-family:{_FONT};font-size:{SMALL}px}}"
        f".trioflow .title{{font-size:{TITLE}px;font-weight:600}}.trioflow .end{{text-anchor:end}}"
        ".trioflow path{fill:none}.trioflow .wire{stroke-width:1.6}.trioflow .wire.control{stroke-width:2.8}"
        ".trioflow .undo{stroke-dasharray:2 4}.trioflow .terms{text-anchor:middle;paint-order:stroke;stroke-width:4}"
        ".trioflow .halo{stroke-width:5}.trioflow .pin{stroke-width:1.4}.trioflow .unknown .box{stroke-dasharray:4 3}"
        f"{_OF_RUNS if of_run else ''}"
        f"{light}{opened('#ffffff')}@media (prefers-color-scheme:dark){{{dark}{opened('#232932')}}}"
    )


def _drawn(diagram: Diagram, *, framed: bool = False) -> Iterator[str]:
    x, y = diagram.x, diagram.y
    if framed:
        yield (
            f'<rect class="frame" x="{_number(x)}" y="{_number(y)}" width="{_number(diagram.width)}" '
            f'height="{_number(diagram.height)}" rx="8"/>'
        )
    baseline = y + FRAME + SMALL - 1
    if diagram.title:
        yield _text(x + FRAME, baseline, diagram.title, "title")
        baseline += LINE
    for line in diagram.declarations:
        what, _, names = line.partition("  ")
        yield _text(x + FRAME, baseline, f"{what}: {names}", "soft")
        baseline += LINE
    yield '<g class="wires">'
    # Data wires come first, and what was left out: control is seen above them.
    for wire in sorted(diagram.wires, key=lambda wire: (wire.control, wire.taken is not False)):
        yield from _wire(wire)
    yield "</g>"
    for item in diagram.nodes:
        yield from _node(item)
    for inner in diagram.graphs:
        yield from _drawn(inner, framed=True)


def _node(item: Item) -> Iterator[str]:
    x, y, width = item.x, item.y, item.width
    told = f"{item.id} ({item.type}){f': {item.doc}' if item.doc else ''}"
    done = "" if item.state is None else f" did-{item.state.replace(' ', '-')}"
    yield f'<g class="{item.kind}{done}"><title>{_escaped(told)}</title>'
    yield (
        f'<rect class="box" x="{_number(x)}" y="{_number(y)}" width="{_number(width)}" height="{_number(item.height)}" '
        'rx="6"/>'
    )
    low = _number(y + HEAD)
    yield (
        f'<path class="head" d="M{_number(x + 0.6)} {low}V{_number(y + 6)}q0 -5.4 5.4 -5.4'
        f'H{_number(x + width - 6)}q5.4 0 5.4 5.4V{low}z"/>'
    )
    yield _text(x + PAD + 4, y + HEAD - 7, item.title, "title")
    yield _text(x + PAD, y + HEAD + ROW - 4, item.subtitle, "soft")
    for place, note in enumerate(item.notes):
        yield _text(x + PAD, y + item.height - 6 - ROW * (len(item.notes) - place - 1), note, "soft")
    for pin in item.inputs:
        yield from _pin(pin, PAD, "")
    for pin in item.outputs:
        yield from _pin(pin, -PAD, "end")
    yield "</g>"


def _pin(pin: Pin, inward: float, anchor: str) -> Iterator[str]:
    classes = f"pin {_colour(pin)}{'' if pin.wired else ' open'}"
    x, y = _number(pin.x), _number(pin.y)
    if pin.control:
        yield f'<path class="{classes}" d="M{_number(pin.x - 4.5)} {_number(pin.y - 5)}h4l5 5l-5 5h-4z"/>'
    else:
        told = _escaped(f"{pin.name}: {pin.type}")
        yield f'<circle class="{classes}" cx="{x}" cy="{y}" r="4"><title>{told}</title></circle>'
    if pin.text:
        yield _text(pin.x + inward, pin.y + 3.5, pin.text, anchor)


def _wire(wire: Wire) -> Iterator[str]:
    path = _path(wire.points)
    if wire.control:
        yield f'<path class="halo" d="{path}"/>'
    told = f"{wire.source} -> {wire.target}{f' ({wire.terms})' if wire.terms else ''}"
    left_out = " left-out" if wire.taken is False else ""
    classes = f"wire {_colour(wire)}{' undo' if wire.undo else ''}{left_out}"
    yield f'<path class="{classes}" d="{path}"><title>{_escaped(told)}</title></path>'
    if wire.terms:
        # Where it has left its source there is room to say so.
        (x, y), (to_x, to_y) = max([*pairwise(wire.points)][:2], key=lambda ends: ends[1][0] - ends[0][0])
        yield _text((x + to_x) / 2, (y + to_y) / 2 - 5, wire.terms, "terms")


def _colour(what: Pin | Wire) -> str:
    """The class of a wire or a pin."""
    if what.control:
        return "control"
    return f"t-{_KNOWN.get(re.split(r'[^a-z]', what.type)[0], 'any')}"


def _path(points: Sequence[tuple[float, float]]) -> str:
    """A curve through the points: level at each, and round where one is above another."""
    x, y = points[0]
    parts = [f"M{_number(x)} {_number(y)}"]
    way = 1
    for to_x, to_y in points[1:]:
        if to_x == x:
            reach = way * min(28.0, 12 + abs(to_y - y) / 4)
            way = -way
            first, second = x + reach, x + reach
        else:
            first = second = (x + to_x) / 2
        if to_y == y:
            parts.append(f"H{_number(to_x)}")
        else:
            parts.append(
                f"C{_number(first)} {_number(y)} {_number(second)} {_number(to_y)} {_number(to_x)} {_number(to_y)}"
            )
        x, y = to_x, to_y
    return "".join(parts)


def _text(x: float, y: float, text: str, classes: str) -> str:
    marked = f' class="{classes}"' if classes else ""
    return f'<text{marked} x="{_number(x)}" y="{_number(y)}">{_escaped(text)}</text>'


def _escaped(text: str) -> str:
    """What XML takes, on one line; what is no character in Unicode it can't hold at all."""
    return escape("".join("\ufffd" if ord(char) & 0xFFFE == 0xFFFE else char for char in visible(text)))


def _number(value: float) -> str:
    return f"{value:.1f}".removesuffix(".0")
