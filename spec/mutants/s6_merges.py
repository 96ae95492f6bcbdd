"""The items of a stream that discards are merged like any others."""

RULE = "S6"
EDITS = [
    ("ForkSet.start", "if not discard:  # S6", "if True:"),
]
