"""What is known of a job. Pure data."""

from __future__ import annotations

import random
from typing import Any, Literal, get_args

import attrs

from trioflow.errors import did_you_mean
from trioflow.model.policy import PRIORITIES, Priority

JobStatus = Literal["queued", "leased", "done", "failed", "dead", "cancelled"]
"""`failed`: trying again would not mend it, such as a graph that is not valid. `dead`: its attempts are used up. Both
are kept for people, who look at them and may put them back."""

STATUSES: tuple[str, ...] = get_args(JobStatus)
ENDED: tuple[str, ...] = ("done", "failed", "dead", "cancelled")

ATTEMPTS = 3
"""How often a job is tried, if nothing else is said."""
LEASE = 30.0
"""Seconds."""
LIMIT = 10_000
"""How many jobs wait in a queue at most, if nothing else is said."""

_FIRST_DELAY, _LONGEST_DELAY, _SPREAD = 1.0, 300.0, 0.25


@attrs.frozen(kw_only=True)
class Job:
    """A job as it is kept. Times are seconds since 1970."""

    id: str
    """Also the name of its run."""
    sequence: int
    """Grows with each job that is put."""
    queue: str
    tenant: str
    key: str | None
    """Of two jobs with one key in a queue the second is none."""
    priority: Priority
    graph: str
    """A digest of the graph and its node types; empty for a message, which has a value instead."""
    values: str
    """The start values of the graph's variables, or the value of a message, as the codec writes them."""
    status: JobStatus
    attempts: int
    """How often it was begun."""
    most: int
    """How often it is begun at most."""
    reason: str | None
    """Why it is not done."""
    worker: str | None
    """Who has it, or had it last."""
    due: float
    """When it may begin."""
    created: float
    ended: float | None
    cancelling: bool
    """Whether somebody wants it to be cancelled."""
    fence: int
    """How often it was leased."""
    version: str | None
    """Of the code of its node types, since it was begun."""

    def as_json(self) -> dict[str, Any]:
        """For programs and people who look at it."""
        told = attrs.asdict(self)
        return {name: value for name, value in told.items() if name not in {"values", "fence"}}


@attrs.frozen
class Lease:
    """The right to carry out a job, until it expires; it is extended while it is held."""

    job: Job

    @property
    def mark(self) -> tuple[int, int]:
        """What every statement about it names: the job, and how often it was leased."""
        return self.job.sequence, self.job.fence


def rank_of(priority: str) -> int:
    """The place of a priority, from the lowest. Raises `ValueError` for what is none."""
    if priority not in PRIORITIES:
        raise ValueError(
            f"expected a priority of {', '.join(PRIORITIES)}, got {priority!r}.{did_you_mean(priority, PRIORITIES)}"
        )
    return PRIORITIES.index(priority)


def delay_after(attempts: int) -> float:
    """Seconds until the next attempt: doubled each time, up to 300, and spread so that not all come at once."""
    longest: float = min(_FIRST_DELAY * 2.0 ** (attempts - 1), _LONGEST_DELAY)
    return longest * random.uniform(1 - _SPREAD, 1 + _SPREAD)
