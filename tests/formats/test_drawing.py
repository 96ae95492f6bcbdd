"""Pictures of runs: what each node has done, and which wires were taken, in each of the formats."""

import json
import re

import pytest
import trio

import trioflow as tf
from trioflow.formats import FORMATS, draw
from trioflow.testing import run_virtual

REGISTRY = tf.Registry.standard()


@tf.exec_node(id="drawing.work")
async def work(seconds: float = 1.0, fail: bool = False) -> int:
    """Take some time."""
    await trio.sleep(seconds)
    if fail:
        raise ValueError("no")
    return 3


def workflow():
    """Something fails and is taken up, something is left out."""
    with tf.workflow() as w:
        a, b, c = w.add(work, "a"), w.add(work, "b", fail=True), w.add(work, "c")
        told, after, never = w.add(work, "told"), w.add(work, "after", join="first"), w.add(work, "never")
        w.after(a, b, c)
        w.connect(b, told, on="failed")
        w.after(b, after)
        w.after(c, after)
        w.connect(c, never, when="out.result > 5")
    return w.graph


def report_of(graph, **arguments):
    return run_virtual(graph, observers=[tf.Tracker()], **arguments)


def drawn(result, format="text"):
    return result.draw(format)


def test_an_outline_says_what_each_node_has_done():
    """Below each node, and at the wires that were not taken, those of failures too."""
    assert (
        drawn(report_of(workflow()))
        == """\
* a (drawing.work)
    = completed 1, 1 s each
    then => b.enter
        b (drawing.work)
            fail = True
            = failed 1
            => told.enter [on failed]
                told (drawing.work)
                    = completed 1, 1 s each
            then => after.enter (not taken)
                after (drawing.work)
                    join: first
                    = completed 1, 1 s each
    then => c.enter
        c (drawing.work)
            = completed 1, 1 s each
            then => after.enter (above)
            then => never.enter [when out.result > 5] (not taken)
                never (drawing.work)
                    = not started
"""
    )


def test_what_a_picture_shows_by_colour():
    """States are classes in SVG and Mermaid, colours in DOT; what was left out is pale, dotted, grey."""
    result = report_of(workflow())
    svg = drawn(result, "svg")
    states = {found[1]: found[0] for found in re.findall(r'<g class="\w+ did-([\w-]+)"><title>(\w+) ', svg)}
    assert states == {
        "a": "completed", "b": "failed", "c": "completed", "told": "completed", "after": "completed",
        "never": "not-started",
    }  # fmt: skip
    left_out = re.findall(r'left-out" d="[^"]*"><title>([^<]*)<', svg)
    assert left_out == ["b.then -&gt; after.enter", "c.then -&gt; never.enter (when out.result &gt; 5)"]
    mermaid = drawn(result, "mermaid")
    assert 'n1["b<br/>drawing.work<br/>fail = True<br/>failed 1"]:::failed' in mermaid
    assert "classDef failed stroke:#cc2b2b" in mermaid
    assert 'n1 -.->|"then → enter"| n4' in mermaid
    assert 'n2 ==>|"then → enter"| n4' in mermaid
    dot = drawn(result, "dot")
    assert 'label="b\\ndrawing.work\\nfail = True\\nfailed 1", color=red];' in dot
    assert 'headlabel="enter", color=grey];' in dot
    items = json.loads(drawn(result, "json"))
    assert {each["id"]: each["state"] for each in items["nodes"]}["never"] == "not started"
    assert [each["source"] for each in items["wires"] if not each["taken"]] == ["b.then", "c.then"]


def test_without_a_run_nothing_is_said_of_one():
    """A picture of a graph is as it was."""
    for format in FORMATS:
        text = draw(workflow(), REGISTRY, format)
        assert "not started" not in text
        assert "left-out" not in text.partition("</style>")[2]
    assert json.loads(draw(workflow(), REGISTRY, "json"))["nodes"][0]["state"] is None


def test_graphs_that_are_called():
    """What their nodes did in all calls is in the frame of the graph; folded, nothing is said of them."""
    with tf.build() as inner:
        node, out = inner.add(work, "node"), inner.declare_exit("out")
        inner.connect(inner.declare_entry("begin"), node.enter)
        inner.connect(node.then, out)
    called = tf.graph_node(inner.graph, id="drawing.called")
    with tf.build() as g:
        start, one, two = g.add(tf.nodes.Start), g.add(called, "one"), g.add(called, "two")
        g.connect(start.then, one.begin)
        g.connect(one.out, two.begin)
    result = report_of(g.graph)
    assert "node (drawing.work)\n        = completed 2, 1 s each" in drawn(result)
    assert "completed 2" not in result.draw("text", fold=True)


def test_a_trigger_is_not_told_by_socket():
    """Both ends have run, so the wire was taken; an exit that was not handed over at was not."""
    with tf.build() as g:
        start, loop, node = g.add(tf.nodes.Start), g.add(tf.nodes.ForLoop, "loop", times=2), g.add(work, "node")
        switch, other = g.add(tf.nodes.Branch, "branch", condition=True), g.add(work, "other")
        g.connect(start.then, loop.enter)
        g.connect(loop.body, node.enter)
        g.connect(loop.done, switch.enter)
        g.connect(switch.true, other.enter)
        g.connect(switch.false, other.enter)
    text = drawn(report_of(g.graph))
    assert "body => node.enter\n" in text
    assert "true => other.enter\n" in text
    assert "false => other.enter (not taken)" in text


async def test_while_it_runs(autojump_clock):
    """`run.draw` shows what runs; nodes of the graph are known although they have done nothing."""
    async with tf.open_run(workflow()) as run:
        run.track()
        await trio.sleep(1.5)
        assert "= running 1" in run.draw("text")
        assert run.node("never").state == "not started"
        with pytest.raises(tf.UnknownName, match=r"Node 'nevr' is not there. Did you mean 'never'\?"):
            run.node("nevr")
        with pytest.raises(ValueError, match="Nothing can be drawn as 'png'. Take text, svg, mermaid, dot or json"):
            run.draw("png")


def test_a_run_that_nobody_tracks():
    """There is nothing to draw, and it says what to do."""
    with pytest.raises(tf.UnknownName, match="Give it a tracker"):
        run_virtual(workflow()).draw()
