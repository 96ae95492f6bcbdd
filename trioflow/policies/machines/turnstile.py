"""A token bucket with a line before it (P3): the generic cell rate algorithm, which keeps one moment and no tokens."""

from __future__ import annotations

import math
from collections.abc import Callable

import attrs

from trioflow.policies.machines.line import Line


@attrs.define(eq=False)
class Ticket:
    """Somebody who waits, and what passing costs. `wake` is called when it may be its turn."""

    cost: float
    wake: Callable[[], None] | None = None


class Turnstile:
    """Lets through what costs no more than what has come together: `rate` a second, at most `capacity`.

    `full_at` is when as much will have come together as there may be.
    """

    __slots__ = ("_missing", "capacity", "full_at", "line", "rate")

    def __init__(self, rate: float, capacity: float) -> None:
        self.rate = rate
        self.capacity = capacity
        self.full_at = -math.inf
        self._missing = 0.0  # from what there may be at most, while the rate is 0
        self.line: Line[Ticket] = Line()

    def arrive(self, cost: float, rank: int, now: float) -> Ticket | None:
        """None if one is through at once; otherwise one waits, and the ticket says for what."""
        if not self.line and self._take(cost, now):
            return None
        ticket = Ticket(cost)
        self.line.join(ticket, rank)
        return ticket

    def ready_at(self, ticket: Ticket) -> float:
        """When as much will have come together as it costs, if nobody else takes it."""
        return math.inf if self.rate == 0 else self.full_at + (ticket.cost - self.capacity) / self.rate

    def go(self, ticket: Ticket, now: float) -> bool:
        """Whether it is through now: nobody is before it, and enough has come together."""
        if self.line.first() is not ticket or not self._take(ticket.cost, now):
            return False
        self.line.leave(ticket)
        return True

    def leave(self, ticket: Ticket) -> None:
        """Wait no more."""
        self.line.leave(ticket)

    def change(self, rate: float, now: float) -> None:
        """Another rate from now on; what has come together stays."""
        if self.rate:
            self._missing = max(0.0, self.full_at - now) * self.rate
        if rate:
            self.full_at = now + self._missing / rate
        self.rate = rate

    def _take(self, cost: float, now: float) -> bool:
        rate = self.rate
        if rate == 0 or now < self.full_at + (cost - self.capacity) / rate:
            return False
        self.full_at = max(self.full_at, now) + cost / rate
        return True
