"""What does one of many targets cost?"""

from benchmarks.lib.question import Question, Workload

QUESTION = Question(
    "fan_out",
    "What does one of many targets of the same output cost?",
    (Workload("fan_out", "one output wired to N nodes, triggered once", "target"),),
)
