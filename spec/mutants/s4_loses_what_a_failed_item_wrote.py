"""What a collected item wrote before it failed is not merged."""

from trioflow.runtime.forks import ForkSet

RULE = "S4"
EDITS = [
    (
        ForkSet.join,
        "if fork.cancelled or fork.writes is None:",
        "if fork.cancelled or fork.writes is None or fork.failure is not None:",
    ),
]
