"""LangGraph: nodes that update a shared state, in rounds; `Send` for items that run side by side."""

from __future__ import annotations

import asyncio
import contextlib
import operator
import tempfile
from collections.abc import AsyncIterator, Callable
from typing import Annotated, Any, TypedDict

from langchain_core.callbacks import AsyncCallbackHandler
from langgraph.graph import END, START, StateGraph
from langgraph.types import Send

from benchmarks.lib.in_asyncio import Meeting, Run, cancelling, importing, waiting_for_a_turn

DISTRIBUTION = "langgraph"
RUNNER = "asyncio"
CANNOT = {
    **dict.fromkeys(
        ("loop_data", "data_chain", "data_diamonds", "data_layers", "data_reuse", "data_change"),
        "no data nodes: values are in one shared state",
    ),
    "chain_awaited": "a node can't await another",
    "sleepers_virtual": "no virtual clock",
    "load": "a graph is code, not a document",
    "observers_file": "no trace to a file without a service",
    **dict.fromkeys(("resume", "resume_loop"), "goes on from its last checkpoint, and replays nothing"),
    "pause": "interrupts only before or after a node, by ending the run",
}


class Counting(TypedDict):
    """How often a node ran."""

    count: int


class Adding(TypedDict):
    """What items add up to."""

    total: Annotated[int, operator.add]


async def _step(state: Counting) -> None:
    return None


def _counted(size: int, callbacks: list[Any] | None = None) -> Run:
    async def body(state: Counting) -> Counting:
        return {"count": state["count"] + 1}

    def again(state: Counting) -> str:
        return "body" if state["count"] < size else END

    graph = StateGraph(Counting)
    graph.add_node("body", body)
    graph.add_edge(START, "body")
    graph.add_conditional_edges("body", again, ["body", END])
    compiled = graph.compile()

    async def run() -> int:
        config = {"recursion_limit": size + 10, "callbacks": callbacks}
        return (await compiled.ainvoke({"count": 0}, config))["count"]

    return run


def loop(size: int) -> Run:
    return _counted(size)


hand_over = long_loop = observers_0 = loop


def _chain(size: int) -> StateGraph:
    graph = StateGraph(Counting)
    before = START
    for number in range(size):
        graph.add_node(f"n{number}", _step)
        graph.add_edge(before, f"n{number}")
        before = f"n{number}"
    graph.add_edge(before, END)
    return graph


def chain(size: int) -> Run:
    compiled = _chain(size).compile()

    async def run() -> None:
        await compiled.ainvoke({"count": 0}, {"recursion_limit": size + 10})

    return run


def fan_out(size: int) -> Run:
    graph = StateGraph(Counting)
    for number in range(size):
        graph.add_node(f"n{number}", _step)
        graph.add_edge(START, f"n{number}")
    compiled = graph.compile()

    async def run() -> None:
        await compiled.ainvoke({"count": 0}, {"recursion_limit": 10})

    return run


def _items(size: int, item: Callable[[Any], Any]) -> Run:
    def each(state: Adding) -> list[Send]:
        return [Send("item", {"total": 1}) for _ in range(size)]

    graph = StateGraph(Adding)
    graph.add_node("item", item)
    graph.add_conditional_edges(START, each, ["item"])
    compiled = graph.compile()

    async def run() -> int:
        return (await compiled.ainvoke({"total": 0}))["total"]

    return run


def emit_writes(size: int) -> Run:
    async def item(state: Adding) -> Adding:
        return {"total": 1}

    return _items(size, item)


def _without_total(run: Run) -> Run:
    async def once() -> None:
        await run()

    return once


def emit(size: int) -> Run:
    return _without_total(_items(size, _step))


long_emit = emit


def sleepers(size: int) -> Run:
    async def item(state: Adding) -> Adding:
        await asyncio.sleep(0.01)
        return {"total": 1}

    return _items(size, item)


def together(size: int) -> Run:
    meeting = Meeting(size)

    async def item(state: Adding) -> Adding:
        await meeting.come()
        return {"total": 1}

    return _items(size, item)


workflow_chain, workflow_loop = chain, loop


def workflow_layers(size: int) -> Run:
    graph = StateGraph(Counting)
    for number in range(size):
        graph.add_node(f"n{number}", _step)
        layer, place = divmod(number, 10)
        if layer:
            below = [f"n{(layer - 1) * 10 + other}" for other in (place, (place - 1) % 10)]
            graph.add_edge(below, f"n{number}")
        else:
            graph.add_edge(START, f"n{number}")
    compiled = graph.compile()

    async def run() -> None:
        await compiled.ainvoke({"count": 0}, {"recursion_limit": size + 10})

    return run


def _fan(size: int, body: Callable[[Counting], Any]) -> Run:
    graph = StateGraph(Counting)
    graph.add_node("first", _step)
    graph.add_node("last", _step)
    graph.add_edge(START, "first")
    for number in range(size):
        graph.add_node(f"n{number}", body)
        graph.add_edge("first", f"n{number}")
    graph.add_edge([f"n{number}" for number in range(size)], "last")
    compiled = graph.compile()

    async def run() -> None:
        await compiled.ainvoke({"count": 0}, {"recursion_limit": 10})

    return run


def workflow_fan(size: int) -> Run:
    return _fan(size, _step)


def workflow_fan_waiting(size: int) -> Run:
    async def give_up(state: Counting) -> None:
        await asyncio.sleep(0)

    return _fan(size, give_up)


class Rounds(TypedDict):
    """How many rounds there were, and what two nodes added in each."""

    round: int
    total: Annotated[int, operator.add]


def workflow_rounds(size: int) -> Run:
    async def turn(state: Rounds) -> Any:
        return {"round": state["round"] + 1}

    async def add(state: Rounds) -> Any:
        return {"total": 1}

    async def after(state: Rounds) -> None:
        return None

    def again(state: Rounds) -> Any:
        return ["one", "other"] if state["round"] <= size else END

    graph = StateGraph(Rounds)
    for name, body in {"turn": turn, "one": add, "other": add, "after": after}.items():
        graph.add_node(name, body)
    graph.add_edge(START, "turn")
    graph.add_conditional_edges("turn", again, ["one", "other", END])
    graph.add_edge(["one", "other"], "after")
    graph.add_edge("after", "turn")
    compiled = graph.compile()

    async def run() -> int:
        state = await compiled.ainvoke({"round": 0, "total": 0}, {"recursion_limit": 3 * size + 10})
        return state["total"] // 2

    return run


def import_(size: int) -> Callable[[], float]:
    return importing("langgraph.graph")


def build(size: int) -> Callable[[], None]:
    def run() -> None:
        _chain(size)

    return run


def plan(size: int) -> Callable[[], None]:
    graph = _chain(size)

    def run() -> None:
        graph.compile()

    return run


def first_step(size: int) -> Run:
    graph = _chain(size - 1)
    graph.add_node("first", _step)
    graph.add_edge(START, "first")
    compiled = graph.compile(interrupt_before=["n0"])

    async def run() -> None:
        await compiled.ainvoke({"count": 0})

    return run


class _Counter(AsyncCallbackHandler):
    def __init__(self) -> None:
        self.seen = 0

    async def on_chain_start(self, *_: Any, **__: Any) -> None:
        self.seen += 1

    async def on_chain_end(self, *_: Any, **__: Any) -> None:
        self.seen += 1


def _observed(size: int, count: int) -> Run:
    counters = [_Counter() for _ in range(count)]
    run = _counted(size, list(counters))

    async def once() -> None:
        before = counters[-1].seen
        await run()
        assert counters[-1].seen - before >= 2 * size

    return once


def observers_1(size: int) -> Run:
    return _observed(size, 1)


def observers_3(size: int) -> Run:
    return _observed(size, 3)


def cancel(size: int) -> Run:
    begun: list[int] = []

    async def item(state: Adding) -> None:
        begun.append(1)
        await asyncio.sleep(3600)

    run = _items(size, item)

    def start() -> Any:
        begun.clear()
        return run()

    return cancelling(start, lambda: len(begun) == size)


def host_gap(size: int) -> Run:
    return waiting_for_a_turn(_counted(64), size)


# --- kept ---


def effects_plain(size: int) -> Run:
    return _counted(size)


def _kept(size: int, saver: Any) -> Run:
    async def body(state: Counting) -> Counting:
        return {"count": state["count"] + 1}

    def again(state: Counting) -> str:
        return "body" if state["count"] < size else END

    graph = StateGraph(Counting)
    graph.add_node("body", body)
    graph.add_edge(START, "body")
    graph.add_conditional_edges("body", again, ["body", END])
    runs = iter(range(1_000_000))

    async def run() -> int:
        config = {"recursion_limit": size + 10, "configurable": {"thread_id": str(next(runs))}}
        async with saver() as checkpointer:
            compiled = graph.compile(checkpointer=checkpointer)
            return (await compiled.ainvoke({"count": 0}, config, durability="sync"))["count"]

    return run


def effects_memory(size: int) -> Run:
    from langgraph.checkpoint.memory import InMemorySaver  # noqa: PLC0415 - of this question only

    @contextlib.asynccontextmanager
    async def saver() -> AsyncIterator[Any]:
        yield InMemorySaver()

    return _kept(size, saver)


def effects_sqlite(size: int) -> Run:
    from langgraph.checkpoint.sqlite.aio import AsyncSqliteSaver  # noqa: PLC0415 - a package of its own

    path = f"{tempfile.mkdtemp(prefix='trioflow-bench-')}/runs.db"
    return _kept(size, lambda: AsyncSqliteSaver.from_conn_string(path))
