"""What a node hands over to comes after all other targets of the line, not before them."""

from trioflow.runtime.dispatch import dispatch

RULE = "T6"
EDITS = [
    (
        dispatch,
        "pending += _handed_over(target.node, outcome)  # T6",
        "pending[:0] = _handed_over(target.node, outcome)",
    ),
]
