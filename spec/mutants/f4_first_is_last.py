"""The policy `first` keeps the younger value."""

from trioflow.semantics.join import Join

RULE = "F4"
EDITS = [
    (Join._merge, "takes_theirs = mine_is_younger", "takes_theirs = not mine_is_younger"),
]
