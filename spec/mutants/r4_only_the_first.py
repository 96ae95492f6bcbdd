"""Of several failures that meet in a group of forks, only the first goes on."""

RULE = "R4"
EDITS = [
    (
        "ForkSet.in_order",
        "return collapse(error)",
        "return error.exceptions[0] if isinstance(error, BaseExceptionGroup) else error",
    ),
]
