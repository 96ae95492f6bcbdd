"""A fork is told as joined before its conflicts are."""

from trioflow.runtime.forks import ForkSet

RULE = "E3"
EDITS = [
    (
        ForkSet.join,
        "if run.watch is not None:\n                run.tell(StrandJoined, fork.line, self._node)",
        "pass",
    ),
    (
        ForkSet.join,
        "if fork.written or fork.written_state:",
        "run.tell(StrandJoined, fork.line, self._node)\n            if fork.written or fork.written_state:",
    ),
]
