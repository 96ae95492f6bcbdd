"""How fast nodes may start, by how busy the host is (P4)."""

from __future__ import annotations

import attrs


@attrs.frozen
class Load:
    """How busy a host is: its processors in percent of what it may use, and the memory that is left, in bytes."""

    cpu: float
    memory: float


@attrs.define
class Flow:
    """The full rate up to the soft mark, none from the hard mark on, and in between as the line between them says.

    Once nothing may start, something may again only below the soft mark, with enough memory: what is stopped stays
    stopped until it helps.
    """

    rate: float
    soft: float = 70.0
    hard: float = 85.0
    memory: float = 512 * 2**20
    closed: bool = False

    def at(self, load: Load) -> float:
        """Starts a second at this load (P4)."""
        short = load.memory < self.memory
        if short or load.cpu >= self.hard:
            self.closed = True
        elif load.cpu < self.soft:
            self.closed = False
        if self.closed:
            return 0.0
        return self.rate * min(1.0, (self.hard - load.cpu) / (self.hard - self.soft))
