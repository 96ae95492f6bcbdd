"""What is put off: handled in the first strand, after the initiators, one after the other (B3)."""

from __future__ import annotations

import pytest
import trio
from trio.testing import MockClock

import trioflow as tf

TOLD: list[tuple[float, str]] = []


@tf.exec_node(id="agenda.tell")
async def tell(what: str, takes: float = 0.0) -> None:
    TOLD.append((round(trio.current_time() - START[0], 3), what))
    await trio.sleep(takes)


START = [0.0]
REGISTRY = tf.Registry.standard(plugins=False)
REGISTRY.add(tell)


def went(graph, host=None, **options):
    """What was told, and when."""
    TOLD.clear()

    async def main():
        START[0] = trio.current_time()
        arguments = {"registry": REGISTRY, "options": tf.RunOptions(**options)}
        if host is None:
            await tf.run(graph, **arguments)
            return
        async with tf.open_run(graph, **arguments) as run:
            await host(run)

    trio.run(main, clock=MockClock(autojump_threshold=0))
    return [*TOLD]


def put_off(g, seconds, what, **inputs):
    later = g.add("flow.later", seconds=seconds)
    g.connect(later.done, g.add(tell, what=what, **inputs).enter)
    return later


@pytest.mark.parametrize("parallel", [False, True])
def test_by_time_and_in_turn(parallel):
    """B3: not before the initiators have ended, and nothing that is due overtakes what is being handled."""
    with tf.build(REGISTRY) as g:
        steps = [put_off(g, 5.0, "five", takes=4.0), put_off(g, 1.0, "one"), put_off(g, 6.0, "six")]
        steps += [g.add(tell, what="initiator", takes=3.0)]
        last = g.add("flow.start").then
        for step in steps:
            g.connect(last, step.enter)
            last = step.then
    assert went(g.graph, parallel_initiators=parallel) == [(0, "initiator"), (3, "one"), (5, "five"), (9, "six")]


def test_of_the_same_time_by_path():
    """B3: and what is put off while others are handled takes its place among them."""
    with tf.build(REGISTRY) as g:
        again = put_off(g, 1.0, "third")
        first, second = put_off(g, 1.0, "first"), put_off(g, 1.0, "second")
        g.connect(g.add("flow.start").then, first.enter)
        g.connect(first.then, second.enter)
        g.connect(first.done, again.enter)
    assert went(g.graph) == [(1, "first"), (1, "second"), (2, "third")]


def test_it_sees_the_data_as_they_are_then():
    """B3: and what it writes is there for what comes after."""
    with tf.build(REGISTRY) as g:
        g.variable("v", "str", default="before")
        later, end = g.add("flow.later", seconds=1.0), g.add(tell, what=g.add("variable.get", name="v").result)
        change = g.add("variable.set", name="v", value="after")
        g.connect(g.add("flow.start").then, later.enter)
        g.connect(later.then, change.enter)
        g.connect(later.done, end.enter)
    assert went(g.graph) == [(1, "after")]


@pytest.mark.parametrize(("which", "left"), [("", ["c"]), ("handle", ["a", "c"])])
def test_taking_back(which, left):
    """B3: all that a node has put off, or one of it; of other nodes nothing."""
    with tf.build(REGISTRY) as g:
        other, mine = put_off(g, 3.0, "c"), g.add("flow.later", seconds=1.0)
        name = g.add("variable.get", name="what")
        g.variable("what", "str", default="a")
        twice = g.add("flow.repeat", times=2)
        g.connect(g.add("flow.start").then, other.enter)
        g.connect(other.then, twice.enter)
        g.connect(twice.body, mine.enter)
        g.connect(twice.done, mine.cancel)
        if which:
            g.connect(mine.handle, mine.which)
        g.connect(mine.done, g.add(tell, what=name.result).enter)
    assert [what for _, what in went(g.graph)] == left


def test_posting():
    """B3: listeners run when it is their turn; `then` goes on at once."""
    with tf.build(REGISTRY) as g:
        g.event("e")
        g.event("quiet")
        post, quiet, listen = (
            g.add("event.post", event="e", payload="later"),
            g.add("event.post", event="quiet"),
            g.add("event.listen", event="e"),
        )
        now = g.add(tell, what="now")
        g.connect(g.add("flow.start").then, quiet.enter)
        g.connect(quiet.then, post.enter)
        g.connect(post.then, now.enter)
        g.connect(listen.then, g.add(tell, what=listen.payload).enter)
    assert went(g.graph) == [(0, "now"), (0, "later")]


def test_while_it_stays_open():
    """B3: what is due is handled in between, and before the run ends."""
    with tf.build(REGISTRY) as g:
        g.event("e")
        listen, later = g.add("event.listen", event="e"), put_off(g, 2.0, "later")
        g.connect(listen.then, later.enter)

    async def host(run):
        await trio.sleep(1)
        await run.publish("e")
        await trio.sleep(5)
        assert TOLD == [(3, "later")]
        await run.publish("e")

    assert went(g.graph, host, stay_open=True) == [(3, "later"), (8, "later")]


def test_what_the_hosts_events_put_off_at_the_end():
    """B3: is handled, too, though the run takes no events any more."""
    with tf.build(REGISTRY) as g:
        g.event("e")
        listen, slow, later = (
            g.add("event.listen", event="e"),
            g.add("flow.delay", seconds=4.0),
            put_off(g, 2.0, "later"),
        )
        g.connect(g.add("flow.start").then, g.add("flow.delay", seconds=3.0).enter)
        g.connect(listen.then, slow.enter)
        g.connect(slow.then, later.enter)

    async def host(run):
        await trio.sleep(1)
        run.publish_nowait("e")

    assert went(g.graph, host) == [(7, "later")]


def test_where_it_stands():
    """B3: on a line of its own, below a mark in place of a number."""
    with tf.build(REGISTRY) as g:
        later = put_off(g, 1.0, "later")
        g.connect(g.add("flow.start").then, later.enter)
    started: list[str] = []

    def note(event):
        started.append(f"{event.path} {event.node}")

    async def main():
        await tf.run(g.graph, registry=REGISTRY, observers=[tf.observe(note, kinds=["NodeStarted"])])

    trio.run(main, clock=MockClock(autojump_threshold=0))
    assert started == ["0.0 start", "0.1 later", "later.0 tell"]


def test_a_failure_in_what_is_due():
    """R4: fails the run."""
    with tf.build(REGISTRY) as g:
        later = g.add("flow.later", seconds=1.0)
        g.connect(g.add("flow.start").then, later.enter)
        g.connect(later.done, g.add("flow.raise", message="no").enter)
    with pytest.raises(Exception, match="no") as caught:
        went(g.graph)
    assert "activation later.0" in "".join(caught.value.__notes__)


@pytest.mark.parametrize("kind", ["called", "workflow"])
def test_only_in_the_outermost_graph(kind):
    """B3: a called graph has ended by then, and a workflow has no first strand."""
    if kind == "called":
        with tf.build(REGISTRY) as inner:
            later, enter, done = inner.add("flow.later"), inner.declare_entry("enter"), inner.declare_exit("done")
            inner.connect(enter, later.enter)
            inner.connect(later.then, done)
        with tf.build(REGISTRY) as g:
            g.connect(g.add("flow.start").then, g.add(g.define("inner", inner.graph)).enter)
    else:
        with tf.workflow(REGISTRY) as g:
            g.connect(g.add("flow.start").then, g.add("flow.later").enter)
    with pytest.raises(tf.NodeError, match="puts off 'done', which is for the run as a whole"):
        went(g.graph)


def test_a_graph_without_anything_put_off():
    """What was never put off can't be taken back."""
    with tf.build(REGISTRY) as g:
        g.connect(g.add("flow.start").then, g.add("flow.later").cancel)
    assert went(g.graph) == []
