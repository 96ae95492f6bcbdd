"""A firing for one token is two rounds behind it."""

RULE = "W10"
EDITS = [
    ("Machine._make", "firing.round = source.round + 1", "firing.round = source.round + 2"),
]
