"""The big-step form: what a graph leaves behind, computed without any schedule.

Because a fork sees none of what the others write (F1), it makes no difference when it runs: here it runs in place, on
its copy of the store, at the moment of the fork, and what it wrote is kept until the join. That engines agree with
this under every schedule is their promise. Where a schedule may matter (E5), it says so instead: `Undetermined`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from trioflow.reference.small_step import Machine
from trioflow.reference.strands import Steps, Strand


class Undetermined(Exception):
    """What comes of this request depends on the schedule, or on the time; the message says why."""


class Immediate(Machine):
    """Nobody ever waits, and so nothing is evaluated ahead (D12)."""

    def __init__(self, request: Mapping[str, Any]) -> None:
        super().__init__(request)
        self.options["max_ahead"] = 0

    def spawn(self, strand: Strand, work: Steps) -> None:
        strand.stack.append(work)
        while not strand.ended:
            strand.resume()

    def depends(self, what: str) -> None:
        raise Undetermined(f"It depends on the schedule {what}.")


def big_step(request: Mapping[str, Any]) -> dict[str, Any]:
    """The outcome and the canonical trace of a request under any schedule; `steps` and `trace` mean nothing.

    The graph must be valid. Raises `Undetermined`.
    """
    machine = Immediate(request)
    if machine.actions or machine.timeout.deadline is not None:
        machine.depends("what the host or a time limit cuts off")
    return machine.run()
