"""The policy `first` keeps the younger value."""

from trioflow.semantics.store import Store

RULE = "F4"
EDITS = [
    (Store._merged, "return theirs if mine_is_younger else mine", "return mine if mine_is_younger else theirs"),
]
