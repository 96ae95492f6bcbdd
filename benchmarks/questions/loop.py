"""What does one trigger cost?"""

from benchmarks.lib.question import MILLION, SIZES, Question, Workload

QUESTION = Question(
    "loop",
    "What does one trigger cost, in a loop?",
    (
        Workload("loop", "a loop that triggers one body N times", "trigger", (*SIZES, MILLION)),
        Workload("loop_data", "the same; the body asks for a data node that depends on the index", "trigger"),
    ),
)
