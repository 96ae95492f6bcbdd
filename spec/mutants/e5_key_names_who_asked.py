"""The key of an evaluation depends on who asked for it first."""

RULE = "E5"
EDITS = [
    (
        "evaluation.made",
        "key = identity(graph.prefix + node.id, node, resolving.used, pulled)",
        'key = f"{identity(graph.prefix + node.id, node, resolving.used, pulled)}{activation.where}"',
    ),
]
