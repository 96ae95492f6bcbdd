"""The policy `max` keeps the owner's value whatever the fork has."""

from trioflow.semantics.merge import _max

RULE = "F4"
EDITS = [
    (_max, "return max(mine, theirs)", "return mine"),
]
