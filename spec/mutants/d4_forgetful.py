"""No evaluation is remembered beyond the next write."""

from trioflow.runtime.demand import _complete

RULE = "D4"
EDITS = [
    (_complete, ("if not saw_failure:\n        remember"), ("if False:\n        remember")),
]
