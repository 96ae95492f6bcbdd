"""An activation that is cancelled is told as failed."""

RULE = "R5"
EDITS = [
    ("tell_failed", "if is_cancellation(error):", "if False:"),
]
