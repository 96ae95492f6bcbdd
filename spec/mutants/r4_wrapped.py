"""A failure that passes through an activation comes out as another one."""

RULE = "R4"
EDITS = [
    (
        "dispatch",
        ("del activation.strand\n                raise"),
        (
            "del activation.strand\n"
            "                if isinstance(error, Exception) and line.depth > 1:\n"
            "                    raise RuntimeError(str(error)) from error\n"
            "                raise"
        ),
    ),
]
