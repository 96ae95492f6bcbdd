"""A target that fails does not keep the ones after it from being dispatched."""

RULE = "T1"
EDITS = [
    (
        "dispatch",
        ("del activation.strand\n                raise"),
        (
            "del activation.strand\n"
            "                if pending and not is_cancellation(error):\n"
            "                    target = pending.pop()\n"
            "                    continue\n"
            "                raise"
        ),
    ),
]
