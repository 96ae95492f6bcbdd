"""What was joined inside a fork is lost when the fork itself is joined."""

from trioflow.semantics.store import Store

RULE = "F3"
EDITS = [
    (Store.merge, "self._note(key)", "pass"),
]
