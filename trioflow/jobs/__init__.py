"""Jobs: runs that wait in a queue until a worker has time for them, on this host or another one.

A job is a graph with its start values; its run has the name of the job, and is kept in the journal that the queue is
in. `records` is pure data, `store` what is kept and in which statements, `queue` what programs call; `claimed`,
`carrying` and `worker` run what is leased, and `once` one job for other dispatchers.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from trioflow.jobs.errors import JobNotFound, LeaseLost, QueueFull
    from trioflow.jobs.once import run_once
    from trioflow.jobs.queue import Queue, value_of, variables_of
    from trioflow.jobs.records import Job, Lease
    from trioflow.jobs.worker import Worker

_WHERE = {
    "Job": "records",
    "JobNotFound": "errors",
    "Lease": "records",
    "LeaseLost": "errors",
    "Queue": "queue",
    "QueueFull": "errors",
    "Worker": "worker",
    "run_once": "once",
    "value_of": "queue",
    "variables_of": "queue",
}
"""What is imported when it is first asked for: nodes of queues are known before anybody has a queue."""


def __getattr__(name: str) -> Any:
    if name not in _WHERE:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_WHERE[name]}"), name)


__all__ = [
    "Job",
    "JobNotFound",
    "Lease",
    "LeaseLost",
    "Queue",
    "QueueFull",
    "Worker",
    "run_once",
    "value_of",
    "variables_of",
]
