"""DOT, as literal texts; read by Graphviz itself where it is installed."""

import shutil
import subprocess

import pytest
from formats.graphs import BROKEN, HOSTILE, SMALL

import trioflow as tf
from trioflow.formats.dot import to_dot

REGISTRY = tf.Registry.standard()


def test_control_is_bold_and_data_dashed():
    """Exec wires are bold, data wires dashed, both with the names of their sockets at the ends."""
    drawn = to_dot(SMALL, REGISTRY)
    assert (
        drawn
        == r"""digraph trioflow {
    rankdir=LR;
    node [fontname="sans-serif"];
    n0 [shape=ellipse, peripheries=2, label="start\nflow.start"];
    n1 [shape=box, label="loop\nflow.for\ntimes = 3"];
    n2 [shape=ellipse, label="sum\nmath.add\nb = 1"];
    n3 [shape=box, label="show\ndebug.print"];
    n4 [shape=box, label="after\ndebug.print\nvalue = 'over'"];
    n0 -> n1 [style=bold, taillabel="then", headlabel="enter"];
    n1 -> n3 [style=bold, taillabel="body", headlabel="enter"];
    n1 -> n2 [style=dashed, taillabel="index", headlabel="a"];
    n2 -> n3 [style=dashed, taillabel="result", headlabel="value"];
    n1 -> n4 [style=bold, taillabel="done", headlabel="enter"];
}
"""
    )


def test_labels_are_quoted():
    """Quotes, backslashes, entities and line ends in ids stay what they are."""
    labels = [line.partition("label=")[2] for line in to_dot(HOSTILE, REGISTRY).splitlines()[3:7]]
    assert labels == [
        r'"say \"hi\" &amp; <b>\\n\\N\nflow.start"];',
        r'"end\ndebug.print\nvalue = ' + r"""'a \"b\"\\nc'"];""",
        r'"`grün`_x_ \\u2028\\ud800\ndebug.print\nvalue = ' + f"'{'x' * 36}" + '..."];',
        r'"1. http://a#b; $$\ndebug.print"];',
    ]


def test_a_graph_with_errors_is_drawn():
    """Unknown types and sockets, a repeated id and a node that is not there are drawn all the same."""
    drawn = to_dot(BROKEN, REGISTRY)
    assert (
        drawn
        == r"""digraph trioflow {
    rankdir=LR;
    node [fontname="sans-serif"];
    n0 [shape=ellipse, peripheries=2, label="start\nno.such_type"];
    n1 [shape=box, label="known\ndebug.print"];
    n2 [shape=box, label="known\ndebug.print"];
    n3 [shape=ellipse, label="sum\nmath.add"];
    missing0 [shape=box, style=dotted, label="ghost\nnot in the graph"];
    n0 -> n1 [style=bold, taillabel="then", headlabel="enter"];
    n1 -> n1 [style=bold, taillabel="misspelt", headlabel="enter"];
    n1 -> n1 [style=dashed, taillabel="misspelt", headlabel="value"];
    missing0 -> n3 [style=dashed, taillabel="out", headlabel="a"];
    n1 -> missing0 [style=bold, taillabel="then", headlabel="enter"];
}
"""
    )


@pytest.mark.skipif(shutil.which("dot") is None, reason="Graphviz is not installed")
@pytest.mark.parametrize("graph", [SMALL, HOSTILE, BROKEN, tf.Graph()])
def test_graphviz_reads_it(graph):
    """Graphviz accepts every drawing without a warning."""
    done = subprocess.run(["dot", "-Tsvg"], input=to_dot(graph, REGISTRY).encode(), capture_output=True, check=False)
    assert (done.returncode, done.stderr) == (0, b"")
