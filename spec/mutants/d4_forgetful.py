"""No evaluation is remembered beyond the next write."""

from trioflow.runtime.demand import _complete

RULE = "D4"
EDITS = [
    (_complete, "remember(graph.root_cell, graph.base + node.index, evaluation, pulled)", "pass"),
]
