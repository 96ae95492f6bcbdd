"""A random part of a random graph, moved into a graph of its own, does what it did where it was (C2, C4, C6)."""

from __future__ import annotations

from collections import Counter
from typing import Any

import attrs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support import Add, Items, Note

import trioflow as tf
from trioflow.testing import EventLog, ShuffledSchedule, run_virtual

pytestmark = pytest.mark.unmeasured

STANDARD = tf.Registry.standard(plugins=False)


@tf.data_node(id="inlining.plus")
def plus(a: int, b: int) -> int:
    return (3 * a + b) % 101


@tf.data_node(id="inlining.pick")
async def pick(a: int, b: tf.Lazy[int]) -> int:
    return a + 1 if a % 2 else await b()


TYPES = {"plus": plus, "pick": pick}
Ref = tuple[str, int]
"""Where a value comes from: `index` of the round, variable `total`, `constant`, or the data `node` of this number."""


@attrs.frozen
class Part:
    """A graph to build: data nodes, each from earlier ones; what each round does; which parts are graphs."""

    nodes: list[tuple[str, Ref, Ref]]
    steps: list[tuple[str, int]]
    data: tuple[int, int]
    inner: tuple[int, int]
    called: tuple[int, int]
    concurrent: bool


@st.composite
def parts(draw):
    size = draw(st.integers(1, 7))

    def ref(before):
        kinds = ["index", "constant", "total", *["node"] * bool(before)]
        kind = draw(st.sampled_from(kinds))
        return kind, draw(st.integers(0, before - 1)) if kind == "node" else draw(st.integers(0, 3))

    nodes = [(draw(st.sampled_from(sorted(TYPES))), ref(place), ref(place)) for place in range(size)]
    kinds = st.sampled_from(["note", "add"])
    steps = draw(st.lists(st.tuples(kinds, st.integers(0, size - 1)), min_size=1, max_size=5))

    def part(start, end):
        return tuple(sorted((draw(st.integers(start, end)), draw(st.integers(start, end)))))

    data = part(0, size)
    return Part(nodes, steps, data, part(*data), part(0, len(steps)), draw(st.booleans()))


def add_nodes(g, part, start, end, known, inner_parts):
    """Add data nodes to a graph; those of the first of the parts as one call of a graph of their own."""
    place = start
    while place < end:
        if inner_parts and place == inner_parts[0][0] < inner_parts[0][1]:
            place = call_of(g, part, known, inner_parts)
            continue
        kind, first, second = part.nodes[place]
        inputs = {name: known(ref) for name, ref in (("a", first), ("b", second))}
        handle = g.add(TYPES[kind], f"n{place}", **inputs)
        known.own[place] = handle.result
        place += 1


class Known:
    """The sockets that values come from, in one graph."""

    def __init__(self, **sockets):
        self.sockets, self.own, self.inputs = sockets, {}, {}

    def __call__(self, ref: Ref) -> Any:
        kind, number = ref
        if kind == "constant":
            return number
        return self.own[number] if kind == "node" else self.sockets[kind]


class KnownInside(Known):
    """In a graph that is called, what is not its own comes in: an input for each."""

    def __init__(self, g, **options):
        super().__init__()
        self.g, self.options = g, options

    def __call__(self, ref: Ref) -> Any:
        if ref[0] == "constant" or (ref[0] == "node" and ref[1] in self.own):
            return super().__call__(ref)
        if ref not in self.inputs:
            self.inputs[ref] = self.g.declare_input(f"{ref[0]}_{ref[1]}", "int", **self.options)
        return self.inputs[ref]


def call_of(g, part, known, inner_parts):
    (start, end), *further = inner_parts
    with tf.build(STANDARD) as inner:
        inside = KnownInside(inner)
        add_nodes(inner, part, start, end, inside, further)
        for place, socket in inside.own.items():
            inner.connect(socket, inner.declare_output(f"n{place}", "int"))
    inputs = {f"{kind}_{number}": known((kind, number)) for kind, number in inside.inputs}
    call = g.add(g.define(f"part {len(inner_parts)}", inner.graph), f"call {len(inner_parts)}", **inputs)
    known.own.update({place: call[f"n{place}"] for place in range(start, end)})
    return end


def build(part, *, as_calls):
    with tf.build(STANDARD) as g:
        g.variable("total", "int", 0, merge="sum")
        rounds = g.add(Items, "rounds", count=3)
        g.configure(rounds, mode="concurrent" if part.concurrent else "sequential")
        g.connect(g.add(tf.nodes.Start).then, rounds.enter)
        known = Known(index=rounds.item, total=g.add("variable.get", "total", name="total").result)
        inner_parts = [part.data, part.inner] if as_calls else []
        add_nodes(g, part, 0, len(part.nodes), known, inner_parts)
        before = rounds.body
        start, end = part.called if as_calls else (0, 0)
        place = 0
        while place < len(part.steps):
            if place == start < end:
                before = call_of_steps(g, part, known, before)
                place = end
                continue
            before = add_step(g, part.steps[place], f"step {place}", known, before)
            place += 1
    return g.graph


def add_step(g, step, name, known, before):
    kind, number = step
    value = known(("node", number))
    node = g.add(Note, name, value=value) if kind == "note" else g.add(Add, name, by=value)
    g.connect(before, node.enter)
    return node.then


def call_of_steps(g, part, known, before):
    """The steps as an exec graph: it reads lazily, and goes out to change a variable."""
    start, end = part.called
    with tf.build(STANDARD) as inner:
        inside = KnownInside(inner, lazy=True)
        way = inner.declare_entry("enter")
        sequence = inner.add(tf.nodes.Sequence)
        inner.connect(way, sequence.enter)
        way, outside = sequence.first, []
        for place in range(start, end):
            if part.steps[place][0] == "note":
                way = add_step(inner, part.steps[place], f"step {place}", inside, way)
            else:
                outside.append(place)
                inner.connect(way, inner.declare_exit(f"at {place}", callback=True))
                # Control comes back from a callback where it went out, so what follows hangs on another output.
                following = inner.add(tf.nodes.Sequence)
                inner.connect(sequence.second, following.enter)
                sequence, way = following, following.first
        inner.connect(sequence.fourth, inner.declare_exit("then"))
    inputs = {f"{kind}_{number}": known((kind, number)) for kind, number in inside.inputs}
    call = g.add(g.define("steps", inner.graph), "steps", **inputs)
    g.connect(before, call.enter)
    for place in outside:
        add_step(g, part.steps[place], f"step {place}", known, call[f"at {place}"])
    return call.then


def seen(graph, middleware=()):
    log, notes = EventLog(), []
    result = run_virtual(graph, registry=STANDARD, services={"notes": notes}, observers=[log], middleware=middleware)
    names = (row[1].rpartition("/")[2] for row in log.rows("evaluating"))
    counts = Counter(name for name in names if name.startswith("n"))
    return (result.variables, Counter(notes), counts), log.trace()


@settings(max_examples=80, deadline=None)
@given(parts(), st.integers(0, 2**16))
def test_calls_do_what_their_contents_did(part, seed):
    """The same variables, the same notes, and each data node evaluated as often as where it was, each time (D4, E5)."""
    inlined, _ = seen(build(part, as_calls=False))
    called, trace = seen(build(part, as_calls=True))
    assert called == inlined
    assert seen(build(part, as_calls=True), [ShuffledSchedule(seed)]) == (called, trace)


@pytest.mark.parametrize("concurrent", [False, True])
def test_a_fixed_part(concurrent):
    """One that is not left to chance: a lazy input two graphs deep, behind what a step changes (C2, C4)."""
    nodes = [
        ("plus", ("index", 0), ("total", 0)),
        ("pick", ("index", 0), ("node", 0)),
        ("plus", ("node", 1), ("node", 0)),
    ]
    steps = [("note", 2), ("add", 1), ("note", 2), ("note", 1)]
    part = Part(nodes, steps, data=(0, 3), inner=(1, 3), called=(0, 4), concurrent=concurrent)
    assert seen(build(part, as_calls=True))[0] == seen(build(part, as_calls=False))[0]
