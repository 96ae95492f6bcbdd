"""When moments of a run are taken, and whether what they supersede is kept."""

from __future__ import annotations

import attrs


@attrs.frozen
class Checkpoint:
    """When moments are taken (J26): after so many records, where the loops that are open allow it.

    `history`: whether what a moment supersedes is kept, for those who look back or fork the run there. Without it a run
    that goes round for ever has a journal of one size.
    """

    every: int = attrs.field(default=1000, validator=attrs.validators.ge(1))
    history: bool = True
