"""The policy `max` takes the value at the fork into account."""

from trioflow.semantics.merge import _max

RULE = "F4"
EDITS = [
    (_max, "return max(mine, theirs)", "return max(base, mine, theirs)"),
]
