"""What does being watched cost?"""

from benchmarks.lib.question import HUNDRED, HUNDRED_THOUSAND, TEN_THOUSAND, THOUSAND, Question, Workload

_SIZES = (HUNDRED, THOUSAND, TEN_THOUSAND, HUNDRED_THOUSAND)

QUESTION = Question(
    "watching",
    "What does being watched cost?",
    (
        Workload("observers_0", "a loop of N triggers, nobody watching", "trigger", _SIZES),
        Workload("observers_1", "the same with one observer that counts", "trigger", _SIZES),
        Workload("observers_3", "the same with three", "trigger", _SIZES),
        Workload("observers_file", "the same with every event written to a file", "trigger", _SIZES),
    ),
)
