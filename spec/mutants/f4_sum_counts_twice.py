"""The policy `sum` adds what was there at the fork once more."""

RULE = "F4"
EDITS = [
    ("_sum", "return mine + (theirs - base)", "return mine + theirs"),
]
