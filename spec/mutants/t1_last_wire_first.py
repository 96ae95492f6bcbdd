"""The targets of an exec output are dispatched in the reverse of the order of the connections."""

from trioflow.runtime.dispatch import dispatch

RULE = "T1"
EDITS = [
    (dispatch, "target = targets[0]\n", "target = targets[-1]\n"),
    (dispatch, "pending = [*targets[:0:-1]]", "pending = [*targets[:-1]]"),
]
