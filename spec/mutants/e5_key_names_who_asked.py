"""The key of an evaluation depends on who asked for it first."""

RULE = "E5"
EDITS = [
    (
        "evaluation.complete",
        "key = identity(graph.prefix + node.id, node, frame.used, pulled)",
        'key = f"{identity(graph.prefix + node.id, node, frame.used, pulled)}{activation.where}"',
    ),
]
