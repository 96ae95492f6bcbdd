"""py_trees: behaviour trees, ticked from the root."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import py_trees
from py_trees.behaviour import Behaviour
from py_trees.common import ParallelPolicy, Status
from py_trees.composites import Parallel, Sequence
from py_trees.decorators import PassThrough, Repeat
from py_trees.trees import BehaviourTree

from benchmarks.lib.in_asyncio import importing

DISTRIBUTION = "py_trees"
RUNNER = "plain"
CANNOT = {
    **dict.fromkeys(
        ("loop_data", "data_chain", "data_diamonds", "data_layers", "data_reuse", "data_change"),
        "no data nodes: values are on a blackboard",
    ),
    "hand_over": "a behaviour always comes back to its parent",
    **dict.fromkeys(("emit", "emit_writes", "long_emit"), "how many are ticked is fixed when the tree is built"),
    "together": "a behaviour is asked again and again; it does not wait",
    "sleepers_virtual": "no virtual clock",
    "plan": "a tree runs as it is",
    "load": "a tree is code, not a document",
    "observers_file": "no trace to a file",
    "pause": "nothing can be paused but by not ticking any more",
    "host_gap": "synchronous: its host waits until the end of a tick",
}


class _Step(Behaviour):
    """Succeeds at once."""

    ran = 0

    def update(self) -> Status:
        _Step.ran += 1
        return Status.SUCCESS


class _Forever(Behaviour):
    """Runs until it is interrupted."""

    ended = 0

    def update(self) -> Status:
        return Status.RUNNING

    def terminate(self, new_status: Status) -> None:
        _Forever.ended += 1


def _until_done(root: Behaviour, *visitors: Any) -> Callable[[], int]:
    tree = BehaviourTree(root)
    for visitor in visitors:
        tree.add_visitor(visitor)

    def run() -> int:
        _Step.ran = 0
        tree.tick()
        while root.status is Status.RUNNING:
            tree.tick()
        assert root.status is Status.SUCCESS
        return _Step.ran

    return run


def loop(size: int) -> Callable[[], int]:
    """It repeats once in each tick."""
    return _until_done(Repeat("loop", _Step("step"), num_success=size))


long_loop = observers_0 = loop


def _row(size: int) -> Sequence:
    return Sequence("chain", memory=True, children=[_Step(f"n{number}") for number in range(size)])


def chain(size: int) -> Callable[[], int]:
    return _until_done(_row(size))


def chain_awaited(size: int) -> Callable[[], int]:
    behaviour: Behaviour = _Step("step")
    for number in range(size - 1):
        behaviour = PassThrough(f"n{number}", behaviour)
    run = _until_done(behaviour)

    def once() -> int:
        return size if run() == 1 else 0

    return once


def fan_out(size: int) -> Callable[[], int]:
    children: list[Behaviour] = [_Step(f"n{number}") for number in range(size)]
    return _until_done(Parallel("all", policy=ParallelPolicy.SuccessOnAll(), children=children))


def sleepers(size: int) -> Callable[[], None]:
    """It asks each timer in each tick."""
    timers: list[Behaviour] = [py_trees.timers.Timer(f"n{number}", duration=0.01) for number in range(size)]
    run = _until_done(Parallel("all", policy=ParallelPolicy.SuccessOnAll(), children=timers))

    def once() -> None:
        run()

    return once


def cancel(size: int) -> Callable[[], float]:
    children: list[Behaviour] = [_Forever(f"n{number}") for number in range(size)]
    tree = BehaviourTree(Parallel("all", policy=ParallelPolicy.SuccessOnAll(), children=children))

    def run() -> float:
        tree.tick()
        _Forever.ended = 0
        started = time.perf_counter()
        tree.interrupt()
        tree.root.stop(Status.INVALID)
        seconds = time.perf_counter() - started
        assert _Forever.ended == size
        return seconds

    return run


class _Counter(py_trees.visitors.VisitorBase):
    def __init__(self) -> None:
        super().__init__()
        self.seen = 0

    def run(self, behaviour: Behaviour) -> None:
        self.seen += 1


def _observed(size: int, count: int) -> Callable[[], int]:
    return _until_done(Repeat("loop", _Step("step"), num_success=size), *(_Counter() for _ in range(count)))


def observers_1(size: int) -> Callable[[], int]:
    return _observed(size, 1)


def observers_3(size: int) -> Callable[[], int]:
    return _observed(size, 3)


def import_(size: int) -> Callable[[], float]:
    return importing("py_trees")


def build(size: int) -> Callable[[], None]:
    def run() -> None:
        _row(size)

    return run


def first_step(size: int) -> Callable[[], int]:
    """The second of the row stops it."""
    children = [_Step("first"), py_trees.behaviours.Failure("second"), _row(size - 3)]
    tree = BehaviourTree(Sequence("chain", memory=True, children=children))

    def run() -> int:
        _Step.ran = 0
        tree.tick()
        return size if _Step.ran == 1 else 0

    return run
