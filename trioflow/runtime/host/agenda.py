"""Handling what is due later, in the first strand of a run (B3)."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from trioflow.runtime.base.records import Line
from trioflow.runtime.dispatch import drive
from trioflow.semantics.address import AGENDA_MARK

if TYPE_CHECKING:
    from trioflow.runtime.base.agenda import Agenda
    from trioflow.runtime.base.records import RunState, Strand


def agenda_of(state: RunState) -> Agenda:
    """The agenda of a run; made when it is first asked for."""
    if state.agenda is None:
        state.agenda = state.activate.agenda()  # type: ignore[attr-defined]
    found: Agenda = state.agenda
    return found


def agenda_line(root: Line) -> Line:
    """The line on which all that is due is dispatched, which has a mark in place of a number."""
    line = Line(None)
    line.parent = root
    line.index = AGENDA_MARK
    line.depth = root.depth + 1
    return line


async def handle(state: RunState, strand: Strand, line: Line, goes_on: Callable[[], bool] = lambda: False) -> None:
    """Handle what is due, in turn, until nothing is left, and nothing is to come."""
    agenda = agenda_of(state)
    while (due := await agenda.next(strand, line, goes_on)) is not None:
        await drive(strand, line, due.targets)
