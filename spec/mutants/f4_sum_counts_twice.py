"""The policy `sum` adds what was there at the fork once more."""

from trioflow.semantics.merge import _sum

RULE = "F4"
EDITS = [
    (_sum, "return mine + (theirs - base)", "return mine + theirs"),
]
