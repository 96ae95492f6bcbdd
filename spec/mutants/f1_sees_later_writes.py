"""A fork starts with the store as it is when the fork first gets to run, not as it was when it was made."""

from trioflow.runtime.forks import StrandFork

RULE = "F1"
EDITS = [
    (
        StrandFork.run,
        ("try:\n        if self._scope is None:"),
        ("strand.store = forks._strand.store.fork()\n    try:\n        if self._scope is None:"),
    ),
]
