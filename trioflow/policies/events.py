"""What policies tell observers, in order with all else, at the node and path of the activation (A8, P6)."""

from __future__ import annotations

import attrs

from trioflow.semantics.events import Decision


@attrs.frozen(eq=False, repr=False)
class RetryScheduled(Decision):
    """An attempt has failed, and another will be made after `delay` seconds (P1)."""

    attempt: int
    """The attempt that has failed, from 1."""
    delay: float
    error: Exception


@attrs.frozen(eq=False, repr=False)
class FellBack(Decision):
    """A node has failed, and something takes its place (P5). `to` is the node that was fired; None for a value."""

    to: str | None
    error: Exception


@attrs.frozen(eq=False, repr=False)
class Undone(Decision):
    """A saga has failed, and what the node `undone` had done in it was undone (P9).

    That was at the path `where`, and the node `by` has undone it. `error` is with what that has failed; None if it has
    gone well.
    """

    undone: str
    where: str
    by: str
    error: Exception | None


@attrs.frozen(eq=False, repr=False)
class BreakerChanged(Decision):
    """A breaker has opened, lets probes through, or has closed again (P2)."""

    key: str
    old: str
    new: str
    why: str
    """For people: `6 of 10 calls have failed`."""


@attrs.frozen(eq=False, repr=False)
class BreakerAttempted(Decision):
    """A breaker has let a call through; `state` is `closed` or `half-open` (P2)."""

    key: str
    state: str


@attrs.frozen(eq=False, repr=False)
class BreakerBlocked(Decision):
    """A breaker has refused a call, which was not made; it may let one through after so many seconds (P2)."""

    key: str
    state: str
    retry_after: float


@attrs.frozen(eq=False, repr=False)
class Starving(Decision):
    """An activation has waited for `waited` seconds for its turn, and goes on waiting (P4).

    `holders` are the paths of those who have what it waits for, if somebody has.
    """

    resource: str
    waited: float
    holders: tuple[str, ...]


@attrs.frozen(eq=False, repr=False)
class ResourceExhausted(Decision):
    """An activation has waited for its turn as long as it may, and fails with `BudgetExhausted` (P3)."""

    resource: str
    waited: float


@attrs.frozen(eq=False, repr=False)
class Throttled(Decision):
    """So many may run at once from now on, by how calls went (P3)."""

    key: str
    limit: int


@attrs.frozen(eq=False, repr=False)
class Quarantined(Decision):
    """A node has failed as often as it may in this run, and is skipped from now on (P5)."""

    failures: int
    error: Exception


@attrs.frozen(eq=False, repr=False)
class Governed(Decision):
    """Nodes start at another rate from now on, by the load of the host: percent of its processors, bytes left (P4)."""

    rate: float
    cpu: float
    memory: float
