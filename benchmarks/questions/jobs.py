"""What does a durable job cost, from a queue through one real worker?

Every job is in a queue before it is begun, and its end is on the disk before it counts: PostgreSQL with its usual
settings, Redis with `appendfsync always`. A job is one function that returns its number; eight run at a time.
"""

from __future__ import annotations

from benchmarks.lib.question import HUNDRED, THOUSAND, Question, Workload

_SIZES = (HUNDRED, THOUSAND)

QUESTION = Question(
    "jobs",
    "What does a durable job cost, from a queue through one real worker?",
    (
        Workload("jobs_put", "N jobs are put, one by one", "job", _SIZES, 5, 90.0),
        Workload("jobs_put_tens", "N jobs are put, ten at a time", "job", _SIZES, 5, 90.0),
        Workload("jobs_done", "a worker does the N jobs that wait", "job", _SIZES, 5, 90.0),
    ),
)
