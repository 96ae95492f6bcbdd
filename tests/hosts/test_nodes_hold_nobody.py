"""No standard data node holds the host's loop for 5 ms, whatever it gets that the host lets through.

All of them are asked for their values in turn, with the largest texts, lists, dictionaries and numbers that a registry of
half a million bytes allows. What comes of it does not matter here: most of it is an error that names the limit of the node.
"""

from __future__ import annotations

import datetime
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

import pytest
import trio
from hosts.held import MOST, Steps, without_collector

import trioflow as tf
from trioflow.semantics.events import EvaluationStarted

pytestmark = [pytest.mark.timed, pytest.mark.unmeasured]

ITEMS = 450_000 // 64
DAY = datetime.date(2026, 2, 3)

VALUES: dict[Any, list[Any]] = {
    str: ["ab c,\n" * 75_000, "a" * 30 + "!", "9" * 4000, "%s {a} $x <&é\u200d" * 20_000, "[" * 450_000],
    int: [10**6, 1000, 2**100_000, -1, 64],
    float: [1e300, -1e300, 5e-324, 0.1, 1e15],
    bytes: [b"ab" * 225_000, b"\xff" * 450_000, b"", b"9" * 4000, bytes(450_000)],
    bool: [True, False, True, False, True],
    list: [
        [*range(ITEMS)], [f"x{i}" for i in range(ITEMS)], [[i] for i in range(ITEMS // 4)],
        [{"a": i} for i in range(ITEMS // 6)], [True] * ITEMS,
    ],
    dict: [
        {str(i): i for i in range(ITEMS // 2)}, {i: str(i) for i in range(ITEMS // 2)}, {"a": [*range(ITEMS // 2)]},
        {}, {"x" * 200_000: "y" * 200_000},
    ],
    set: [{*range(ITEMS)}, {f"x{i}" for i in range(ITEMS)}, set(), {1, 2}, {*range(ITEMS)}],
    Path: [Path("/".join(["ab"] * 1300)), Path("a.b"), Path("/" + "a" * 4000), Path("../" * 1000), Path("é")],
    datetime.date: [DAY, DAY.min, DAY.max, DAY, DAY],
    datetime.datetime: [datetime.datetime(2026, 10, 25, 2, 30, tzinfo=datetime.UTC)] * 5,
    datetime.timedelta: [datetime.timedelta(days=999_999_999), datetime.timedelta(0), datetime.timedelta(1)] * 2,
    type(None): [None] * 5,
}  # fmt: skip
VALUES[frozenset] = [frozenset(each) for each in VALUES[set]]
VALUES[object] = [VALUES[list][0], VALUES[str][0], VALUES[dict][0], VALUES[list][2], VALUES[int][2]]
VARIANTS = 5


def value_for(type_: Any, variant: int) -> Any:
    """A value of the type of a socket."""
    found = get_origin(type_) or type_
    if found is Literal:
        return get_args(type_)[variant % len(get_args(type_))]
    if found in VALUES:
        return VALUES[found][variant]
    parts = [part for part in get_args(type_) if (get_origin(part) or part) in VALUES]
    return value_for(parts[variant % len(parts)], variant) if parts else None


def asking(node_types: list[tf.NodeType], registry: tf.Registry, variant: int) -> tf.Graph:
    """A graph that asks each for its value, after the others, and passes over failures."""

    @tf.data_node(volatile=True)
    def given(node: str, socket: str) -> object:
        return value_for(registry.get(node).inputs[registry.get(node).input_index[socket]].type, variant)

    with tf.build(registry) as g:
        g.variable("out", "any")
        after = g.add(tf.nodes.Start).then
        for node_type in node_types:
            attempt, keep = g.add(tf.nodes.Try), g.add(tf.nodes.SetVariable, name="out")
            node = g.add(node_type.id, node_type.id)
            g.connect(after, attempt.enter)
            g.connect(attempt.body, keep.enter)
            g.connect(attempt.catch, g.add(tf.nodes.Marker).enter)
            g.connect(getattr(node, node_type.outputs[0].name), keep.value)
            for socket in node_type.inputs:
                value = g.add(given, node=node_type.id, socket=socket.name)
                g.connect(value.result, getattr(node, socket.name))
            after = attempt.done
    return g.graph


def held(node_types: list[tf.NodeType], registry: tf.Registry, variant: int) -> dict[str, float]:
    """The longest step while each of them was evaluated, of those that held the loop for too long."""
    plan = tf.make_plan(asking(node_types, registry, variant), registry)
    steps, found, current = Steps(), dict[str, float](), [""]

    def see(event: tf.events.Event) -> None:
        if event.node is not None and "." in event.node:
            current[0] = event.node

    class PerNode(Steps):
        def after_task_step(self, task: trio.lowlevel.Task) -> None:
            self.longest = 0.0
            super().after_task_step(task)
            if self.longest > MOST:
                found[current[0]] = max(found.get(current[0], 0.0), self.longest)

    steps = PerNode()
    with without_collector():
        trio.run(
            lambda: tf.run(plan, observers=[tf.observe(see, kinds=[EvaluationStarted.__name__])]), instruments=[steps]
        )
    return found


@pytest.mark.parametrize("variant", range(VARIANTS))
def test_no_data_node_holds_the_loop(variant):
    """Each step of each takes less than 5 ms of processor time, in one of several tries: pages of memory that are touched for the first time count, too."""
    registry = tf.Registry.standard(plugins=False, only=["pure"], max_bytes=500_000)
    node_types = [each for each in registry if not each.is_exec]
    assert len(node_types) > 350
    found = held(node_types, registry, variant)
    for _ in range(6):
        again = [each for each in node_types if each.id in found]
        found = held(again, registry, variant) if again else {}
    assert {name: f"{seconds * 1000:.1f} ms" for name, seconds in found.items()} == {}
