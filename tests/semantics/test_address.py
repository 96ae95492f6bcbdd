"""Addresses: one way to name nodes (A1), and marks in paths (A2, A4)."""

from __future__ import annotations

from pathlib import Path

import pytest
import trio
from support import STANDARD, Add, Items, Note, Wait, chain

import trioflow as tf
from trioflow.semantics import events
from trioflow.semantics.address import (
    DEEPEST,
    Address,
    attempt_mark,
    fired_mark,
    is_attempt,
    node_names,
    prefixes,
    selector,
    show_path,
)


def nested(depth, name="call"):
    """A plan of so many graphs in each other, in the innermost of which is the node `work`."""
    graph = None
    for level in range(depth + 1):
        with tf.build(STANDARD) as g:
            first, last = (
                g.add(Add if graph is None else g.define("inner", graph), "work" if level == 0 else name),
                None,
            )
            g.variable("total", "int", 0)
            last = first.then
            if level == depth:
                g.connect(g.add(tf.nodes.Start).then, first.enter)
            else:
                g.connect(g.declare_entry("enter"), first.enter)
                g.connect(last, g.declare_exit("then"))
        graph = g.graph
    return tf.make_plan(graph, STANDARD)


def test_marks():
    """Every attempt and every fired node has a number of its own, which says what it is (A2, A4)."""
    marks = [*map(attempt_mark, range(2, 6)), *map(fired_mark, range(4))]
    assert len({*marks}) == len(marks)
    assert all(mark < 0 for mark in marks)
    assert [*map(is_attempt, marks)] == [True] * 4 + [False] * 4
    assert not is_attempt(0)
    assert not is_attempt(2)
    assert show_path((0, 1, attempt_mark(2), 0, fired_mark(0), fired_mark(1))) == "0.1.~2.0.!0.!1"
    assert show_path(()) == "root"
    assert str(events.Path(events.Path(events.ROOT, 3), attempt_mark(12))) == "3.~12"


def test_an_address_for_people():
    """The node as seen from the outermost graph, the path, and the attempt if it is not the first (A1)."""
    address = Address("call/", "work", (0, 1))
    assert (address.name, str(address)) == ("call/work", "call/work at 0.1")
    assert str(Address("", "work", (), 3)) == "work at root, attempt 3"


def test_selectors():
    """Names mean one node each, patterns all nodes of the types (A1)."""
    meant = selector(["work", "call/work", "http.*", "*"])
    assert meant == selector(("*", "call/work", "work", "http.*"))
    meant = selector(["work", "http.*"])
    assert meant.selects("work", "any")
    assert not meant.selects("call/work", "any")
    assert meant.selects("call/x", "http.get")
    assert not meant.selects("call/x", "https.get")
    with pytest.raises(TypeError, match=r"got the text 'http.\*'. Write \['http.\*'\]"):
        selector("http.*")


def test_names_of_all_nodes():
    """Each graph is listed once on its way, also one that calls itself (A1)."""
    assert set(node_names(nested(2))) >= {"call", "call/call", "call/call/work", "start"}
    hanoi = Path(tf.__file__).parent / "examples" / "hanoi.json"
    names = node_names(tf.make_plan(tf.load(hanoi), STANDARD))
    assert len(names) == len({*names})
    assert 5 < len(names) < 100
    assert len(node_names(nested(5), most=1)) < 5


def test_prefixes():
    """The graphs in which a name may mean a node; ids may have slashes (A1)."""
    assert prefixes([selector(["a", "b/c/d", "http.*"])]) == {"", "b/", "b/c/"}


def test_ids_with_slashes(bench):
    """A node may be called `a/b`: its name is that, in whatever graph (A1)."""
    with tf.build(STANDARD) as inner:
        into, out = inner.declare_entry("in"), inner.declare_exit("out")
        node = inner.add(Note, "a/b", value=1)
        inner.connect(into, node.enter)
        inner.connect(node.then, out)
    with tf.build(STANDARD) as g:
        call, node = g.add(g.define("called", inner.graph), "c"), g.add(Note, "a/b", value=2)
        g.connect(g.add(tf.nodes.Start).then, call["in"])
        g.connect(call.out, node.enter)
    for name, left in (("a/b", [1]), ("c/a/b", [2])):
        bench.run(g.graph, middleware=[Answers([name])])
        assert bench.notes == left


class Answers(tf.Middleware):
    """Answers in place of a node."""

    def __init__(self, nodes):
        self.nodes = nodes

    async def __call__(self, invocation):
        return invocation.answer()


def test_nodes_too_deep_for_a_name(bench):
    """Of more graphs than are shown no name can be told from others: that is said before the run (A1, C8)."""
    deepest = "call/" * DEEPEST + "work"
    bench.run(nested(DEEPEST), middleware=[Answers([deepest])], variables={"total": 0})
    assert deepest in [row[1] for row in bench.log.rows("started")]
    with pytest.raises(tf.UnknownName, match="is in more than 8 graphs, of which names leave out some"):
        bench.run(nested(DEEPEST + 1), middleware=[Answers(["call/" + deepest])])


@pytest.mark.parametrize("reverse", [False, True])
def test_settings_of_streams(bench, reverse):
    """By name or by pattern; a name counts before a pattern, whatever comes first (A1, S2)."""
    with tf.build(STANDARD) as g:
        one, two = g.add(Items, "one", count=2), g.add(Items, "two", count=2)
        g.connect(g.add(tf.nodes.Start).then, one.enter)
        g.connect(one.done, two.enter)
        for node in (one, two):
            g.connect(node.body, g.add(Wait).enter)
    streams = {"one": tf.StreamSettings(limit=2), "test.it*": tf.StreamSettings(limit=1)}
    if reverse:
        streams = dict(reversed(streams.items()))
    result = bench.run(g.graph, options=tf.RunOptions(streams=streams))
    assert result.statistics.elapsed == 1 + 2


def test_breakpoints(bench):
    """A breakpoint may be on a pattern; it stops before each of these nodes, in whatever graph (A1, G3)."""

    async def main():
        hits, reasons = [], set()
        async with tf.open_run(nested(2)) as run:
            run.gate.add_breakpoint("test.a*")
            run.gate.add_breakpoint("start", lambda read: read("total") == 0)
            assert run.gate.statistics().breakpoints == ("test.a*", "start")
            with pytest.raises(tf.UnknownName, match="There is no node 'call/wrk'"):
                run.gate.add_breakpoint("call/wrk")
            with pytest.raises(tf.UnknownName, match=r"no breakpoint on 'strt'. Did you mean 'start'\?"):
                run.gate.remove_breakpoint("strt")
            async for event in run.events():
                if isinstance(event, tf.events.RunPaused):
                    reasons.add(event.reason)
                    run.gate.resume()
                elif isinstance(event, tf.events.BreakpointHit):
                    hits.append((event.node, str(event.path)))
        assert [node for node, _ in hits] == ["start", "call/call/work"]
        assert reasons == {"breakpoint on 'start'", "breakpoint on 'test.a*'"}

    trio.run(main)


def test_a_breakpoint_on_a_pattern_can_be_removed():
    """It is removed by the pattern (A1)."""

    async def main():
        async with tf.open_run(nested(1)) as run:
            run.gate.add_breakpoint("test.a*")
            run.gate.remove_breakpoint("test.a*")
        assert run.status is tf.RunStatus.COMPLETED

    trio.run(main)


def test_a_chain_is_wired():
    """What `nested` makes is what the names say."""
    with tf.build(STANDARD) as g:
        chain(g, g.add(tf.nodes.Start), g.add(Note, "note"))
    assert node_names(tf.make_plan(g.graph, STANDARD)) == ["start", "note"]
