"""Evaluations of data nodes, and where they are remembered (D4-D6).

An evaluation hangs on the youngest cell that it depends on: it lives as long as that cell, so no table grows, and
strands that share the cells find it there and share it. What a body asked for itself makes a path of inquiries: each
says what was asked next, and hangs on the youngest cell known so far, so that all evaluations are found that can still
be current, and no other.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from trioflow.semantics.identity import Identity
    from trioflow.semantics.plan import PlanInput
    from trioflow.semantics.store import Cell

    Asked = PlanInput | int
    """What a body asks for: a lazy input, or the slot of a variable (D8)."""


class Evaluation:
    """One run of a data node's body: the cells of its eager inputs, in order, and the output cells it made.

    `verified` is the store's revision under which all that it depends on was last seen to be current. `key`
    identifies the evaluation for observers; None if nobody watches.
    """

    __slots__ = ("key", "moment", "outputs", "used", "verified")

    def __init__(self, used: Sequence[Cell], outputs: Sequence[Cell | None], key: Identity | None) -> None:
        self.used = used
        self.outputs = outputs
        self.key = key
        self.verified: object = None
        # For a volatile data node and what depends on it: the activation it is good for (D6).
        self.moment: Cell | None = None


class Inquiry:
    """What bodies that have seen the same so far ask for next."""

    __slots__ = ("_youngest", "asks", "used")

    def __init__(self, used: Sequence[Cell], youngest: Cell, asks: Asked) -> None:
        self.used = used
        self._youngest = youngest
        self.asks = asks

    def answered(self, cell: Cell) -> Known | None:
        """What is known of those that got this cell."""
        memo = self._holder(cell).memo
        return memo.get((self, cell)) if memo is not None else None

    def go_on(self, cell: Cell, asks: Asked) -> Inquiry:
        """The inquiry after this one, for those that got this cell."""
        memo = _memo(self._holder(cell))
        known = memo.get((self, cell))
        if type(known) is not Inquiry or known.asks != asks:  # its body is not the same each time
            known = memo[self, cell] = Inquiry(self.used, self._holder(cell), asks)
        return known

    def end(self, cell: Cell, evaluation: Evaluation) -> None:
        """Nothing more was asked: this is the evaluation."""
        _memo(self._holder(cell))[self, cell] = evaluation

    def _holder(self, cell: Cell) -> Cell:
        return cell if cell.serial > self._youngest.serial else self._youngest


Known = Evaluation | Inquiry


def same_cells(left: Sequence[Cell], right: Sequence[Cell]) -> bool:
    """Whether two lists hold the same cells, that is, the same versions (D4)."""
    return len(left) == len(right) and all(a is b for a, b in zip(left, right, strict=True))


def youngest(cells: Iterable[Cell], otherwise: Cell) -> Cell:
    """The cell that an evaluation of these inputs hangs on; constants are as old as can be."""
    found = otherwise
    for cell in cells:
        if cell.serial > found.serial:
            found = cell
    return found


def recall(holder: Cell, node: int, used: Sequence[Cell]) -> Known | None:
    """What is known of a node with these eager inputs, the youngest of which is the holder."""
    memo = holder.memo
    if memo is not None:
        for known in memo.get(node, ()):
            if same_cells(known.used, used):
                return known  # type: ignore[no-any-return]
    return None


def remember(holder: Cell, node: int, evaluation: Evaluation, pulled: Sequence[tuple[Asked, Cell]]) -> None:
    """Hang an evaluation where `recall` and the inquiries lead to it; `pulled` is what its body asked for, in order."""
    used = evaluation.used
    if not pulled:
        hang(holder, node, evaluation)
        return
    known = recall(holder, node, used)
    (asks, cell), *further = pulled
    if type(known) is not Inquiry or known.asks != asks:
        known = Inquiry(used, holder, asks)
        hang(holder, node, known)
    for asks, following in further:
        known = known.go_on(cell, asks)
        cell = following
    known.end(cell, evaluation)


def hang(holder: Cell, node: int, known: Known) -> None:
    """Hang it on a cell, in place of what has the same inputs.

    Several with different inputs hang on one cell only where forks that wrote before it are joined after it, so there
    are never more than forks in flight.
    """
    memo = _memo(holder)
    others = memo.get(node)
    if others is None:  # as mostly
        memo[node] = [known]
    else:
        memo[node] = [*(other for other in others if not same_cells(other.used, known.used)), known]


def _memo(cell: Cell) -> dict[Any, Any]:
    if cell.memo is None:
        cell.memo = {}
    return cell.memo
