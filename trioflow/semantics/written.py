"""What was written in a strand since a moment, for those who ask for values (A6, E3)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import attrs

from trioflow.model.sockets import UNSET
from trioflow.model.values import NO_VALUES, own_copy
from trioflow.semantics.store import DELETED

if TYPE_CHECKING:
    from trioflow.semantics.plan import PlanNode
    from trioflow.semantics.store import Cell, Store


@attrs.frozen
class Written:
    """Outputs and state of one node, and variables, by name."""

    outputs: Mapping[str, Any] = NO_VALUES
    variables: Mapping[str, Any] = NO_VALUES
    state: Mapping[str, Any] = NO_VALUES


def written_since(since: int, store: Store, node: PlanNode, variables: Mapping[str, int]) -> Written:
    """What a strand has written since this number was taken: the node's outputs and state, and all variables.

    State that was deleted is `UNSET`. Containers are copies: who looks at them can't change what is in the store (E4).
    """
    cells = store.cells
    outputs: dict[str, Any] = {}
    slot = node.first_output
    for socket in node.type.outputs:
        cell = cells[slot]
        if cell is not None and cell.serial > since:
            outputs[socket.name] = _shown(cell)
        slot += 1
    changed: Mapping[str, Any] = NO_VALUES
    if variables:
        changed = {
            name: _shown(cell)
            for name, slot in variables.items()
            if (cell := cells[slot]) is not None and cell.serial > since
        }
    state: Mapping[str, Any] = NO_VALUES
    if store.state:
        state = {
            name: _shown(cell)
            for (index, name), cell in store.state.items()
            if index == node.index and cell.serial > since
        }
    return Written(outputs, changed, state)


def _shown(cell: Cell) -> Any:
    return UNSET if cell.value is DELETED else own_copy(cell.value)
