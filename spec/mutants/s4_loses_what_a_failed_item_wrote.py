"""What a collected item wrote before it failed is not merged."""

from trioflow.runtime.forks import ForkSet

RULE = "S4"
EDITS = [
    (
        ForkSet.join,
        "if writes is None or fork.cancelled:",
        "if writes is None or fork.cancelled or fork.failure is not None:",
    ),
]
