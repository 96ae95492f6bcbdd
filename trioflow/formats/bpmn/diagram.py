"""Where elements are drawn (BPMN DI): places for those that a document gives none."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from xml.sax.saxutils import quoteattr

from trioflow.formats.bpmn.document import ACTIVITIES, DI, Definitions, FlowNode, Scope, read_definitions
from trioflow.formats.layout import Box, Link, Point, lay_out
from trioflow.formats.xml_text import read_xml

_DC = "http://www.omg.org/spec/DD/20100524/DC"
_LINE = "http://www.omg.org/spec/DD/20100524/DI"
_AROUND, _HEAD = 40.0, 30.0

Bounds = tuple[float, float, float, float]


def draw_what_is_missing(text: str) -> str:
    """The document with a place for every element and flow; those that have one keep it."""
    found = read_definitions(read_xml(text), "<exported>")
    said = [*_Drawing(found).lines()]
    if not said:
        return text
    inside = "".join(f"      {line}\n" for line in said)
    plane = next((each for each in found.element.everything() if each.name == "BPMNPlane"), None)
    if plane is None:
        of = next((each.get("id") for each in found.element.all("collaboration")), found.processes[0].id)
        inside = (
            f'  <bpmndi:BPMNDiagram xmlns:bpmndi="{DI}" id="trioflow_diagram">\n    <bpmndi:BPMNPlane '
            f'id="trioflow_plane" bpmnElement={quoteattr(of)}>\n{inside}'
            "    </bpmndi:BPMNPlane>\n  </bpmndi:BPMNDiagram>\n"
        )
    at = _end_of(text, plane.name if plane is not None else "definitions")
    return f"{text[:at]}{inside}{text[at:]}"


def _end_of(text: str, tag: str) -> int:
    """Where the line of the last closing tag of this name begins."""
    at = max(text.rfind(f"</{tag}"), text.rfind(f":{tag}", 0, text.rfind(">")))
    at = text.rfind("<", 0, at + 1)
    return at if text[:at].rstrip(" ")[-1:] != "\n" else len(text[:at].rstrip(" "))


class _Drawing:
    def __init__(self, found: Definitions) -> None:
        self._found = found
        self._placed: dict[str, Bounds] = dict(found.placed)
        self._new: dict[str, Bounds] = {}
        self._routes: dict[str, tuple[Point, ...]] = {}
        self._drawn = {each.get("bpmnElement") for each in found.element.everything() if each.name == "BPMNEdge"}

    def lines(self) -> Iterator[str]:
        """The shapes and edges that are missing, as text."""
        pools = {each.get("processRef"): each.get("id") for each in self._found.element.everything()
                 if each.name == "participant"}  # fmt: skip
        for process in self._found.processes:
            below = max((y + height for _, y, _, height in self._placed.values()), default=0.0)
            in_pool = process.id in pools
            width, height = self._place(process, (_HEAD if in_pool else 0.0) + _AROUND, below + _AROUND)
            if in_pool and pools[process.id] not in self._placed:
                self._put(
                    pools[process.id], (_AROUND / 2, below + _AROUND / 2, width + _HEAD + _AROUND, height + _AROUND)
                )
        expanded = {each.id for each in self._found.nodes.values() if each.inner is not None}
        for id_, (x, y, width, height) in self._new.items():
            more = ' isExpanded="true"' if id_ in expanded else ' isHorizontal="true"' if id_ in pools.values() else ""
            yield (
                f'<BPMNShape xmlns="{DI}" id={quoteattr(f"{id_}_shape")} bpmnElement={quoteattr(id_)}{more}><dc:Bounds '
                f'xmlns:dc="{_DC}" x="{x:g}" y="{y:g}" width="{width:g}" height="{height:g}"/></BPMNShape>'
            )
        for flow in self._found.flows.values():
            if flow.id in self._drawn:
                continue
            points = self._routes.get(flow.id) or self._straight(flow.source, flow.target)
            said = "".join(f'<di:waypoint xmlns:di="{_LINE}" x="{x:g}" y="{y:g}"/>' for x, y in points)
            named = f"id={quoteattr(f'{flow.id}_edge')} bpmnElement={quoteattr(flow.id)}"
            yield f'<BPMNEdge xmlns="{DI}" {named}>{said}</BPMNEdge>'

    def _put(self, id_: str, bounds: Bounds) -> None:
        self._new[id_] = self._placed[id_] = bounds

    def _place(self, scope: Scope, left: float, top: float) -> tuple[float, float]:
        """Place what has no place in a scope; how wide and high that is."""
        nodes = [each for each in scope.nodes if each.id not in self._placed and each.tag != "boundaryEvent"]
        inner: dict[str, tuple[float, float]] = {}
        for each in nodes:
            if each.inner is not None:
                inner[each.id] = self._place(each.inner, 0.0, 0.0)
        for each in scope.nodes:
            if each.inner is not None and each not in nodes:
                x, y, _, height = self._placed[each.id]
                self._place(each.inner, x + _AROUND, y + height)
        self._lay_out(nodes, inner, scope, (left, top))
        self._attach(scope)
        mine = [self._placed[each.id] for each in scope.nodes]
        return (
            max((x + width for x, _, width, _ in mine), default=left) - left + _AROUND,
            max((y + height for _, y, _, height in mine), default=top) - top + _AROUND,
        )

    def _lay_out(
        self, nodes: Sequence[FlowNode], inner: Mapping[str, tuple[float, float]], scope: Scope, corner: Point
    ) -> None:
        """Place these elements of a scope, with what is inside of them, and the flows between them."""
        left, top = corner
        index = {each.id: number for number, each in enumerate(nodes)}
        boxes = [self._box(each, inner.get(each.id)) for each in nodes]
        flows = [each for each in scope.flows if self._host(each.source) in index and self._host(each.target) in index]
        links = [
            Link(source, boxes[source].height / 2, target, boxes[target].height / 2)
            for source, target in ((index[self._host(each.source)], index[self._host(each.target)]) for each in flows)
        ]
        layout = lay_out(boxes, links)
        for each, box, (x, y) in zip(nodes, boxes, layout.places, strict=True):
            self._put(each.id, (left + x, top + y, box.width, box.height))
            if each.inner is not None:
                self._move(each.inner, left + x + _AROUND, top + y + _AROUND)
        for flow, route in zip(flows, layout.routes, strict=True):
            if flow.source.tag != "boundaryEvent":
                self._routes[flow.id] = tuple(_cornered([(left + x, top + y) for x, y in route]))

    def _attach(self, scope: Scope) -> None:
        """Place boundary events at the lower edge of their activities."""
        for each in scope.nodes:
            for number, event in enumerate(each.boundary):
                if event.id not in self._placed:
                    x, y, _, height = self._placed[each.id]
                    self._put(event.id, (x + 12 + 40 * number, y + height - 18, 36.0, 36.0))

    def _move(self, scope: Scope, right: float, down: float) -> None:
        for each in scope.everything():
            x, y, width, height = self._placed[each.id]
            self._put(each.id, (x + right, y + down, width, height))
        for inner in (scope, *(node.inner for node in scope.everything() if node.inner is not None)):
            for flow in inner.flows:
                if flow.id in self._routes:
                    self._routes[flow.id] = tuple((x + right, y + down) for x, y in self._routes[flow.id])

    @staticmethod
    def _host(node: FlowNode) -> str:
        return node.element.get("attachedToRef") if node.tag == "boundaryEvent" else node.id

    @staticmethod
    def _box(node: FlowNode, inner: tuple[float, float] | None) -> Box:
        if inner is not None:
            return Box(max(120.0, inner[0] + _AROUND), max(80.0, inner[1] + _AROUND))
        if node.tag in ACTIVITIES:
            return Box(max(100.0, min(200.0, 7.0 * len(node.name or node.id))), 80.0)
        return Box(50.0, 50.0) if node.tag.endswith("Gateway") else Box(36.0, 36.0)

    def _straight(self, source: FlowNode, target: FlowNode) -> list[Point]:
        x, y, width, height = self._placed[source.id]
        into = self._placed[target.id]
        begin = (x + width / 2, y + height) if source.tag == "boundaryEvent" else (x + width, y + height / 2)
        return [begin, (into[0], into[1] + into[3] / 2)]


def _cornered(route: list[Point]) -> Iterator[Point]:
    """The points of a route, with corners where it goes up or down."""
    yield route[0]
    for (x1, y1), (x2, y2) in pairwise(route):
        if y1 != y2 and x1 != x2:
            yield (x1 + x2) / 2, y1
            yield (x1 + x2) / 2, y2
        yield x2, y2
