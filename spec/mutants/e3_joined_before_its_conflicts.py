"""A fork is told as joined before its conflicts are."""

from trioflow.runtime.forks import ForkSet

RULE = "E3"
EDITS = [
    (
        ForkSet.join,
        "conflict.lost)\n        if run.watch is not None:\n            run.tell(StrandJoined, fork.line, self._node)",
        "conflict.lost)",
    ),
    (
        ForkSet.join,
        "if fork.writes.cells:",
        "run.tell(StrandJoined, fork.line, self._node)\n        if fork.writes.cells:",
    ),
]
