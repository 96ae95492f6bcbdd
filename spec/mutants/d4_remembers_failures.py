"""An evaluation whose body caught the failure of a question is remembered as if it had not asked."""

from trioflow.runtime.demand import _complete

RULE = "D4"
EDITS = [
    (
        _complete,
        ("if not saw_failure:\n        remember(run.root_cell, node.index, evaluation, pulled)"),
        "remember(run.root_cell, node.index, evaluation, () if saw_failure else pulled)",
    ),
]
