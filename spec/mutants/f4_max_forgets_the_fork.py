"""The policy `max` keeps the owner's value whatever the fork has."""

RULE = "F4"
EDITS = [
    ("_max", "return max(mine, theirs)", "return mine"),
]
