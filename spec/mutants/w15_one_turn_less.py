"""A node in a circle has one turn less than it may have."""

RULE = "W15"
EDITS = [
    ("Machine._make", "if turn > node.most:", "if turn >= node.most:"),
]
