"""A join is entered through the exec input of the last of its tokens."""

RULE = "W4"
EDITS = [
    ("ScopeRun._target", "for wire, _ in tokens]", "for wire, _ in reversed(tokens)]"),
]
