"""What a fork wrote replaces what its owner wrote later."""

from trioflow.semantics.store import Store

RULE = "F3"
EDITS = [
    (Store.merge, "if mine is None or self._written(key, mine) < number:  # F3", "if True:"),
]
