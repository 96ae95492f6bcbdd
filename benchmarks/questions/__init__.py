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
    latency,
    loop,
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
    start,
    watching,
    studio,
    latency,
    growth,
    durable,
)
QUESTIONS: tuple[Question, ...] = tuple(module.QUESTION for module in _MODULES)
WORKLOADS: dict[str, Workload] = {each.name: each for question in QUESTIONS for each in question.workloads}
