"""What was written in a strand since a moment, for those who ask for values (A6, E3)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import attrs

from trioflow.model.values import own_copy

if TYPE_CHECKING:
    from trioflow.semantics.plan import PlanNode
    from trioflow.semantics.store import Store


@attrs.frozen
class Written:
    """Outputs and state of one node, and variables, by name."""

    outputs: Mapping[str, Any]
    variables: Mapping[str, Any]
    state: Mapping[str, Any]


def written_since(since: int, store: Store, node: PlanNode, variables: Mapping[str, int]) -> Written:
    """What a strand has written since this number was taken: the node's outputs and state, and all variables.

    Containers are copies: who looks at them can't change what is in the store (E4).
    """

    def new(cell: Any) -> bool:
        return cell is not None and cell.serial > since

    outputs = enumerate(node.type.outputs, node.first_output)
    return Written(
        {socket.name: own_copy(store.cells[slot].value) for slot, socket in outputs if new(store.cells[slot])},
        {name: own_copy(store.cells[slot].value) for name, slot in variables.items() if new(store.cells[slot])},
        {
            name: own_copy(cell.value)
            for (index, name), cell in store.state.items()
            if index == node.index and new(cell)
        },
    )
