"""The policy `first` keeps the younger value."""

RULE = "F4"
EDITS = [
    ("Join._merge", "takes_theirs = mine_is_younger", "takes_theirs = not mine_is_younger"),
]
