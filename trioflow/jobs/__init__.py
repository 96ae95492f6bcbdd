"""Jobs: runs that wait in a queue until a worker has time for them, on this host or another one.

A job is a graph with its start values; its run has the name of the job, and is kept in the journal that the queue is
in. `records` is pure data, `store` what is kept and in which statements, `queue` what programs call; `claimed`,
`carrying` and `worker` run what is leased, and `once` one job for other dispatchers.
"""

from trioflow.jobs.errors import JobNotFound, LeaseLost, QueueFull
from trioflow.jobs.once import run_once
from trioflow.jobs.queue import Queue, value_of, variables_of
from trioflow.jobs.records import Job, Lease
from trioflow.jobs.worker import Worker

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
