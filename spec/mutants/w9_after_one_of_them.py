"""A firing for several tokens comes after the first of them only."""

RULE = "W9"
EDITS = [
    ("ScopeRun._fork", "for _, source in firing.tokens if", "for _, source in firing.tokens[:1] if"),
]
