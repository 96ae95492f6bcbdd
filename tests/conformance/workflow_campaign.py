"""Random workflows of 2 to 30 nodes, each under every limit and drawn schedules: `python -m conformance.workflow_campaign`.

Two numbers, in `tests/`: the first workflow and how many; a third says after how many seconds it ends. Each is planned
once for each limit, run in the order in which things are ready and under a drawn schedule, and compared with what the
reference in rounds says (W1-W18, W21).
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
from trioflow.conformance.situations import FLOORS, situations
from trioflow.conformance.workflows import LIMITS, random_workflow
from trioflow.model.structure import graph_from
from trioflow.reference import Undetermined, big_step

MOST_STEPS = 300


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
    large = ["more than 12 nodes"] if len(request["graph"]["nodes"]) > 12 else []
    asked = {**request, "graph": {**request["graph"], "limit": 1}, "choices": [1]}
    return [*situations(asked, expected), *large]


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
    for name, floor in {**FLOORS, "more than 12 nodes": 300}.items():
        part = 1000 * found[name] / compared
        print(f"{name:24}{part:5.0f} of 1,000{'' if part >= floor else f', fewer than {floor}'}")
