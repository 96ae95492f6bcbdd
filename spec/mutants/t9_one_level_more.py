"""Activations nest one level deeper than the limit says."""

RULE = "T9"
EDITS = [
    ("dispatch", "if line.depth >= run.max_depth:", "if line.depth > run.max_depth:"),
]
