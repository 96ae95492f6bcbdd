"""Strands: sequential lines of control, each with a store of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from trioflow.semantics.events import Told

if TYPE_CHECKING:
    from trioflow.runtime.frame import GraphFrame
    from trioflow.runtime.ports import Caller
    from trioflow.runtime.state import RunState
    from trioflow.runtime.task import HotTask
    from trioflow.semantics.store import Store


class _Outputs:
    """Cells of which only those of exec nodes are there, whose slots are counted from the end (`PlanInput.there`)."""

    __slots__ = ("_cells",)

    def __init__(self, cells: list[Any]) -> None:
        self._cells = cells

    def __getitem__(self, slot: int) -> Any:
        return self._cells[slot] if slot < 0 else None


class Strand:
    """One sequential line of control. `nurseries` counts the engine's nurseries that enclose it (F8).

    `counted` is the number of nurseries in its task when all that enclose it were counted last.

    `task` is the task of a dispatch loop of this strand exactly while a body runs directly under it; a body that
    triggers from a task of its own finds none, and brings a loop of its own. `waits` counts its tasks that wait for the
    gate or for other strands: one, unless bodies wait in tasks of their own.

    `there` is what a body's demand looks at first: the cells of the store, or while somebody watches data nodes only
    those of exec nodes, for then there is more to do than to read. It is set wherever `task` is set, and asked for no
    longer than that is. `told` is what all events in this strand have in common, once somebody watches.

    While a strand executes a graph that it calls, there is another object for that: its `frame` is the execution of
    that graph, its `caller` where the graph's inputs come from, and its `outermost` the strand that both are (C3).
    """

    __slots__ = (
        "_outermost", "caller", "counted", "frame", "number", "nurseries", "run", "store", "task", "there", "told",
        "waits",
    )  # fmt: skip

    run: RunState
    store: Store
    nurseries: int
    frame: GraphFrame
    caller: Caller | None
    _outermost: Strand | None  # None for itself: a strand that held itself would only go with the garbage
    task: HotTask | None
    number: int
    told: Told | None
    there: Any
    waits: int
    counted: int

    # `new_strand` sets everything, and so does `fork`: it runs once per item of a stream, and `__init__` would cost as
    # much as the rest.

    @property
    def outermost(self) -> Strand:
        """The strand of the outermost graph: itself, unless it is in a graph that is called."""
        return self if self._outermost is None else self._outermost

    def resume(self, task: HotTask) -> None:
        """A dispatch of it goes on, directly under the loop of this task."""
        run = self.run
        self.task = task
        self.there = self.store.cells if run.data_watch is None else _Outputs(self.store.cells)
        run.resumed = self

    def look_again(self) -> None:
        """Somebody begins or ends to watch while it runs."""
        self.there = self.store.cells if self.run.data_watch is None else _Outputs(self.store.cells)

    def tell_as(self, run: str) -> Told:
        """What events in this strand have in common, made for the first of them."""
        told = self.told = Told(run, self.frame.prefix, self.number)
        return told

    def fork(self) -> Strand:
        """A strand of its own that starts with what is here now (F1)."""
        strand = Strand()
        strand.run = self.run
        strand.store = self.store.fork()
        strand.nurseries = self.nurseries
        strand.frame = self.frame
        strand.caller = None if self.caller is None else self._caller_now()
        strand._outermost = None
        strand.task = None
        strand.told = None
        strand.number = self.number
        strand.waits = strand.counted = 0
        return strand

    def isolated(self) -> Strand:
        """A fork for an attempt, which runs in the place of this strand (A3)."""
        strand = self.fork()
        strand._outermost = self.outermost
        return strand

    def _caller_now(self) -> Caller | None:
        """The inputs of the graphs as they are now, as far as they are asked for whenever they are needed (C4)."""
        inside: list[Strand] = []
        strand = self
        while strand.caller is not None and strand.frame.plan.has_ports:
            inside.append(strand)
            strand = strand.caller.strand
        caller = strand.caller
        for each in reversed(inside):
            assert each.caller is not None
            outside = each.caller.strand
            now = new_strand(outside.run, outside.store.fork(), outside.nurseries, outside.frame, caller)
            caller = each.caller.seen_from(now)
        return caller


def new_strand(
    run: RunState,
    store: Store,
    nurseries: int,
    frame: GraphFrame | None = None,
    caller: Caller | None = None,
    outermost: Strand | None = None,
) -> Strand:
    """A strand that has just begun."""
    strand = Strand()
    strand.run = run
    strand.store = store
    strand.nurseries = nurseries
    strand.frame = run if frame is None else frame
    strand.caller = caller
    strand._outermost = outermost
    strand.number = 0 if outermost is None else outermost.number
    strand.told = None
    strand.task = None
    strand.waits = strand.counted = 0
    return strand
