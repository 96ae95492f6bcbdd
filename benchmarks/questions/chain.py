"""What does one step cost, one after the other, and how deep may steps nest?"""

from benchmarks.lib.question import MILLION, SIZES, Question, Workload

QUESTION = Question(
    "chain",
    "What does one step of a chain cost, and how deep may steps nest?",
    (
        Workload("chain", "a chain of N nodes, each handing over to the next"),
        Workload("hand_over", "a node that hands over to itself N times", sizes=(*SIZES, MILLION)),
        Workload(
            "chain_awaited", "N steps inside each other, each awaiting the next", sizes=(*SIZES, MILLION), limit=60
        ),
    ),
)
