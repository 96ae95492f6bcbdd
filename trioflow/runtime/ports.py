"""What a called graph sees of the graph around it: its inputs, resolved outside of it when they are needed (C4)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from trioflow.errors import CoercionError, MissingInput
from trioflow.runtime.line import Line
from trioflow.semantics.coercion import Mismatch
from trioflow.semantics.store import Cell, new_cell

if TYPE_CHECKING:
    from trioflow.runtime.activation import Activation
    from trioflow.runtime.demand import DataActivation
    from trioflow.runtime.strand import Strand
    from trioflow.semantics.events import Path
    from trioflow.semantics.plan import PlanInput, PlanNode
    from trioflow.semantics.store import Store

NOTHING = new_cell(None, -1, "unset")
"""Stands for the cell of an input that nothing supplies (D1)."""


class OwnCell(Cell):
    """The cell of a literal or default that an execution of a graph has made for itself: it is of its input's type."""

    __slots__ = ()


class Caller:
    """The node that calls a graph, and the strand in which its inputs are resolved.

    One evaluation of a data graph asks for each input once: `cells` holds what came, and what was asked for is part of
    what the evaluation `context` depends on. A call of an exec graph asks for lazy inputs again and again, and what is
    computed of them must end with the call: so `inside` has a cell of its own for each that came in and still lives.
    """

    __slots__ = ("cells", "context", "inside", "node", "strand")

    def __init__(self, node: PlanNode, strand: Strand, context: DataActivation | None = None) -> None:
        self.node = node
        self.strand = strand
        self.context = context
        self.cells: dict[int, Cell] = {}
        self.inside: dict[int, WeakKeyDictionary[Cell, Cell]] = {}

    def seen_from(self, strand: Strand) -> Caller:
        """The same, as a fork sees it. A call that forks is no evaluation: it has no context."""
        caller = Caller(self.node, strand)
        caller.inside = self.inside
        return caller

    def take_in(self, place: int, planned: PlanInput, cell: Cell) -> Cell:
        """What the graph gets when this is the cell of an input of the node that calls it."""
        if self.context is not None:
            self.context.pulled.append((planned, cell))
            inside = self.cells[place] = cell if cell is NOTHING else typed(planned, cell)
            return inside
        if cell is NOTHING:
            return cell
        known = self.inside.get(place)
        if known is None:
            known = self.inside[place] = WeakKeyDictionary()
        own = known.get(cell)
        if own is None:
            own = known[cell] = new_cell(value_of(planned, cell), cell.serial, cell.origin)
        return own


def value_of(planned: PlanInput, cell: Cell) -> Any:
    """A cell's value as this input's type (D11)."""
    value = cell.value
    exact = planned.exact
    if planned.coercer is None or type(value) is exact or cell is planned.constant or type(cell) is OwnCell:
        return value
    try:
        return planned.coercer(value)
    except Mismatch as error:
        raise CoercionError(
            f"{planned.wire or planned.node}: {error}. Only int to float and declared converters are applied at a "
            "wire; put a conversion node between, or declare a converter in the registry."
        ) from None


def constant(store: Store, planned: PlanInput) -> Cell:
    """The cell of an input's literal or default, `NOTHING` if it has neither (D1)."""
    cell: Cell = planned.constant or store.cells[planned.own] or NOTHING
    return cell


def missing(node: PlanNode, planned: PlanInput) -> MissingInput:
    """D1: nothing supplies a value."""
    source = f"its source has not been written yet ({planned.wire})" if planned.wire else "nothing is wired to it"
    return MissingInput(
        f"Input {planned.socket.name!r} of node {node.id!r} ({node.type.id}) has no value: {source}, and it has "
        "neither a literal nor a default. Give it a literal, or make sure that the source runs first."
    )


def typed(planned: PlanInput, cell: Cell) -> Cell:
    """A cell with its value as this input's type: itself if it is that, or else the same one each time (D4)."""
    value = value_of(planned, cell)
    if value is cell.value:
        return cell
    memo = cell.memo = {} if cell.memo is None else cell.memo
    known: Cell | None = memo.get(planned)
    if known is None:
        known = memo[planned] = new_cell(value, cell.serial, cell.origin)
    return known


class View(Line):
    """An activation that asks for values in another graph than its own: what it is a part of, or what it calls."""

    __slots__ = ("asker", "strand")

    def __init__(self, activation: Activation | View, strand: Strand) -> None:
        asker = activation.asker if isinstance(activation, View) else activation
        self.asker: Activation = asker
        self.strand = strand
        # It dispatches nothing and has the path of who asks: what else a line is made of stays unset.

    @property
    def where(self) -> Path:
        return self.asker.where.within(self.strand.frame.prefix)

    @property
    def moment(self) -> Cell:
        """The cell that volatile data nodes depend on: that of the activation (D6)."""
        return self.asker.moment
