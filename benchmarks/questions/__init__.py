"""The questions, in the order in which they are asked."""

from __future__ import annotations

from benchmarks.lib.question import Question, Workload
from benchmarks.questions import chain, common, concurrency, data, fan_out, growth, latency, loop, start, watching

QUESTIONS: tuple[Question, ...] = tuple(
    module.QUESTION for module in (loop, chain, fan_out, data, common, concurrency, start, watching, latency, growth)
)
WORKLOADS: dict[str, Workload] = {each.name: each for question in QUESTIONS for each in question.workloads}
