"""Nodes are torn down in the order in which they were set up."""

from trioflow.runtime.calls import tear_down

RULE = "R1"
EDITS = [
    (tear_down, "frame.set_up.pop()", "frame.set_up.pop(0)"),
]
