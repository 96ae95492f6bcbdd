"""Random workflows of 2 to 30 nodes, each under every limit and drawn schedules: `python -m conformance.workflow_campaign`.

Two numbers, in `tests/`: the first workflow and how many; a third says after how many seconds it ends. Each is planned
once for each limit, run in the order in which things are ready and under a drawn schedule, and compared with what the
reference in rounds says (W1-W18).
"""

from __future__ import annotations

import random
import sys
import time
from collections import Counter

import attrs

import trioflow as tf
from trioflow.conformance.comparison import OUTCOME, difference
from trioflow.conformance.engine import REGISTRY, answer_for
from trioflow.conformance.workflows import LIMITS, random_workflow
from trioflow.model.structure import graph_from
from trioflow.reference import Undetermined, big_step

MOST_STEPS = 300

FLOORS = {
    "more than 12 nodes": 0.3, "circle": 0.3, "join each": 0.2, "join first": 0.15, "min": 0.4, "undo": 0.15,
    "condition": 0.4, "else": 0.05, "scope": 0.3, "fails": 0.3, "limit of a node": 0.4, "group": 0.4, "queue": 0.1,
    "priority": 0.5, "choose": 0.3, "skipped": 0.1, "failed": 0.2, "concurrent": 0.5, "merged variable": 0.15,
    "several turns": 0.1, "undone": 0.05,
}  # fmt: skip
"""Of the workflows at least such a part has, or shows, each of these."""


def situations(graph, expected):
    """What a workflow has, and what comes of it."""
    nodes, wires = graph["nodes"], graph["connections"]
    words = {word[0] for node in nodes for word in _words(node["inputs"]["script"])}
    fired = Counter(activation[1] for activation in expected["canonical"]["activations"])
    found = {
        "more than 12 nodes": len(nodes) > 12,
        "circle": any("most" in node for node in nodes),
        "join each": any(node.get("join") == "each" for node in nodes),
        "join first": any(node.get("join") == "first" for node in nodes),
        "min": any("min" in node for node in nodes),
        "undo": any("undo" in node for node in nodes),
        "condition": any("when" in wire for wire in wires),
        "else": any("else" in wire for wire in wires),
        "scope": bool(words & {"emit", "trigger"}),
        "fails": "fail" in words,
        "limit of a node": any("limit" in node for node in nodes),
        "group": any("group" in node for node in nodes),
        "queue": any("queue" in node for node in nodes),
        "priority": any("priority" in node for node in nodes),
        "choose": any("choose" in node for node in nodes),
        "failed": expected["status"] == "failed",
        "concurrent": len(expected["canonical"]["strands"]) > 4,
        "several turns": max((times for name, times in fired.items() if name != "<scope>"), default=0) > 1,
        "undone": fired["undo"] > 0,
        "skipped": any("min" in node and node["id"] not in fired for node in nodes),
        "merged variable": len(expected["variables"].get("log", ())) > 1,
    }
    return [name for name, there in found.items() if there]


def _words(script):
    for word in script:
        yield word
        for part in word[1:]:
            if isinstance(part, list) and part and isinstance(part[0], list):
                yield from _words(part)


def compare(number, seed="campaign"):
    """What a workflow has and shows; None if it is left out. Raises `AssertionError` with the request that differs."""
    name = f"{seed}/{number}"
    request = {**random_workflow(name, most=30), "options": {"max_steps": MOST_STEPS}, "level": 3}
    graph = graph_from(request["graph"])
    try:
        plan = tf.make_plan(graph, REGISTRY)
        expected = big_step(request)
    except (tf.InvalidGraph, Undetermined):
        return None
    wanted = {field: expected[field] for field in (*OUTCOME, "canonical")}
    chance = random.Random(name)
    for limit in LIMITS:
        if limit is not None:
            plan = tf.make_plan(attrs.evolve(graph, limit=limit), REGISTRY)
        for choices in ([], [chance.randrange(100) for _ in range(80)]):
            found = difference(wanted, answer_for(plan, {**request, "choices": choices}))
            assert found is None, (name, limit, choices, found)
    return situations(request["graph"], expected)


def campaign(first, count, seconds=float("inf")):
    """How many were compared, and of these how many have or show what."""
    began, found, compared = time.monotonic(), Counter(), 0
    for number in range(first, first + count):
        there = compare(number)
        if there is not None:
            compared += 1
            found.update(there)
        if time.monotonic() > began + seconds:
            break
    return compared, found


if __name__ == "__main__":
    compared, found = campaign(*map(int, sys.argv[1:]))
    print(f"{compared} workflows, {2 * len(LIMITS)} runs each: no difference")
    for name, floor in FLOORS.items():
        part = found[name] / compared
        print(f"{name:20}{part:8.1%}{'' if part >= floor else f'   fewer than {floor:.0%}'}")
