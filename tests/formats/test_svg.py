"""Pictures: read back as XML; how they look a person has to see."""

from __future__ import annotations

import json
import re
from itertools import combinations
from xml.etree import ElementTree as ET

import attrs
import pytest
from formats.graphs import BROKEN, HOSTILE, SMALL

import trioflow as tf
from trioflow.formats import to_diagram, to_svg
from trioflow.formats.diagram import bends, text_width
from trioflow.model.secret import HIDDEN

REGISTRY = tf.Registry.standard(plugins=False)
NAME = "{http://www.w3.org/2000/svg}"


def texts(svg):
    return ["".join(each.itertext()) for each in ET.fromstring(svg).iter(f"{NAME}text")]


def classes(svg, tag):
    return [each.get("class", "") for each in ET.fromstring(svg).iter(NAME + tag)]


def test_what_is_shown():
    """Ids and types of nodes, labels of sockets with what they were given, and what the graph declares."""
    assert texts(to_svg(SMALL, REGISTRY)) == [
        "variables: n: int = 0, seen: list = []",
        "events: tick",
        *("start", "flow.start"),
        *("loop", "flow.for", "times = 3", "body", "done", "index"),
        *("sum", "math.add", "a", "b = 1", "result"),
        *("show", "debug.print", "value"),
        *("after", "debug.print", "value = 'over'"),
    ]


def test_wires_have_the_colours_of_their_types():
    """Control is thick and above data; a type with parameters has the colour of its container."""
    wires = [each for each in classes(to_svg(SMALL, REGISTRY), "path") if each.startswith("wire")]
    assert wires == ["wire t-int", "wire t-int"] + ["wire control"] * 3
    with tf.build() as g:
        g.add("list.length", items=g.add("list.literal", items=[1]).result)
    assert "wire t-list" in classes(to_svg(g.graph, REGISTRY), "path")


def test_kinds_of_nodes():
    """Starts, exec and data nodes, calls, boundaries and unknown types differ."""
    with tf.build() as inner:
        out = inner.declare_output("y", "int")
        inner.connect(inner.add("math.add", a=inner.declare_input("x", "int"), b=1).result, out)
    with tf.build() as g:
        call = g.add(g.define("inner", inner.graph), "call", x=1)
        g.connect(g.add("flow.start").then, g.add("debug.print", value=call.y).enter)
    svg = to_svg(g.graph, REGISTRY)
    groups = [each for each in classes(svg, "g") if each != "wires"]
    assert groups == ["call", "start", "exec", "boundary", "boundary", "data"]
    assert classes(svg, "rect").count("frame") == 1
    assert "inner" in texts(svg)
    assert classes(to_svg(g.graph, REGISTRY, fold=True), "rect").count("frame") == 0
    assert "unknown" in classes(to_svg(BROKEN, REGISTRY), "g")


@pytest.mark.parametrize("graph", [HOSTILE, BROKEN, tf.Graph()], ids=["hostile", "broken", "empty"])
def test_whatever_the_graph_holds_it_is_xml(graph):
    """Ids with markup, control characters and half characters, wires to nowhere: always a picture."""
    root = ET.fromstring(to_svg(graph, REGISTRY))
    assert float(root.get("width")) > 0
    assert "<b>" not in re.sub(r"<title>.*?</title>", "", to_svg(graph, REGISTRY))


def test_characters_that_xml_can_not_hold():
    """They are replaced, where the picture shows them and where it names them."""
    graph = tf.Graph(nodes=[tf.GraphNode("a\uffff\ufdd0\x00", "no.such\ufffe")])
    ET.fromstring(to_svg(graph, REGISTRY))


def test_light_and_dark():
    """The picture says both, and whoever shows it chooses."""
    style = "".join(ET.fromstring(to_svg(SMALL, REGISTRY)).find(f"{NAME}style").itertext())
    light, dark = style.split("@media (prefers-color-scheme:dark)")
    assert {each.split("{")[0] for each in re.findall(r"\.trioflow [^}]*", dark)} <= {
        each.split("{")[0] for each in re.findall(r"\.trioflow [^}]*", light)
    }


def test_nothing_is_secret_in_a_picture():
    """A secret is shown as its name."""
    graph = tf.Graph(nodes=[tf.GraphNode("get", "http.get", {"headers": {"secret": "TOKEN"}})])
    assert f"headers = {HIDDEN} (TOKEN)" in texts(to_svg(graph, REGISTRY))


def test_a_diagram_has_places():
    """Nodes do not overlap, pins are at the edges of their nodes, wires end at pins; it is JSON that programs can read."""
    diagram = to_diagram(SMALL, REGISTRY)
    for one, other in combinations(diagram.nodes, 2):
        apart = one.x + one.width <= other.x or other.x + other.width <= one.x
        assert apart or one.y + one.height <= other.y or other.y + other.height <= one.y
    pins = {}
    for node in diagram.nodes:
        assert {pin.x for pin in node.inputs} <= {node.x}
        assert {pin.x for pin in node.outputs} <= {node.x + node.width}
        pins |= {f"{node.id}.{pin.name}": (pin.x, pin.y) for pin in (*node.inputs, *node.outputs)}
    for wire in diagram.wires:
        assert wire.points[0] == pytest.approx(pins[wire.source])
        assert wire.points[-1] == pytest.approx(pins[wire.target])
    assert json.loads(json.dumps(attrs.asdict(diagram)))["nodes"][0]["id"] == "start"


def test_frames_hold_what_is_in_them():
    """Also where graphs are held by graphs."""
    innermost = tf.Graph(nodes=[tf.GraphNode("a", "debug.print")])
    inner = tf.Graph(nodes=[tf.GraphNode("b", "debug.print")], graphs={"innermost": innermost})
    outer = to_diagram(tf.Graph(nodes=[tf.GraphNode("c", "flow.start")], graphs={"inner": inner}), REGISTRY)

    def check(frame):
        for each in (*frame.nodes, *frame.graphs):
            assert frame.x <= each.x and each.x + each.width <= frame.x + frame.width
            assert frame.y <= each.y and each.y + each.height <= frame.y + frame.height
        for each in frame.graphs:
            check(each)

    check(outer)
    assert outer.graphs[0].graphs[0].nodes[0].id == "a"


def test_workflows():
    """How nodes take tokens stands below their sockets, when a wire is taken beside it; what undoes is joined by dots."""
    document = {
        "trioflow": "1.1",
        "kind": "workflow",
        "variables": [{"name": "n", "type": "int", "default": 0}],
        "nodes": [
            {"id": "fetch", "type": "debug.print", "set": {"n": "1"}},
            {"id": "left", "type": "debug.print", "undo": "back"},
            {"id": "back", "type": "debug.print"},
            {"id": "both", "type": "debug.print", "min": 2},
        ],
        "connections": [
            {"from": "fetch", "to": "left.enter", "when": "vars.n > 0"},
            {"from": "fetch", "to": "both.enter", "on": "failed"},
            {"from": "left", "to": "both.enter"},
        ],
    }
    graph = tf.loads(json.dumps(document))
    svg = to_svg(graph, REGISTRY)
    assert {"n := 1", "min: 2", "when vars.n > 0", "on failed", "undo"} <= {*texts(svg)}
    assert [each for each in classes(svg, "path") if "undo" in each] == ["wire t-any undo"]
    diagram = to_diagram(graph, REGISTRY)
    assert [(wire.source, wire.target, wire.terms) for wire in diagram.wires if wire.undo] == [("left", "back", "undo")]
    assert [node.kind for node in diagram.nodes] == ["start", "exec", "exec", "exec"]


def test_widths_of_texts():
    """Estimated, and never for nothing: wide characters are wide, and accents take no room."""
    assert text_width("iiii", 10) < text_width("mmmm", 10)
    assert text_width("漢字", 10) > text_width("ab", 10)
    assert text_width("e\u0301", 10) == text_width("e", 10)


def test_notebooks_show_graphs():
    """`_repr_svg_` is what they ask for; a graph under construction has it, too."""
    with tf.build() as g:
        g.add("flow.start")
    assert g._repr_svg_() == g.graph._repr_svg_() == to_svg(g.graph, REGISTRY)


def test_wires_have_the_points_at_which_they_bend():
    """A level way has its ends, however many it passes; where it turns back, goes round, or is not level it has more."""
    level = [(0, 0), (5, 10), (7, 10), (9, 10), (20, 10), (25, 0)]
    assert bends(level) == [(0, 0), (5, 10), (20, 10), (25, 0)]
    for kept in (
        [(0, 0), (9, 0), (4, 0)],
        [(0, 0), (9, 0), (9, 8), (0, 8)],
        [(0, 0), (9, 0)],
        [(0, 0), (5, 1), (9, 2)],
    ):
        assert bends(kept) == kept
