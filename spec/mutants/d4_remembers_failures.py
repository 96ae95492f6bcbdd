"""An evaluation whose body caught the failure of a question is remembered as if it had not asked."""

RULE = "D4"
EDITS = [
    (
        "evaluation.finish",
        "if context is not None and context.saw_failure:\n",
        "if context is not None and context.saw_failure:\n"
        "        remember(graph.root_cell, graph.base + node.index, evaluation, ())\n",
    ),
]
