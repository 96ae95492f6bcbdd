"""A fork that wrote nothing is joined without a word."""

from trioflow.runtime.forks import ForkSet

RULE = "E3"
EDITS = [
    (
        ForkSet.join,
        "if run.watch is not None:",
        "if (fork.written or fork.written_state) and run.watch is not None:",
    ),
]
