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
    outputs = {socket.name: cells[slot] for slot, socket in enumerate(node.type.outputs, node.first_output)}
    state = {name: cell for (index, name), cell in store.state.items() if index == node.index}
    return Written(
        *(
            {name: _shown(cell) for name, cell in found.items() if cell is not None and cell.serial > since}
            for found in (outputs, {name: cells[slot] for name, slot in variables.items()}, state)
        )
    )


def _shown(cell: Cell) -> Any:
    return UNSET if cell.value is DELETED else own_copy(cell.value)
