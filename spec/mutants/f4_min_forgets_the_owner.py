"""The policy `min` takes the fork's value whatever the owner has."""

RULE = "F4"
EDITS = [
    ("_min", "return min(mine, theirs)", "return theirs"),
]
