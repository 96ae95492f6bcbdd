"""Out of a graph that is called: what reaches `graph.leave`, and what the graph around hears (C5, C6, C7)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from trioflow.errors import ConcurrentTrigger, MissingInput
from trioflow.runtime.base.cells import NOTHING
from trioflow.runtime.base.inputs import value_of
from trioflow.runtime.base.names import listeners
from trioflow.runtime.base.records import Activation, Asking, ExecFrame, Strand
from trioflow.runtime.base.writes import write_output
from trioflow.runtime.demand.inputs import resolve
from trioflow.runtime.dispatch import cross
from trioflow.semantics.plan import Target


async def leave(activation: Activation) -> None:
    """The body of `graph.leave`: note the exit, or if it is a callback, go out there and come back."""
    frame = activation.strand.frame
    exits = frame.plan.interface.exits
    place = next(place for place, each in enumerate(exits) if each.name == activation._target.entered)
    if not exits[place].callback or not isinstance(frame, ExecFrame):
        activation.strand.store.write(frame.plan.exit_slot, place)  # C5: it forks and merges with the store
        return
    strand = _outside(activation.strand, frame, f"callback exit {activation._target.entered!r}")
    await write_results(activation, frame)
    await _go_out(activation, [frame], strand, frame.caller.plan.targets[place])  # C6


async def write_results(asking: Asking, frame: ExecFrame) -> None:
    """Evaluate the outputs of the graph as they are now, and write those that have a value (C5)."""
    if frame.plan.leave is None:
        return
    values: list[tuple[int, Any]] = []
    for place, planned in enumerate(frame.plan.leave.inputs):
        try:
            cell = await resolve(asking, planned)
        except MissingInput:  # what it is made of was not written on the way that control took
            continue
        if cell is not NOTHING:
            values.append((place, value_of(planned, cell)))
    for place, value in values:
        write_output(frame.caller, place, value)


async def publish_outside(activation: Activation, event: str, payload: object) -> None:
    """Dispatch the listeners of a shared event in the graphs around, as far as each shares it with the next (C7)."""
    strand = activation.strand
    crossed: list[ExecFrame] = []
    while isinstance(frame := strand.frame, ExecFrame) and event in frame.plan.shared:
        if event not in frame.caller.strand.frame.plan.listeners:
            return
        strand = _outside(strand, frame, f"shared event {event!r}")
        crossed.append(frame)
        await _go_out(activation, crossed, strand, listeners(strand.frame.plan, event, payload))


def _outside(strand: Strand, frame: ExecFrame, what: str) -> Strand:
    """The strand of the graph around. Raises `ConcurrentTrigger` in a fork, which is concurrent to that strand."""
    if strand is not frame.strand:
        node = frame.caller.plan
        raise ConcurrentTrigger(  # T7
            f"The {what} of {frame.prefix.removesuffix('/')!r} ({node.type.id}) is reached in a concurrent strand. The "
            "graph around goes on in one strand, so only what the call itself dispatches may lead there. Collect the "
            "results in a variable, and go out after the strands are joined; or let the graph around fork."
        )
    return frame.caller.strand


async def _go_out(
    activation: Activation, crossed: Sequence[ExecFrame], strand: Strand, targets: Sequence[Target]
) -> None:
    """Dispatch in a graph around; what its nodes write, lazy inputs of the graphs inside may depend on (C4)."""
    if not targets:
        return
    try:
        await cross(activation, strand, targets)
    finally:
        for frame in crossed:
            frame.strand.store.revision = object()
