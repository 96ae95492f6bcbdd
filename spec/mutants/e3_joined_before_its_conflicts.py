"""A fork is told as joined before its conflicts are."""

RULE = "E3"
EDITS = [
    (
        "ForkSet.join",
        "if run.observed is not None:\n                self._tell(StrandJoined(), fork)",
        "pass",
    ),
    (
        "ForkSet.join",
        "if fork.written or fork.written_state:",
        "self._tell(StrandJoined(), fork)\n            if fork.written or fork.written_state:",
    ),
]
