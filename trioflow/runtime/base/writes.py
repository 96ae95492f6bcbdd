"""Writing outputs: the one way in which a value of a node gets into a store (T4, D2).

Hot paths have copies of `write_output`, each marked `copy of writes.write_output`; a test compares them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from trioflow.errors import CoercionError
from trioflow.runtime.base.names import output_place, variable_slot
from trioflow.runtime.base.records import Activation
from trioflow.semantics.coercion import Mismatch
from trioflow.semantics.plan import PlanNode


def write_output(activation: Activation, place: int, value: object) -> None:
    """Write the output of this number."""
    plan = activation.plan
    strand = activation.strand
    if strand.run.data_watch is None:
        strand.store.write(plan.first_output + place, value)
    else:
        strand.store.write(plan.first_output + place, value, activation.origin(plan.type.outputs[place].name))


def accepted(node: PlanNode, socket: Any, value: object) -> tuple[int, Any]:
    """The number of an output, and what is written to it of a value, as it says. Raises `UnknownSocket` (T4)."""
    place = output_place(node, socket)
    try:
        return place, node.type.outputs[place].accepted(value)
    except ValueError as refused:
        name = node.type.outputs[place].name
        raise CoercionError(f"Output {name!r} of node {node.id!r} ({node.type.id}): {refused}.") from refused


def write_outputs(activation: Activation, values: Mapping[Any, object] | None) -> None:
    """Write outputs by socket or name, in the order given: all of them, or none. Raises `UnknownSocket` (T4)."""
    if not values:
        return
    plan = activation.plan
    index = plan.type.written_index
    if len(values) > 1:
        for socket in values:
            if socket not in index:
                for number, written in [accepted(plan, each, value) for each, value in values.items()]:
                    write_output(activation, number, written)
                return
    strand = activation.strand
    for socket in values:
        place, value = index.get(socket), values[socket]
        if place is None:
            place, value = accepted(plan, socket, value)
        if strand.run.data_watch is None:
            strand.store.write(plan.first_output + place, value)  # a copy of writes.write_output
        else:
            write_output(activation, place, value)


def write_variable(activation: Activation, name: str, value: object) -> None:
    """Write a variable, as its type. Raises `UnknownName`, `CoercionError` (D11)."""
    strand = activation.strand
    plan = strand.frame.plan
    slot = plan.variable_index.get(name)
    if slot is None:
        slot = variable_slot(plan, name)
    coercer = plan.variable_coercers[slot]
    if coercer is not None and type(value) not in coercer.passing and value is not None:
        try:
            value = coercer(value)
        except Mismatch as error:
            raise CoercionError(f"Variable {name!r}: {error}.") from None
    if strand.run.data_watch is None:
        strand.store.write(slot, value)
    else:
        strand.store.write(slot, value, activation.origin("$" + name))
