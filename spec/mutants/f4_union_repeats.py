"""The policy `union` keeps repetitions."""

RULE = "F4"
EDITS = [
    (
        "_union",
        ("return _each_once([*mine, *theirs])\n    if isinstance(mine, tuple)"),
        ("return [*mine, *theirs]\n    if isinstance(mine, tuple)"),
    ),
]
