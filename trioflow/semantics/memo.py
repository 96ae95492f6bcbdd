"""Evaluations of data nodes, and where they are remembered (D4-D6).

An evaluation hangs on the youngest cell among its inputs: it lives as long as that cell, so no table grows, and
strands that share the cells find it there and share it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from trioflow.semantics.plan import PlanInput
    from trioflow.semantics.store import Cell


class Evaluation:
    """One run of a data node's body: the input cells it used, and the output cells it made.

    `used` are the cells of the eager inputs, in order; `pulled` what the body asked for itself, in order: lazy inputs
    and variables. `verified` is the store's revision under which all of them were last seen to be
    current. `key` identifies the evaluation for observers; it is empty when nobody watches.
    """

    __slots__ = ("key", "moment", "outputs", "pulled", "used", "verified")

    def __init__(
        self,
        used: Sequence[Cell],
        pulled: Sequence[tuple[PlanInput | int, Cell]],
        outputs: Sequence[Cell | None],
        key: str,
    ) -> None:
        self.used = used
        self.pulled = pulled
        self.outputs = outputs
        self.key = key
        self.verified: object = None
        # For a volatile data node and what depends on it: the activation it is good for (D6).
        self.moment: Cell | None = None


def same_cells(left: Sequence[Cell], right: Sequence[Cell]) -> bool:
    """Whether two lists hold the same cells, that is, the same versions (D4)."""
    return len(left) == len(right) and all(a is b for a, b in zip(left, right, strict=True))


def youngest(cells: Sequence[Cell], otherwise: Cell) -> Cell:
    """The cell that an evaluation of these inputs hangs on; constants are as old as can be."""
    found = otherwise
    for cell in cells:
        if cell.serial > found.serial:
            found = cell
    return found


def recall(cell: Cell, node: int, used: Sequence[Cell]) -> Any:
    """What hangs on a cell for a node with these inputs: an Evaluation, a pending one, or None."""
    if cell.memo is not None:
        for known in cell.memo.get(node, ()):
            if same_cells(known.used, used):
                return known
    return None


def remember(cell: Cell, node: int, evaluation: Any) -> None:
    """Hang an evaluation on a cell, in place of one with the same inputs.

    Several with different inputs hang on one cell only where forks that wrote before it are joined after it, so there
    are never more than forks in flight.
    """
    if cell.memo is None:
        cell.memo = {}
    others = [known for known in cell.memo.get(node, ()) if not same_cells(known.used, evaluation.used)]
    cell.memo[node] = [*others, evaluation]


def forget(cell: Cell, node: int, evaluation: Any) -> None:
    """Take an evaluation off again, if it is still the one that hangs there (D5)."""
    if cell.memo is not None:
        cell.memo[node] = [known for known in cell.memo.get(node, ()) if known is not evaluation]
