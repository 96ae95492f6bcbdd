"""What queues refuse."""

from __future__ import annotations

from trioflow.errors import TrioflowError


class JobNotFound(TrioflowError):
    """The store has no job of that id."""


class QueueFull(TrioflowError):
    """As many jobs wait in the queue as may; nothing was put."""


class LeaseLost(TrioflowError):
    """The lease had expired, or the job was taken from whoever held it; nothing was changed."""
