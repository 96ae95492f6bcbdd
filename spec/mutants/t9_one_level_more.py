"""Activations nest one level deeper than the limit says."""

RULE = "T9"
EDITS = [
    ("dispatch", "if depth > run.max_depth:", "if depth > run.max_depth + 1:"),
]
