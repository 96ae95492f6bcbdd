"""How long until it does what it is told?"""

from benchmarks.lib.question import HUNDRED, TEN_THOUSAND, Question, Workload

_STRANDS = (1, HUNDRED, TEN_THOUSAND)

QUESTION = Question(
    "latency",
    "With N live strands, how long until it does what it is told?",
    (
        Workload("cancel", "from cancelling to the last teardown", "", _STRANDS),
        Workload("pause", "from pausing to the last strand parked", "", _STRANDS),
        Workload("host_gap", "the longest time that the host's own task waits for its turn", "", _STRANDS, limit=30),
    ),
)
