"""Links from the spans of a resumed run to those of the process before: kept in its journal, as what was done (J28)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trioflow.durable.deeds import deed
from trioflow.errors import JournalError

if TYPE_CHECKING:
    from trioflow.durable.journal import Journal
    from trioflow.telemetry.spans import Spans

TRACED = "traced"
"""What was done when the span of a run has begun; the detail is its `traceparent`."""


def traced_before(journal: Journal, run_id: str) -> str | None:
    """The `traceparent` of the run as the last process had it, for `Spans(after=...)`; None if there is none. Blocks.

    What is wrong with the journal is told by who runs it, not here.
    """
    try:
        deeds = journal.audit(run_id)
    except JournalError:
        return None
    return next((each.detail for each in reversed(deeds) if each.what == TRACED), None)


def keep_traced(journal: Journal, run_id: str, spans: Spans) -> None:
    """Keep which span the run has in this process, for who resumes it. Blocks. Raises as `Journal.note`."""
    if spans.traceparent is not None:
        journal.note(run_id, deed(TRACED, None, spans.traceparent))
