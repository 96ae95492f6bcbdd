"""Activations nest one level deeper than the limit says."""

from trioflow.runtime.dispatch import dispatch

RULE = "T9"
EDITS = [
    (dispatch, "if line.depth >= run.max_depth:", "if line.depth > run.max_depth:"),
]
