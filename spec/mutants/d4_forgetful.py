"""No evaluation is remembered beyond the next write."""

RULE = "D4"
EDITS = [
    ("evaluation.finish", "remember(resolving.holder, graph.base + node.index, evaluation, pulled)", "pass"),
]
