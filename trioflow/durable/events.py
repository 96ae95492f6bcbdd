"""What observers of a journalled run are told besides the rest (J17)."""

from __future__ import annotations

import attrs

from trioflow.semantics.events import Event


@attrs.frozen(eq=False, repr=False)
class RunContinued(Event):
    """A run that was resumed comes to something new: what was recorded before has been replayed."""

    after: int
    """How many entries the journal had."""
    replayed: int
    """How many of them were asked for."""
