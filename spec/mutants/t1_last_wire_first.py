"""The targets of an exec output are dispatched in the reverse of the order of the connections."""

from trioflow.runtime.dispatch import dispatch

RULE = "T1"
EDITS = [
    (dispatch, "pending = [*targets[::-1]]", "pending = [*targets]"),
]
