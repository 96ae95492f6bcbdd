"""Does a long run cost more per step than a short one?"""

from benchmarks.lib.question import HUNDRED_THOUSAND, MILLION, TEN_MILLION, TEN_THOUSAND, THOUSAND, Question, Workload

QUESTION = Question(
    "growth",
    "Does a long run cost more per step, or keep more, than a short one?",
    (
        Workload(
            "long_loop", "a loop of N triggers", "trigger", (HUNDRED_THOUSAND, MILLION, TEN_MILLION), rounds=1, limit=60
        ),
        Workload(
            "long_emit",
            "N concurrent items, at most 100 at a time, whose results are not kept",
            "item",
            (THOUSAND, TEN_THOUSAND, HUNDRED_THOUSAND),
        ),
    ),
)
