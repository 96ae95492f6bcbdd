"""A join that is not met fails if it is to be skipped, and is skipped if it is to fail."""

RULE = "W7"
EDITS = [
    ("Machine._skip", "if node.fails_unmet:", "if not node.fails_unmet:"),
]
