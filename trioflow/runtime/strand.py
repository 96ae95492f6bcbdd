"""Strands: sequential lines of control, each with a store of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from trioflow.runtime.state import RunState
    from trioflow.runtime.task import HotTask
    from trioflow.semantics.store import Store


class Strand:
    """One sequential line of control. `nurseries` counts the engine's nurseries that enclose it (F8).

    `counted` is the number of nurseries in its task when all that enclose it were counted last.

    `task` is the task of a dispatch loop of this strand exactly while a body runs directly under it; a body that
    triggers from a task of its own finds none, and brings a loop of its own. `waits` counts its tasks that wait for the
    gate or for other strands: one, unless bodies wait in tasks of their own.
    """

    __slots__ = ("counted", "nurseries", "run", "store", "task", "waits")

    def __init__(self, run: RunState, store: Store, nurseries: int) -> None:
        self.run = run
        self.store = store
        self.nurseries = nurseries
        self.task: HotTask | None = None
        self.waits = 0
        self.counted = 0
