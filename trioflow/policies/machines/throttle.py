"""How many may run at once, by how it goes: raised by one, halved on failure (P3)."""

from __future__ import annotations

import attrs


@attrs.define
class Throttle:
    """Additive increase, multiplicative decrease. `limit` is how many may run now, from 1 to `most`.

    Calls that began before the last halving do not halve again: they show the same trouble.
    """

    most: int
    limit: int = attrs.field(default=attrs.Factory(lambda self: self.most, takes_self=True))
    era: int = 0
    well: int = 0
    """Calls that have gone well since the last change."""

    def succeeded(self) -> bool:
        """A call has gone well; whether the limit is another one now."""
        self.well += 1
        if self.limit == self.most or self.well < self.limit:
            return False
        self.limit += 1
        self.well = 0
        return True

    def failed(self, era: int) -> bool:
        """A call that began in this era has failed; whether the limit is another one now."""
        self.well = 0
        if era != self.era or self.limit == 1:
            return False
        self.limit = max(1, self.limit // 2)
        self.era += 1
        return True
