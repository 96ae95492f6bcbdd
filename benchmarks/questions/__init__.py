"""The questions, in the order in which they are asked."""

from __future__ import annotations

from benchmarks.lib.question import Question, Workload
from benchmarks.questions import (
    chain,
    common,
    concurrency,
    data,
    durable,
    fan_out,
    growth,
    jobs,
    latency,
    loop,
    policies,
    start,
    studio,
    watching,
    workflow,
)

_MODULES = (
    loop,
    chain,
    fan_out,
    data,
    common,
    concurrency,
    workflow,
    policies,
    start,
    watching,
    studio,
    durable,
    jobs,
    latency,
    growth,
)
QUESTIONS: tuple[Question, ...] = tuple(module.QUESTION for module in _MODULES)
WORKLOADS: dict[str, Workload] = {each.name: each for question in QUESTIONS for each in question.workloads}
