"""Running the processes in `processes/`, each with what must come of it in `expected.json`.

`fires` are the elements that fire, in any order; `given` are variables of the run, `publish` what is told it from outside
(after so many seconds, the name, the payload). `values` are variables in the end, `lasts` is how many seconds it takes,
`fails` the class of what it fails with, `prints` what it prints.
"""

from __future__ import annotations

import contextlib
import functools
import io
import json
import math
from collections import Counter
from pathlib import Path

import trio
import trio.testing

import trioflow as tf
from trioflow.formats import bpmn
from trioflow.testing import EventLog

FOLDER = Path(__file__).parent / "processes"
EXPECTED = json.loads((FOLDER / "expected.json").read_text(encoding="utf-8"))
CASES = [(name, number) for name, cases in EXPECTED.items() for number in range(len(cases))]


@functools.cache
def imported(name):
    return bpmn.loads((FOLDER / f"{name}.bpmn").read_text(encoding="utf-8"), source=f"{name}.bpmn")


def elements(graph):
    """The ids of the nodes that are elements of the document."""
    said = {node.id: node.metadata.get("bpmn", {}).get("element") for node in graph.nodes}
    return {id_ for id_, element in said.items() if element not in (None, "process")}


def came_of(graph, case, *, middleware=()):
    """What came of a run, with the same keys as a case has."""
    log, printed, found = EventLog(), io.StringIO(), {}

    async def publish(run):
        for at, name, payload in case.get("publish", ()):
            await trio.sleep_until(began + at)
            with contextlib.suppress(tf.RunFinished):
                await run.publish(name, payload)

    async def main():
        nonlocal began
        began = trio.current_time()
        arguments = {
            "observers": [log],
            "variables": case.get("given", {}),
            "options": tf.RunOptions(turn_after=math.inf),
            "middleware": middleware,
        }
        with trio.fail_after(10_000):
            async with tf.open_run(graph, **arguments) as run, trio.open_nursery() as nursery:
                nursery.start_soon(publish, run)
                try:
                    result = await run.result()
                    found["values"] = {name: result.variables[name] for name in case.get("values", ())}
                except Exception as error:
                    found["fails"] = type(error).__name__
                nursery.cancel_scope.cancel()
        found["lasts"] = round(trio.current_time() - began, 6)

    began = 0.0
    with contextlib.redirect_stdout(printed), contextlib.suppress(Exception):
        # What the run failed with is known; the block raises it again.
        trio.run(main, clock=trio.testing.MockClock(autojump_threshold=0))
    fired = [node for _, node, _ in log.rows("started") if node in elements(graph)]
    return {**found, "fires": Counter(fired), "prints": printed.getvalue()}, log


def expected(case):
    """What must come of a run, of those things that the case says."""
    wanted = {key: case[key] for key in ("values", "lasts", "fails", "prints") if key in case}
    return {**wanted, "fires": Counter(case["fires"].split())}
