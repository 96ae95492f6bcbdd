"""What a body asked for itself is not part of what its evaluation depends on, so it is used again when that has changed."""

from trioflow.runtime.demand import _complete

RULE = "D4"
EDITS = [
    (
        _complete,
        "remember(run.root_cell, node.index, evaluation, pulled)",
        "remember(run.root_cell, node.index, evaluation, ())",
    ),
]
