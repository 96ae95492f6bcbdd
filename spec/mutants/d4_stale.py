"""What a body asked for itself is not part of what its evaluation depends on, so it is used again when that has changed."""

RULE = "D4"
EDITS = [
    (
        "evaluation.finish",
        "remember(resolving.holder, graph.base + node.index, evaluation, pulled)",
        "remember(resolving.holder, graph.base + node.index, evaluation, ())",
    ),
]
