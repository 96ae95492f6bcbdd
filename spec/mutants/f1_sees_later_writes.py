"""A fork starts with the store as it is when the fork first gets to run, not as it was when it was made."""

RULE = "F1"
EDITS = [
    (
        "ForkSet._run_forks",
        "body = fork.body(strand, work, task)",
        "strand.store = self._strand.store.fork()\n                body = fork.body(strand, work, task)",
    ),
]
