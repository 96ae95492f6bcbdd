"""Graphs that mean harm: each ends with a failure that names the limit, in time, and nobody else is held up meanwhile.

The recipe is that of docs/hosts.md. What a graph gets is what a stranger can write into a document.
"""

from __future__ import annotations

import json
import time
import zlib

import pytest
from hosts.held import REGISTRY, run

import trioflow as tf

pytestmark = pytest.mark.unmeasured


def wired(*chain, **more):
    """A document: nodes as (id, type, inputs), wires as "from -> to"."""
    nodes = [dict(zip(("id", "type", "inputs"), each, strict=False)) for each in chain]
    wires = [dict(zip(("from", "to"), wire.split(" -> "), strict=True)) for wire in more.pop("wires")]
    return tf.loads(json.dumps({"trioflow": "1.1", "nodes": nodes, "connections": wires, **more}))


START = ("start", "flow.start")
GROWING = {"variables": [{"name": "v", "type": "any", "default": "x" * 100}]}


def doubling(type_id, first):
    """Join a variable to itself, again and again."""
    a, b = [socket.name for socket in REGISTRY.get(type_id).inputs]
    return wired(
        START,
        ("forever", "flow.forever"),
        ("get", "variable.get", {"name": "v"}),
        ("double", type_id),
        ("set", "variable.set", {"name": "v"}),
        wires=[
            "start.then -> forever.enter", "forever.body -> set.enter", f"get.result -> double.{a}",
            f"get.result -> double.{b}", "double.result -> set.value",
        ],
        variables=[{"name": "v", "type": "any", "default": first}],
    )  # fmt: skip


def branches(count):
    """As many branches as there are at once, each of which has as many again."""
    return wired(
        START,
        ("many", "flow.parallel_for", {"times": count}),
        ("more", "flow.parallel_for", {"times": count}),
        ("wait", "flow.delay", {"seconds": 100}),
        wires=["start.then -> many.enter", "many.body -> more.enter", "more.body -> wait.enter"],
    )


def shielded(depth):
    chain = [(f"s{i}", "flow.shield", {"seconds": 1000}) for i in range(depth)]
    return wired(
        START,
        *chain,
        ("wait", "flow.delay", {"seconds": 1000}),
        wires=[
            "start.then -> s0.enter",
            *(f"s{i}.body -> s{i + 1}.enter" for i in range(depth - 1)),
            f"s{depth - 1}.body -> wait.enter",
        ],
    )


def calls(*types):
    """Graphs that call each other twice each: a depth of n makes 2ⁿ calls."""
    interface = {"entries": [{"name": "enter"}], "exits": [{"name": "done"}]}
    graphs = {
        name: {
            "interface": interface,
            "nodes": [
                {"id": "enter", "type": "graph.enter"}, {"id": "leave", "type": "graph.leave"},
                {"id": "a", "type": called}, {"id": "b", "type": called},
            ],
            "connections": [
                {"from": "enter.enter", "to": "a.enter"}, {"from": "a.done", "to": "b.enter"},
                {"from": "b.done", "to": "leave.done"},
            ],
        }
        for name, called in types
    }  # fmt: skip
    return wired(START, ("call", f"graph:{types[0][0]}"), wires=["start.then -> call.enter"], graphs=graphs)


HOSTILE = {
    # processor time
    "a loop for ever": wired(START, ("f", "flow.forever"), wires=["start.then -> f.enter"]),
    "a loop for ever, with a body": wired(
        START, ("f", "flow.forever"), ("m", "flow.marker"), wires=["start.then -> f.enter", "f.body -> m.enter"]
    ),
    "a circle of wires": wired(
        START, ("a", "flow.marker"), ("b", "flow.marker"),
        wires=["start.then -> a.enter", "a.then -> b.enter", "b.then -> a.enter"],
    ),
    "a thousand million rounds": wired(
        START, ("f", "flow.for", {"times": 10**9}), ("m", "flow.marker"),
        wires=["start.then -> f.enter", "f.body -> m.enter"],
    ),
    "trying again for ever": wired(
        START, ("r", "flow.retry", {"attempts": 10**9, "delay": 0}), ("x", "flow.raise"),
        wires=["start.then -> r.enter", "r.body -> x.enter"],
    ),
    "catching all, for ever": wired(
        START, ("f", "flow.forever"), ("t", "flow.try"), ("x", "flow.raise"), ("m", "flow.marker"),
        wires=["start.then -> f.enter", "f.body -> t.enter", "t.body -> x.enter", "t.catch -> m.enter"],
    ),
    "collecting all failures": wired(
        START, ("range", "list.range", {"stop": 10**6}),
        ("each", "flow.for_each"), ("x", "flow.raise"),
        wires=["start.then -> each.enter", "range.result -> each.items", "each.body -> x.enter"],
    ),
    "an event that publishes itself": wired(
        START, ("p", "event.publish", {"event": "e"}), ("on", "event.listen", {"event": "e"}),
        ("q", "event.publish", {"event": "e"}), wires=["start.then -> p.enter", "on.then -> q.enter"],
        events=[{"name": "e"}],
    ),
    # depth
    "a node that triggers itself": wired(
        START, ("t", "flow.try"), wires=["start.then -> t.enter", "t.body -> t.enter"]
    ),
    "a graph that calls itself": calls(("a", "graph:a")),
    "graphs that call each other": calls(("a", "graph:b"), ("b", "graph:a")),
    # width
    "ten thousand million branches": branches(100_000),
    "a list of a thousand million numbers": wired(
        START, ("range", "list.range", {"stop": 10**9}), ("each", "flow.for_each"),
        wires=["start.then -> each.enter", "range.result -> each.items"],
    ),
    "concurrent items without end": wired(
        START, ("many", "flow.parallel_for", {"times": 10**9}), ("m", "flow.marker"),
        wires=["start.then -> many.enter", "many.body -> m.enter"],
    ),
    # memory
    "a text that doubles": doubling("text.concat", "x" * 100),
    "a list that doubles": doubling("list.concat", [0] * 100),
    "a list in itself": doubling("list.append", []),
    "a text of ten thousand million letters": wired(
        START, ("t", "text.repeat", {"value": "abcdefghij", "times": 10**9}), ("p", "variable.set", {"name": "v"}),
        wires=["start.then -> p.enter", "t.result -> p.value"], **GROWING,
    ),
    "a format of ten thousand million blanks": wired(
        START, ("t", "text.format", {"template": "{a:>9999999999}", "a": "x"}), ("p", "variable.set", {"name": "v"}),
        wires=["start.then -> p.enter", "t.result -> p.value"], **GROWING,
    ),
    "a power tower": wired(
        START, ("a", "math.power", {"base": 9, "exponent": 99999999}), ("p", "variable.set", {"name": "v"}),
        wires=["start.then -> p.enter", "a.result -> p.value"], **GROWING,
    ),
    # patterns and documents
    "a pattern that tries all ways": wired(
        START, ("r", "regex.matches", {"value": "a" * 40 + "!", "pattern": "(a+)+$"}),
        ("p", "variable.set", {"name": "v"}), wires=["start.then -> p.enter", "r.result -> p.value"], **GROWING,
    ),
    "JSON of a hundred thousand levels": wired(
        START, ("j", "json.parse", {"text": "[" * 100_000}), ("p", "variable.set", {"name": "v"}),
        wires=["start.then -> p.enter", "j.result -> p.value"], **GROWING,
    ),
    "JSON with a number of a million digits": wired(
        START, ("j", "json.parse", {"text": "9" * 1_000_000}), ("p", "variable.set", {"name": "v"}),
        wires=["start.then -> p.enter", "j.result -> p.value"], **GROWING,
    ),
    # cancellation
    "a shield around a long wait": shielded(1),
    "shields in shields": shielded(50),
}  # fmt: skip


def bomb(size):
    """A document that unpacks zeros: a thousandth of their number in base64."""
    import base64

    packed = base64.b64encode(zlib.compress(bytes(size), 9)).decode()
    return wired(
        START, ("b", "bytes.from_base64", {"text": packed}), ("d", "bytes.decompress", {"most": 10**12}),
        ("p", "variable.set", {"name": "v"}),
        wires=["start.then -> p.enter", "b.result -> d.data", "d.result -> p.value"], **GROWING,
    )  # fmt: skip


@pytest.mark.parametrize("name", HOSTILE)
def test_it_ends_in_time(name):
    """With a failure, within the time limit and what shields may keep, and no step holds the loop for 5 ms."""
    began = time.perf_counter()
    ended, longest = run(HOSTILE[name])
    took = time.perf_counter() - began
    print(name, type(ended).__name__, str(ended)[:150], f"{took:.2f} s, {longest * 1000:.1f} ms")
