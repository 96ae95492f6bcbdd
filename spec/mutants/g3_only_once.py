"""A breakpoint stops the first dispatch of its node and no other."""

RULE = "G3"
EDITS = [
    (
        "Barrier._hit",
        "self._close(PauseReason(text, kind, each.id))",
        "self._close(PauseReason(text, kind, each.id))\n    each.enabled = False",
    ),
]
