"""A fork that wrote nothing is joined without a word."""

from trioflow.runtime.forks import ForkSet

RULE = "E3"
EDITS = [
    (
        ForkSet.join,
        "run.tell(StrandJoined, fork.line, self._node)",
        ("if fork.writes.cells:\n            run.tell(StrandJoined, fork.line, self._node)"),
    ),
]
