"""Processes of bodies that are killed at random: what a run comes to and tells is as if it had run alone.

`python tests/remote/campaign.py --rounds 300`, or with `--ray` on a cluster of this host, whose workers are killed. Each round is a run of called graphs that move whole, functions that act and may be
tried again, and data nodes, some in batches, some with values that stay there.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import random
import sys
import threading
import time
from collections import Counter
from pathlib import Path
from typing import Any

import psutil
import trio

sys.path.insert(0, str(Path(__file__).parent.parent))
import remote_bodies as bodies  # noqa: E402
from remote_graphs import note  # noqa: E402

import trioflow as tf  # noqa: E402
from trioflow.remote import Place, Placement, Processes, Ray  # noqa: E402
from trioflow.semantics.trace import CanonicalTrace, canonical_trace  # noqa: E402

AGAIN: dict[str, Any] = {"on": "processes", "retry_on_death": 50}


def graph(policy: dict[str, Any] | None) -> tf.Graph:
    """A loop that calls a graph in which two functions run, and data nodes beside it."""
    inner = {
        "interface": {
            "entries": [{"name": "enter"}],
            "exits": [{"name": "then"}],
            "inputs": [{"name": "n", "type": "int"}],
            "outputs": [{"name": "high", "type": "int"}],
        },
        "nodes": [
            {"id": "in", "type": "graph.enter"},
            {"id": "out", "type": "graph.leave"},
            {"id": "both", "type": "remote.both", "inputs": {"a": 1}},
            {"id": "square", "type": "remote.square"},
        ],
        "connections": [
            {"from": "in.enter", "to": "both.enter"},
            {"from": "in.n", "to": "square.x"},
            {"from": "square.result", "to": "both.b"},
            {"from": "both.then", "to": "out.then"},
            {"from": "both.high", "to": "out.high"},
        ],
    }
    nodes: list[dict[str, Any]] = [
        {"id": "start", "type": "flow.start"},
        {"id": "each", "type": "flow.parallel_for_each", "inputs": {"items": [*range(6)]}},
        {"id": "call", "type": "graph:inner"},
        {"id": "small", "type": "remote.small"},
        {"id": "large", "type": "remote.large", "inputs": {"size": 50_000}},
        {"id": "length", "type": "remote.length"},
        {"id": "slow", "type": "remote.slow", "inputs": {"x": 0.3}},
        {"id": "note", "type": "remote.note"},
        {"id": "last", "type": "remote.note"},
    ]
    if policy is not None:
        for node, more in (
            ("call", {}),
            ("small", {"batch": 4}),
            ("large", {"keep": 1000}),
            ("length", {}),
            ("slow", {}),
        ):
            next(each for each in nodes if each["id"] == node)["policy"] = {"run_on": {**policy, **more}}
    connections = [
        {"from": "start.then", "to": "each.enter"},
        {"from": "each.body", "to": "call.enter"},
        {"from": "each.item", "to": "call.n"},
        {"from": "call.then", "to": "small.enter"},
        {"from": "call.high", "to": "small.x"},
        {"from": "each.done", "to": "note.enter"},
        {"from": "large.result", "to": "length.data"},
        {"from": "large.result", "to": "length.other"},
        {"from": "length.result", "to": "note.value"},
        {"from": "note.then", "to": "last.enter"},
        {"from": "slow.result", "to": "last.value"},
    ]
    document = {"trioflow": "1.0", "graphs": {"inner": inner}, "nodes": nodes, "connections": connections}
    return tf.loads(json.dumps(document))


class Stays(Place):
    """This process."""

    async def call(self, call: bytes, asked: tf.RunOnPolicy) -> bytes:
        from trioflow.remote.calling import answered

        return await trio.to_thread.run_sync(answered, call)


async def told(made: tf.Graph, place: Place, seconds: float = 120.0) -> tuple[CanonicalTrace, Any]:
    """The canonical trace, and the outputs of nodes."""
    registry = tf.Registry.standard()
    registry.add(bodies.both, bodies.square, bodies.small, bodies.large, bodies.length, bodies.slow, note)
    events: list[Any] = []
    with trio.fail_after(seconds):
        services = {Placement: Placement(processes=place)}
        result = await tf.run(made, registry=registry, observers=[events.append], services=services)
    return canonical_trace(events), {name: dict(each) for name, each in result.outputs.items()}


class Killer:
    """Kills a process of those that were started from here, now and then; so many at most.

    Without a most the pauses must be longer than a process takes to start on this machine, else nothing is ever done.
    """

    def __init__(self, seed: int, names: tuple[str, ...], pause: float, most: float) -> None:
        self._pause = pause
        self._most = most
        self._random = random.Random(seed)
        self._names = names
        self._stop = threading.Event()
        self.killed: Counter[str] = Counter()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        while self.killed.total() < self._most and not self._stop.wait(self._random.uniform(0.5, 1.5) * self._pause):
            found = [each for each in psutil.Process().children(recursive=True) if self._name(each)]
            if found:
                chosen = self._random.choice(found)
                try:
                    chosen.kill()
                    self.killed[self._name(chosen) or "gone"] += 1
                except psutil.Error:
                    pass

    def _name(self, process: psutil.Process) -> str | None:
        try:
            words = process.cmdline()
        except psutil.Error:
            return None
        if "raylet" in "".join(words[:1]):  # its own is no worker: without it there is no cluster
            return None
        return next((name for name in self._names if name in " ".join(words)), None)

    def stop(self) -> None:
        self._stop.set()
        self._thread.join()


def run(
    rounds: int,
    place: Place,
    names: tuple[str, ...],
    seed: int,
    seconds: float = 1e9,
    pause: float = 3.0,
    most: float = math.inf,
) -> dict[str, Any]:
    """So many rounds, or as many as there is time for: gives what came of them."""
    expected = trio.run(told, graph(None), Stays())
    trio.run(told, graph(AGAIN), place)  # processes are there
    killer = Killer(seed, names, pause, most)
    begun, done, others = time.monotonic(), 0, 0
    try:
        while done < rounds and time.monotonic() - begun < seconds:
            others += trio.run(told, graph(AGAIN), place) != expected
            done += 1
    finally:
        killer.stop()
    return {"rounds": done, "others than alone": others, "killed": dict(killer.killed),
            "seconds": round(time.monotonic() - begun, 1)}  # fmt: skip


def main() -> None:
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--rounds", type=int, default=30)
    arguments.add_argument("--seed", type=int, default=0)
    arguments.add_argument("--seconds", type=float, default=1e9)
    arguments.add_argument("--pause", type=float, default=3.0, help="seconds between two kills, about")
    arguments.add_argument("--ray", action="store_true")
    given = arguments.parse_args()
    place: Place = Processes(2)
    names: tuple[str, ...] = ("spawn_main",)
    if given.ray:
        os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, sys.path))  # its workers import the same
        place, names = Ray(num_cpus=2), ("ray::answered", "ray::IDLE")  # its agents are its own
    came = run(given.rounds, place, names, given.seed, given.seconds, given.pause)
    print(json.dumps(came, indent=1))
    if came["others than alone"]:
        raise SystemExit(1)


if __name__ == "__main__":
    main()
