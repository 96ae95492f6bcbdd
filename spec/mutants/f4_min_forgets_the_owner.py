"""The policy `min` takes the fork's value whatever the owner has."""

from trioflow.semantics.merge import _min

RULE = "F4"
EDITS = [
    (_min, "return min(mine, theirs)", "return theirs"),
]
