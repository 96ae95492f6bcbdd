"""A firing that gets the only token of the one before begins a strand of its own."""

RULE = "W11"
EDITS = [
    ("Machine.end", "if len(taken) == 1 and", "if len(taken) == -1 and"),
]
