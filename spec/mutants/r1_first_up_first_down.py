"""Nodes are torn down in the order in which they were set up."""

RULE = "R1"
EDITS = [
    ("tear_down", "frame.set_up.pop()", "frame.set_up.pop(0)"),
]
