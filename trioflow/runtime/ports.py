"""What a called graph sees of the graph around it: its inputs, resolved outside of it when they are needed (C4)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trioflow.runtime.line import Line

if TYPE_CHECKING:
    from trioflow.runtime.activation import Activation
    from trioflow.runtime.demand import DataActivation
    from trioflow.runtime.strand import Strand
    from trioflow.semantics.events import Path
    from trioflow.semantics.plan import PlanNode
    from trioflow.semantics.store import Cell


class Caller:
    """The node that calls a graph, and the strand in which its inputs are resolved.

    One evaluation of a data graph asks for each input once: `cells` holds what came, and what was asked for is part of
    what the evaluation `context` depends on.
    """

    __slots__ = ("cells", "context", "node", "strand")

    def __init__(self, node: PlanNode, strand: Strand, context: DataActivation | None = None) -> None:
        self.node = node
        self.strand = strand
        self.context = context
        self.cells: dict[int, Cell] = {}

    def seen_from(self, strand: Strand) -> Caller:
        """The same, as a fork sees it."""
        return Caller(self.node, strand, self.context)


class View(Line):
    """An activation that asks for values in another graph than its own: what it is a part of, or what it calls."""

    __slots__ = ("asker", "strand")

    def __init__(self, activation: Activation | View, strand: Strand) -> None:
        asker = activation.asker if isinstance(activation, View) else activation
        self.asker: Activation = asker
        self.strand = strand
        # It dispatches nothing, so it is not counted among the lines of its parent.
        self.parent = asker.parent
        self.index = asker.index
        self.depth = asker.depth
        self.count = 0
        self._where = None

    @property
    def where(self) -> Path:
        return self.asker.where.within(self.strand.frame.prefix)

    @property
    def moment(self) -> Cell | None:
        """The cell that volatile data nodes depend on: that of the activation (D6)."""
        return self.asker.moment

    @moment.setter
    def moment(self, cell: Cell) -> None:
        self.asker.moment = cell
