"""What does one concurrent item cost?"""

from benchmarks.lib.question import Question, Workload

QUESTION = Question(
    "concurrency",
    "What does one of many concurrent items cost?",
    (
        Workload("sleepers", "N concurrent items that sleep 10 ms of real time", "item"),
        Workload("together", "N concurrent items that wait until the last of them has begun", "item"),
        Workload("sleepers_virtual", "N concurrent items that sleep 10 ms of a virtual clock", "item"),
        Workload("emit", "N concurrent items with an empty step, joined", "item"),
        Workload("emit_writes", "N concurrent items that each write an output and a variable, merged", "item"),
    ),
)
