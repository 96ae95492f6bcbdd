"""Frames: one execution of a graph, be it of a run or of a call in it (C3)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import trio

from trioflow.errors import UnknownName, did_you_mean
from trioflow.model.values import own_copy
from trioflow.runtime.ports import OwnCell
from trioflow.runtime.secrets import SecretCell
from trioflow.semantics.address import DEEPEST
from trioflow.semantics.plan import Plan, PlanNode, Target
from trioflow.semantics.store import Cell, Store, empty_store, new_cell

if TYPE_CHECKING:
    from trioflow.model.node_type import Node
    from trioflow.runtime.activation import Activation
    from trioflow.runtime.calls import Template
    from trioflow.runtime.state import RunState
    from trioflow.runtime.strand import Strand


class GraphFrame:
    """One execution of a graph: its plan, the bodies of its nodes, and what is remembered of nodes without inputs.

    `base` and the index of a node make a number that no other node of the run has. `prefix` comes before the ids of
    nodes: `outer/inner/` (C8). `set_up` are the nodes that are to be torn down. `calls` are the frames of the data
    graphs that nodes here call: they live as long as this one.
    """

    __slots__ = ("base", "bodies", "calls", "instances", "nesting", "plan", "prefix", "root_cell", "set_up", "template")

    def __init__(self, plan: Plan, base: int, outer: GraphFrame | None = None, node: str = "") -> None:
        self.plan = plan
        self.base = base
        # As soon as it starts.
        self.template: Template
        self.bodies: list[Any]
        # Of classes, by node, as far as their bodies do not hold them.
        self.instances: list[Any]
        self.calls: dict[str, DataFrame] = {}
        self.nesting: int = 0 if outer is None else outer.nesting + 1
        self.prefix: str = "" if outer is None else _prefix(outer, node)
        # Evaluations without any input that could change hang here.
        self.root_cell = new_cell(None, -1)
        self.set_up: list[tuple[str, Node]] = []

    def listeners(self, event: str, payload: object) -> Sequence[Target]:
        """The listeners of an event, in document order (B1). Raises `UnknownName`."""
        found = self.plan.listeners.get(event)
        if found is None:
            known = list(self.plan.listeners)
            raise UnknownName(
                f"There is no event {event!r}.{did_you_mean(event, known)} "
                f"The graph declares: {', '.join(known) or 'none'}."
            )
        return [Target(node, None, payload) for node in found]


class ExecFrame(GraphFrame):
    """One call of an exec graph: the activation that calls, and the strand in which the graph runs."""

    __slots__ = ("caller", "strand")

    def __init__(self, plan: Plan, base: int, caller: Activation) -> None:
        super().__init__(plan, base, caller.strand.frame, caller.plan.id)
        self.caller = caller
        self.strand: Strand  # it is made for this frame


class DataFrame(GraphFrame):
    """What the evaluations of one data graph have in common, as long as the graph that calls it is executed."""

    __slots__ = ("lock", "ready", "store", "waiting")

    def __init__(self, plan: Plan, base: int, outer: GraphFrame, node: str, run: RunState) -> None:
        super().__init__(plan, base, outer, node)
        self.store = new_store(plan, run, self.prefix)
        # As soon as it starts: whether all nodes are set up, those that are not, and who sets them up.
        self.ready: bool
        self.waiting: list[PlanNode]
        self.lock = trio.Lock()


def new_store(plan: Plan, run: RunState, prefix: str = "") -> Store:
    """The store that an execution starts with: variables at their defaults, and literals that could be changed (M1)."""
    store = empty_store(plan.size, plan.variables, plan.merges, run.next_serial, plan.readers)
    for slot, variable in enumerate(plan.variables):
        store.write(slot, own_copy(variable.default), f"${variable.name}")
    for planned in plan.own:
        name = f"{prefix}{planned.node}.{planned.socket.name}"
        cell: Cell
        if planned.secret is not None:
            cell = SecretCell(run.secrets, planned.secret, name)
        else:
            assert planned.make is not None
            cell = OwnCell()
            cell.value = planned.make()
        cell.serial = -1
        cell.origin = f"={name}"
        cell.memo = None
        store.cells[planned.own] = cell
    return store


def _prefix(outer: GraphFrame, node: str) -> str:
    if outer.nesting < DEEPEST:
        return f"{outer.prefix}{node}/"
    # Whole paths in deep recursion would take as much memory as its depth squared.
    names = outer.prefix.split("/")
    return "/".join([*names[:3], "...", *names[-(DEEPEST - 4) : -1], node, ""])
