"""Sagas: what was done is undone where the body fails (P9)."""

from __future__ import annotations

import pytest
import trio

import trioflow as tf
from trioflow.formats.mermaid import to_mermaid


@tf.exec_node(id="saga.book")
async def book(what: str, journal: tf.FromServices[list], seconds: float = 0.0) -> str:
    await trio.sleep(seconds)
    journal.append(f"book {what}")
    return what


@tf.exec_node(id="saga.cancel")
async def cancel(what: str, journal: tf.FromServices[list]) -> None:
    await trio.sleep(1)
    journal.append(f"cancel {what}")
    if what == "boat":
        raise OSError("no answer")


class Fails(tf.Node, id="saga.fails"):
    enter = tf.ExecIn()
    then = tf.ExecOut()

    async def execute(self, ctx: tf.Context) -> tf.ExecOut:
        await trio.sleep(0.5)
        failures = ctx.services.get("failures")
        if failures:
            raise failures.pop()
        return self.then


def no_money():
    return {"failures": [OSError("no money")]}


def step(g, before, what, **more):
    """Book something after something else, which is undone by cancelling it."""
    node = g.add(book, what, what=what, **more)
    g.add(cancel, f"no {what}", what=node.result)
    g.connect(before, node.enter)
    g.configure(node, undo=f"no {what}")
    return node.then


def trip(*places, wired=True, **policy):
    with tf.build() as g:
        g.variable("why")
        start, saga = g.add(tf.nodes.Start), g.add(tf.nodes.Saga, "saga")
        g.connect(start.then, saga.enter)
        before = saga.body
        for place in places:
            before = step(g, before, place)
        g.connect(before, g.add(Fails, "pay").enter)
        if wired:
            told = g.add(tf.nodes.SetVariable, "told", name="why", value=saga.message)
            g.connect(saga.failed, told.enter)
        if policy:
            g.configure(saga, policy=tf.Policy(**policy))
    return g.graph


def run(bench, graph, **services):
    journal: list[str] = []
    result = bench.run(graph, services={list: journal, **no_money(), **services})
    undone = [
        (each.time, each.node, each.undone, each.where, each.by) for each in bench.log if isinstance(each, tf.Undone)
    ]
    return journal, result, undone


def test_the_last_first(bench):
    """What was done is undone, the last first, with what it gave; then it goes on at `failed`."""
    journal, result, undone = run(bench, trip("train", "hotel"))
    assert journal == ["book train", "book hotel", "cancel hotel", "cancel train"]
    assert result.variables["why"] == "no money"
    assert undone == [
        (1.5, "saga", "hotel", "0.1.1", "no hotel"), (2.5, "saga", "train", "0.1.0", "no train"),
    ]  # fmt: skip


def test_nothing_is_undone_where_all_went_well(bench):
    journal, result, undone = run(bench, trip("train"), failures=[])
    assert (journal, result.variables["why"], undone) == (["book train"], None, [])


def test_the_failure_goes_on(bench):
    """Without a wire at `failed`; what could not be undone is noted on it, and the rest was undone."""
    journal: list[str] = []
    with pytest.raises(OSError, match="no money") as caught:
        bench.run(trip("train", "boat", wired=False), services={list: journal, **no_money()})
    assert journal[2:] == ["cancel boat", "cancel train"]
    assert "and could not be undone: 'boat' at 0.1.1, by 'no boat': OSError('no answer')" in caught.value.__notes__


def test_each_round_is_undone_with_what_it_gave(bench):
    """A node that was run several times is undone as often (P9)."""
    with tf.build() as g:
        start, saga = g.add(tf.nodes.Start), g.add(tf.nodes.Saga, "saga")
        each = g.add(tf.nodes.ForEach, "each", items=["a", "b", "c"])
        g.connect(start.then, saga.enter)
        g.connect(saga.body, each.enter)
        node = g.add(book, "book", what=each.item)
        g.add(cancel, "cancel", what=node.result)
        g.connect(each.body, node.enter)
        g.connect(each.done, g.add(Fails, "pay").enter)
        g._nodes["book"] = tf.GraphNode("book", "saga.book", {}, undo="cancel")
        g.connect(saga.failed, g.add(tf.nodes.Marker).enter)
    assert run(bench, g.graph)[0][3:] == ["cancel c", "cancel b", "cancel a"]


def test_with_the_saga_around(bench):
    """What was done in a saga that went well is undone with the one around it (P9)."""
    with tf.build() as g:
        start, outer = g.add(tf.nodes.Start), g.add(tf.nodes.Saga, "outer")
        inner = g.add(tf.nodes.Saga, "inner")
        g.connect(start.then, outer.enter)
        g.connect(step(g, outer.body, "train"), inner.enter)
        step(g, inner.body, "hotel")
        g.connect(inner.then, g.add(Fails, "pay").enter)
        g.connect(outer.failed, g.add(tf.nodes.Marker).enter)
    assert run(bench, g.graph)[0][2:] == ["cancel hotel", "cancel train"]


def test_concurrent_ones_in_canonical_order(bench):
    """Of what was done at once, the order is that of the document, whoever came first (P9)."""
    with tf.build() as g:
        start, saga, fork = g.add(tf.nodes.Start), g.add(tf.nodes.Saga, "saga"), g.add("flow.parallel", "fork")
        g.connect(start.then, saga.enter)
        g.connect(saga.body, fork.enter)
        step(g, fork.a, "slow", seconds=0.3)
        step(g, fork.b, "fast")
        g.connect(fork.done, g.add(Fails, "pay").enter)
        g.connect(saga.failed, g.add(tf.nodes.Marker).enter)
    assert run(bench, g.graph)[0] == ["book fast", "book slow", "cancel fast", "cancel slow"]


def test_each_attempt_is_undone(bench):
    """A retry is around the saga: each attempt begins with nothing done (P8)."""
    journal, result, _ = run(
        bench, trip("train", retry=tf.RetryPolicy(2, jitter=0), wired=False), failures=[OSError("once")]
    )
    assert journal == ["book train", "cancel train", "book train"]


def test_an_attempt_that_takes_too_long(bench):
    """It has failed, so it is undone (P5)."""
    journal: list[str] = []
    with pytest.raises(tf.NodeTimeout):
        bench.run(trip("train", attempt_timeout="400ms"), services={list: journal, **no_money()})
    assert journal == ["book train", "cancel train"]


async def test_a_cancellation_undoes_nothing(autojump_clock):
    """Nothing is begun, and undoing itself can be cancelled (P9)."""
    for moment, undone in (0.2, []), (1.7, ["cancel hotel"]):
        journal: list[str] = []
        with trio.move_on_after(moment):
            await tf.run(trip("train", "hotel"), services={list: journal, **no_money()})
        assert journal[2:] == undone


def test_the_fallback_is_undone(bench):
    """What was done is the node that was fired in the place of the one that failed (P5)."""
    with tf.build() as g:
        start, saga = g.add(tf.nodes.Start), g.add(tf.nodes.Saga, "saga")
        g.connect(start.then, saga.enter)
        fails = g.add(Fails, "plane")
        other = g.add(book, "bus", what="bus")
        g.add(cancel, "no bus", what=other.result)
        g.add(cancel, "no plane", what="plane")
        g._nodes["bus"] = tf.GraphNode("bus", "saga.book", {"what": "bus"}, undo="no bus")
        g._nodes["plane"] = tf.GraphNode("plane", "saga.fails", policy=tf.Policy(fallback="bus"), undo="no plane")
        g.connect(saga.body, fails.enter)
        g.connect(fails.then, g.add(Fails, "pay").enter)
        g.connect(saga.failed, g.add(tf.nodes.Marker).enter)
    failures = [OSError("no money"), OSError("no plane")]
    assert run(bench, g.graph, failures=failures)[0] == ["book bus", "cancel bus"]


@pytest.mark.parametrize(
    ("undo", "code"),
    [("no trein", "unknown-node"), ("told", "wired-undo"), ("loop", "undo-of-undo"), ("one", "unknown-node")],
)
def test_bad_input(undo, code):
    """A node that undoes is there, is an exec node, has no exec wires, and is not undone itself (P9)."""
    with tf.build() as g:
        start, saga, node = g.add(tf.nodes.Start), g.add(tf.nodes.Saga), g.add(book, "train", what="train")
        g.connect(start.then, saga.enter)
        g.connect(saga.body, node.enter)
        g.connect(saga.failed, g.add(tf.nodes.Marker, "told").enter)
        g.add(cancel, "no train", what=g.add("math.add", "one").result)
        g.add(cancel, "loop", what="x")
        g._nodes["loop"] = tf.GraphNode("loop", "saga.cancel", {"what": "x"}, undo="no train")
        g._nodes["train"] = tf.GraphNode("train", "saga.book", {"what": "train"}, undo=undo)
    (problem,) = [each for each in tf.validate(g.graph, tf.Registry.standard()).errors if each.rule == "P9"]
    assert (problem.code, problem.rule, problem.path) == (code, "P9", "nodes[2].undo")


def test_undo_without_a_saga_means_nothing():
    with tf.build() as g:
        node = g.add(book, "train", what="train")
        g.connect(g.add(tf.nodes.Start).then, node.enter)
        g.add(cancel, "no train", what=node.result)
        g._nodes["train"] = tf.GraphNode("train", "saga.book", {"what": "train"}, undo="no train")
    (problem,) = tf.validate(g.graph, tf.Registry.standard()).problems
    assert (problem.code, problem.path) == ("no-meaning", "nodes[0].undo")
    assert "body of a `flow.saga`" in problem.cure


def test_in_a_workflow(bench):
    """There the scope of the body undoes what was done in it (W17); the node goes on at `failed` as well."""
    journal: list[str] = []
    with tf.workflow() as w:
        saga = w.add(tf.nodes.Saga, "saga")
        node = w.add(book, "train", what="train", undo="no train")
        w.add(cancel, "no train", what=node.result)
        w.connect(saga.body, node)
        w.connect(node, w.add(Fails, "pay"))
        w.connect(saga.failed, w.add(tf.nodes.Marker, "told"))
    bench.run(w.graph, services={list: journal, **no_money()})
    assert journal == ["book train", "cancel train"]


def test_drawn():
    """A drawing shows which node undoes which."""
    assert '-.-x|"undo"|' in to_mermaid(trip("train"), tf.Registry.standard())
