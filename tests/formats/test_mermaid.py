"""Mermaid, as literal texts. That they are valid was checked with Mermaid 11."""

from formats.graphs import BROKEN, HOSTILE, SMALL

import trioflow as tf
from trioflow.formats.mermaid import to_mermaid

REGISTRY = tf.Registry.standard()


def test_control_is_thick_and_data_dotted():
    """Exec wires are thick, data wires dotted, both named by their sockets; starts, exec and data nodes differ."""
    drawn = to_mermaid(SMALL, REGISTRY)
    assert (
        drawn
        == """\
flowchart LR
    n0(["start<br/>flow.start"])
    n1["loop<br/>flow.for<br/>times = 3"]
    n2("sum<br/>math.add<br/>b = 1")
    n3["show<br/>debug.print"]
    n4["after<br/>debug.print<br/>value = 'over'"]
    n0 ==>|"then → enter"| n1
    n1 ==>|"body → enter"| n3
    n1 -.->|"index → a"| n2
    n2 -.->|"result → value"| n3
    n1 ==>|"done → enter"| n4
"""
    )


def test_nothing_in_a_label_is_markup():
    """Quotes, tags, entities, Markdown, links, lone surrogates and line ends in ids become entity codes."""
    drawn = to_mermaid(HOSTILE, REGISTRY)
    assert (
        drawn
        == """\
flowchart LR
    n0(["say #34;hi#34; #38; #60;b#62;#92;n#92;N<br/>flow.start"])
    n1["end<br/>debug.print<br/>value = 'a #34;b#34;#92;nc'"]
    n2["#96;grün#96;#95;x#95; #92;u2028#92;ud800<br/>debug.print<br/>value = 'xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx..."]
    n3["1#46; http#58;//a#35;b#59; #36;#36;<br/>debug.print"]
    n0 ==>|"then → enter"| n1
    n1 ==>|"then → enter"| n2
    n2 ==>|"then → enter"| n3
"""
    )


def test_a_graph_with_errors_is_drawn():
    """Unknown types and sockets, a repeated id and a node that is not there are drawn all the same."""
    drawn = to_mermaid(BROKEN, REGISTRY)
    assert (
        drawn
        == """\
flowchart LR
    n0(["start<br/>no.such_type"])
    n1["known<br/>debug.print"]
    n2["known<br/>debug.print"]
    n3("sum<br/>math.add")
    missing0{{"ghost<br/>not in the graph"}}
    n0 ==>|"then → enter"| n1
    n1 ==>|"misspelt → enter"| n1
    n1 -.->|"misspelt → value"| n1
    missing0 -.->|"out → a"| n3
    n1 ==>|"then → enter"| missing0
"""
    )


def test_an_empty_graph_is_drawn():
    """A graph without nodes is an empty flowchart."""
    assert to_mermaid(tf.Graph(), REGISTRY) == "flowchart LR\n"


def test_a_broken_package_is_no_obstacle():
    """A node of a package that fails to import is drawn as one of an unknown type."""
    registry = tf.Registry.standard(plugins=False)
    registry.add_package("gone", "no_such_module_anywhere")
    graph = tf.Graph(nodes=[tf.GraphNode("a", "gone.node")])
    assert to_mermaid(graph, registry) == 'flowchart LR\n    n0["a<br/>gone.node"]\n'
