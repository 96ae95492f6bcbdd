"""ryvencore: nodes with exec and data ports; exec flows pull data, data flows push it."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable
from typing import Any

import ryvencore as rc

from benchmarks.lib import data_graphs
from benchmarks.lib.in_asyncio import importing

DISTRIBUTION = "ryvencore"
RUNNER = "plain"
CANNOT = {
    **dict.fromkeys(
        ("emit", "emit_writes", "long_emit", "sleepers", "together", "sleepers_virtual", "cancel"),
        "nothing runs side by side",
    ),
    "plan": "a flow runs as it is",
    **dict.fromkeys(("observers_0", "observers_1", "observers_3", "observers_file"), "no events of a run"),
    "pause": "nothing can be paused while it runs",
    "host_gap": "synchronous: its host waits until the end",
}


class _Node(rc.Node):
    """Counts what ran, for all nodes."""

    ran = 0
    times = 0

    def update_err(self, e: Exception) -> None:
        """Otherwise it prints what went wrong and goes on."""
        raise e


class _Step(_Node):
    init_inputs = [rc.NodeInputType(type_="exec")]
    init_outputs = [rc.NodeOutputType(type_="exec")]

    def update_event(self, inp: int = -1) -> None:
        _Node.ran += 1
        self.exec_output(0)


class _Loop(_Node):
    init_inputs = [rc.NodeInputType(type_="exec")]
    init_outputs = [rc.NodeOutputType(type_="exec"), rc.NodeOutputType(type_="data")]

    def update_event(self, inp: int = -1) -> None:
        if inp != 0:
            return  # somebody wants the index, which is there
        for index in range(_Node.times):
            self.set_output_val(1, rc.Data(index))
            self.exec_output(0)


class _Count(_Step):
    def update_event(self, inp: int = -1) -> None:
        _Node.ran += 1
        if _Node.ran < _Node.times:
            self.exec_output(0)


class _Back(_Step):
    def update_event(self, inp: int = -1) -> None:
        self.exec_output(0)


class _Take(_Node):
    init_inputs = [rc.NodeInputType(type_="exec"), rc.NodeInputType(type_="data")]

    def update_event(self, inp: int = -1) -> None:
        self.got = self.input(1).payload
        _Node.ran += 1


class _Ask(_Node):
    init_inputs = [rc.NodeInputType(type_="exec"), rc.NodeInputType(type_="data")]

    def update_event(self, inp: int = -1) -> None:
        for _ in range(_Node.times):
            _Node.ran += self.input(1).payload


class _One(_Node):
    init_inputs: list[Any] = []
    init_outputs = [rc.NodeOutputType()]

    def update_event(self, inp: int = -1) -> None:
        self.set_output_val(0, rc.Data(1))


class _Increment(_Node):
    init_inputs = [rc.NodeInputType()]
    init_outputs = [rc.NodeOutputType()]

    def update_event(self, inp: int = -1) -> None:
        self.set_output_val(0, rc.Data(self.input(0).payload + 1))


class _Above(_Node):
    init_inputs = [rc.NodeInputType(), rc.NodeInputType()]
    init_outputs = [rc.NodeOutputType()]

    def update_event(self, inp: int = -1) -> None:
        a, b = self.input(0), self.input(1)
        if a is not None and b is not None:
            self.set_output_val(0, rc.Data(max(a.payload, b.payload) + 1))


_NODES = [_Step, _Loop, _Count, _Back, _Take, _Ask, _One, _Increment, _Above]


def _flow(algorithm: str) -> rc.Flow:
    session = rc.Session()
    session.register_node_types(_NODES)
    flow = session.create_flow("bench")
    flow.set_algorithm_mode(algorithm)
    return flow


def _connect(flow: rc.Flow, source: Any, output: int, target: Any, port: int) -> None:
    assert flow.connect_nodes(source.outputs[output], target.inputs[port], silent=True) is not None


# --- exec flows ---


def _counted(start: Callable[[], None]) -> Callable[[], int]:
    def run() -> int:
        _Node.ran = 0
        start()
        return _Node.ran

    return run


def loop(size: int) -> Callable[[], int]:
    flow = _flow("exec")
    each, step = flow.create_node(_Loop), flow.create_node(_Step)
    _connect(flow, each, 0, step, 0)
    _Node.times = size
    return _counted(lambda: each.update(0))


long_loop = loop


def loop_data(size: int) -> Callable[[], int]:
    flow = _flow("exec")
    each, increment, take = flow.create_node(_Loop), flow.create_node(_Increment), flow.create_node(_Take)
    _connect(flow, each, 0, take, 0)
    _connect(flow, each, 1, increment, 0)
    _connect(flow, increment, 0, take, 1)
    _Node.times = size
    return _counted(lambda: each.update(0))


def hand_over(size: int) -> Callable[[], int]:
    """Going on is a call that comes back when all that follows is done. No node can be connected to itself."""
    flow = _flow("exec")
    count, back = flow.create_node(_Count), flow.create_node(_Back)
    _connect(flow, count, 0, back, 0)
    _connect(flow, back, 0, count, 0)
    _Node.times = size
    return _counted(lambda: count.update(0))


def _nested(flow: rc.Flow, size: int) -> list[Any]:
    steps = [flow.create_node(_Step) for _ in range(size)]
    for before, after in itertools.pairwise(steps):
        _connect(flow, before, 0, after, 0)
    return steps


def chain_awaited(size: int) -> Callable[[], int]:
    first = _nested(_flow("exec"), size)[0]
    return _counted(lambda: first.update(0))


chain = chain_awaited


def fan_out(size: int) -> Callable[[], int]:
    flow = _flow("exec")
    first = flow.create_node(_Step)
    for _ in range(size):
        _connect(flow, first, 0, flow.create_node(_Step), 0)
    return _counted(lambda: first.exec_output(0))


def data_reuse(size: int) -> Callable[[], int]:
    """Within one execution a node that was evaluated is not evaluated again, whatever has changed."""
    flow = _flow("exec")
    one, ask = flow.create_node(_One), flow.create_node(_Ask)
    _connect(flow, one, 0, ask, 1)
    _Node.times = size
    return _counted(lambda: ask.update(0))


# --- data flows ---


def _made(table: data_graphs.Table) -> dict[str, Any]:
    flow = _flow("data opt")
    nodes = {name: flow.create_node((_One, _Increment, _Above)[len(uses)]) for name, uses in table.items()}
    for name, uses in table.items():
        for port, use in enumerate(uses):
            if use in nodes:
                _connect(flow, nodes[use], 0, nodes[name], port)
    return nodes


def _pushing(table: data_graphs.Table, start: str, wanted: str, value: int) -> Callable[[], None]:
    nodes = _made(table)

    def run() -> None:
        nodes[wanted].outputs[0].val = None
        nodes[start].update()
        assert nodes[wanted].outputs[0].val.payload == value

    return run


def data_chain(size: int) -> Callable[[], None]:
    table, end, value = data_graphs.chain(size)
    return _pushing(table, "n0", end, value)


def data_diamonds(size: int) -> Callable[[], None]:
    table, end, value = data_graphs.diamonds(size)
    return _pushing(table, "d0", end, value)


def data_layers(size: int) -> Callable[[], None]:
    """All of the lowest layer has to be pushed: each push is an execution."""
    table, wanted, value = data_graphs.layers(size)
    nodes = _made(table)

    def run() -> None:
        for place in range(10):
            nodes[f"n0_{place}"].update()
        assert nodes[wanted[-1]].outputs[0].val.payload == value

    return run


def data_change(size: int) -> Callable[[], float]:
    table, end = data_graphs.tree(size)
    table["changing"] = ()
    nodes = _made(table)
    for name, node in nodes.items():
        if not table[name]:
            node.update()
    value = 0

    def run() -> float:
        nonlocal value
        value += 100  # more than the height of the tree, so that it arrives at the top
        started = time.perf_counter()
        nodes["changing"].set_output_val(0, rc.Data(value))
        seconds = time.perf_counter() - started
        assert nodes[end].outputs[0].val.payload > value
        return seconds

    return run


# --- start ---


def import_(size: int) -> Callable[[], float]:
    return importing("ryvencore")


def build(size: int) -> Callable[[], None]:
    def run() -> None:
        _nested(_flow("exec"), size)

    return run


def load(size: int) -> Callable[[], None]:
    flow = _flow("exec")
    _nested(flow, size)
    project = flow.session.serialize()

    def run() -> None:
        session = rc.Session()
        session.register_node_types(_NODES)
        session.load(project)

    return run


def first_step(size: int) -> Callable[[], int]:
    flow = _flow("exec")
    first = flow.create_node(_Step)
    _nested(flow, size - 1)
    started = _counted(lambda: first.update(0))

    def run() -> int:
        return size if started() == 1 else 0

    return run
