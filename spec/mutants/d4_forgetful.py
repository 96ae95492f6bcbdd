"""No evaluation is remembered beyond the next write."""

RULE = "D4"
EDITS = [
    ("evaluation.finish", "remember(graph.root_cell, graph.base + node.index, evaluation, pulled)", "pass"),
]
