"""Workflows as lists of wires, played by hand."""

from __future__ import annotations

import random

import trioflow as tf
from trioflow.model.function_node import as_node_type
from trioflow.model.graph import Connection, Endpoint, Graph, GraphNode
from trioflow.semantics.workflow.gates import machine_of
from trioflow.semantics.workflow.net import Net


@tf.exec_node(id="step")
def step() -> int:
    """Return one."""
    return 1


STEP = as_node_type(step)


def net(wires, nodes=None, **settings):
    """A net of nodes that are named by letters. A wire is `ab`, or a pair of that and its settings."""
    pairs = [(wire, {}) if isinstance(wire, str) else wire for wire in wires]
    names = sorted({name for wire, _ in pairs for name in wire} | {*(nodes or {})})
    graph = Graph(
        kind="workflow",
        nodes=[GraphNode(name, "step", **(nodes or {}).get(name, {})) for name in names],
        connections=[
            Connection(
                Endpoint(wire[0], "then" if more.get("on", "completed") == "completed" else ""),
                Endpoint(wire[1], "enter"),
                **more,
            )
            for wire, more in pairs
        ],
        **settings,
    )
    assert STEP is not None
    return Net(graph, [STEP] * len(names))


def play(net, ends=None, seed=None):
    """All firings of a run in the order of their ends: name, and key as a text. Tells the machine, too.

    `ends` says by name how each firing ends: with no wire, as `failed`, or normally. Without a seed they end in the
    order in which they started.
    """
    machine, chance, running, log = machine_of(net.whole()), random.Random(seed), [], []
    while True:
        while (firing := machine.take()) is not None:
            if firing.cancelled:
                machine.end(firing)
            else:
                running.append(firing)
        if not running:
            return log, machine
        firing = running.pop(0 if seed is None else chance.randrange(len(running)))
        how = (ends or {}).get(firing.net.id)
        how = how(firing) if callable(how) else how
        ghost = firing.ghost and {"exhausted": firing.net.exhausted, "unmet": firing.net.failed}[firing.ghost]
        way = ghost if firing.ghost else firing.net.failed if how == "failed" else firing.net.way("then")
        taken = () if way is None or how == "nothing" else way.taken(lambda wire: wire.when == "yes")
        log.append((firing.net.id + ("!" if firing.ghost else ""), ".".join(map(str, firing.numbers))))
        following = machine.end(firing, taken)
        if following is not None and not machine.queues:
            running.append(following)


def names(log):
    """The names of firings, in order."""
    return "".join(name for name, _ in log)
