"""Concurrent flow: branches, races, items; what is left behind does not depend on which was faster."""

from __future__ import annotations

import pytest
import trio
from support import Fail, Note, Wait

import trioflow as tf
from trioflow.testing import ShuffledSchedule, fire


@pytest.mark.parametrize("node_type", ["flow.parallel", "flow.parallel_8"])
def test_parallel(bench, node_type):
    """All branches take as long as the slowest; done comes after all."""
    with tf.build() as g:
        g.variable("seen", "list", [], merge="append")
        node = g.add(node_type)
        g.connect(g.add("flow.start").then, node.enter)
        ways = "abcd" if node_type == "flow.parallel" else "abcdefgh"
        for place, way in enumerate(ways):
            wait = g.add("flow.delay", f"wait {way}", seconds=float(len(ways) - place))
            g.connect(node[way], wait.enter)
            g.connect(wait.then, g.add("variable.append", f"keep {way}", name="seen", value=way).enter)
        g.connect(node.done, g.add(Note, value="done").enter)
    for seed in range(3):
        result = bench.run(g.graph, middleware=[ShuffledSchedule(seed)])
        assert ("".join(result.variables["seen"]), bench.notes) == (ways, ["done"])
        assert result.statistics.elapsed == float(len(ways))


def test_a_branch_that_fails(bench):
    """It cancels the others, and its failure goes on as it is."""
    with tf.build() as g:
        node = g.add("flow.parallel")
        g.connect(g.add("flow.start").then, node.enter)
        g.connect(node.a, g.add(Wait, "slow", seconds=9.0).enter)
        g.connect(node.b, g.add(Fail, after=1.0).enter)
        g.connect(node.done, g.add(Note, value="never").enter)
    error = bench.fails(ValueError, g.graph)
    assert (str(error), bench.notes) == ("boom", ["end of slow"])


def test_alongside(bench):
    """The background is cancelled when the body has ended, and what it wrote is lost unless it had ended before."""
    for seconds, expected in (9.0, 0), (0.5, 1):
        with tf.build() as g:
            g.variable("n", "int", 0, merge="sum")
            node, wait = g.add("flow.alongside"), g.add("flow.delay", seconds=seconds)
            add = g.add("variable.add", name="n")
            g.connect(g.add("flow.start").then, node.enter)
            g.connect(node.background, add.enter)
            g.connect(add.then, wait.enter)
            g.connect(node.body, g.add(Wait, "body", seconds=1.0).enter)
            g.connect(node.done, g.add(Note, value="done").enter)
        result = bench.run(g.graph)
        assert (result.variables, bench.notes) == ({"n": expected}, ["end of body", "done"])
        assert result.statistics.elapsed == 1.0


@pytest.mark.parametrize(("limit", "elapsed"), [(0, 1.0), (1, 5.0), (2, 3.0), (9, 1.0)])
@pytest.mark.parametrize(("node_type", "inputs"), [
    ("flow.parallel_for_each", {"items": [0, 1, 2, 3, 4]}), ("flow.parallel_for", {"times": 5}),
])  # fmt: skip
def test_the_limit_changes_only_the_time(bench, node_type, inputs, limit, elapsed):
    with tf.build() as g:
        g.variable("seen", "list", [], merge="append")
        node, wait = g.add(node_type, "node", limit=limit, **inputs), g.add("flow.delay")
        keep = g.add("variable.append", name="seen", value=node.index)
        g.connect(g.add("flow.start").then, node.enter)
        g.connect(node.body, wait.enter)
        g.connect(wait.then, keep.enter)
    result = bench.run(g.graph)
    assert (result.variables["seen"], result.statistics.elapsed) == ([0, 1, 2, 3, 4], elapsed)


@pytest.mark.parametrize(("node_type", "inputs"), [
    ("flow.parallel_for_each", {"items": [0, 1, 2, 3]}), ("flow.parallel_for", {"times": 4}),
])  # fmt: skip
def test_failures_are_collected(bench, node_type, inputs):
    """The others go on; what failed is known at done, in the order of the items, whoever failed first."""

    async def work(index: int) -> None:
        await trio.sleep(10 - index)
        if index % 2:
            raise ValueError(f"odd {index}")

    def graph(on_error):
        with tf.build() as g:
            node = g.add(node_type, "node", on_error=on_error, **inputs)
            g.connect(g.add("flow.start").then, node.enter)
            g.connect(node.body, g.add(tf.exec_node(work), index=node.index).enter)
            g.connect(node.done, g.add(Note, value=node.messages).enter)
        return g.graph

    result = bench.run(graph("collect"))
    assert bench.notes == [["ValueError: odd 1", "ValueError: odd 3"]]
    assert [str(each) for each in result.output("node", "failures")] == ["odd 1", "odd 3"]
    assert str(bench.fails(ValueError, graph("fail"))) == "odd 3"
    assert bench.notes == []


def test_no_items_at_all():
    """done comes once, without failures."""
    empty = ("done", {"failures": [], "messages": []})
    assert fire("flow.parallel_for_each", items=[]) == [empty]
    assert fire("flow.parallel_for", times=-1) == [empty]


def test_race_of_several_at_the_same_moment():
    """The first in order wins, and the others leave nothing behind."""
    fired = fire("flow.race", a=lambda: trio.sleep(2), b=lambda: trio.sleep(1), c=lambda: trio.sleep(1))
    assert fired[-1] == ("done", {"winner": "d"})
