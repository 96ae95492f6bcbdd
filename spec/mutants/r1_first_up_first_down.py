"""Nodes are torn down in the order in which they were set up."""

from trioflow.runtime.run import Run

RULE = "R1"
EDITS = [
    (Run._tear_down_nodes, "self._set_up.pop()", "self._set_up.pop(0)"),
]
