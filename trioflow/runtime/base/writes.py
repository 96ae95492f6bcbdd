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


def write_output(activation: Activation, place: int, value: object) -> None:
    """Write the output of this number."""
    plan = activation.plan
    strand = activation.strand
    if strand.run.data_watch is None:
        strand.store.write(plan.first_output + place, value)
    else:
        strand.store.write(plan.first_output + place, value, activation.origin(plan.type.outputs[place].name))


def write_outputs(activation: Activation, values: Mapping[Any, object] | None) -> None:
    """Write outputs by socket or name, in the order given: all of them, or none. Raises `UnknownSocket` (T4)."""
    if not values:
        return
    plan = activation.plan
    index = plan.type.output_index
    if len(values) > 1:
        for socket in values:
            if socket not in index:
                output_place(plan, socket)
    strand = activation.strand
    for socket in values:
        place = index.get(socket)
        if place is None:
            place = output_place(plan, socket)
        if strand.run.data_watch is None:
            strand.store.write(plan.first_output + place, values[socket])  # a copy of writes.write_output
        else:
            write_output(activation, place, values[socket])


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
