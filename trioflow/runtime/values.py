"""Values of inputs: as their types, or the error that there is none (D1, D11)."""

from __future__ import annotations

from typing import Any

from trioflow.errors import CoercionError, MissingInput
from trioflow.semantics.coercion import Mismatch
from trioflow.semantics.plan import PlanInput, PlanNode
from trioflow.semantics.store import Cell


def value_of(planned: PlanInput, cell: Cell) -> Any:
    """A cell's value as this input's type (D11)."""
    value = cell.value
    exact = planned.exact
    if planned.coercer is None or type(value) is exact or cell is planned.constant:
        return value
    try:
        return planned.coercer(value)
    except Mismatch as error:
        raise CoercionError(
            f"{planned.wire or planned.node}: {error}. Only int to float and declared converters are applied at a "
            "wire; put a conversion node between, or declare a converter in the registry."
        ) from None


def missing(node: PlanNode, planned: PlanInput) -> MissingInput:
    """D1: nothing supplies a value."""
    source = f"its source has not been written yet ({planned.wire})" if planned.wire else "nothing is wired to it"
    return MissingInput(
        f"Input {planned.socket.name!r} of node {node.id!r} ({node.type.id}) has no value: {source}, and it has "
        "neither a literal nor a default. Give it a literal, or make sure that the source runs first."
    )
