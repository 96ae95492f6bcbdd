"""An activation that is cancelled is told as failed."""

from trioflow.runtime.dispatch import tell_failed

RULE = "R5"
EDITS = [
    (tell_failed, "if is_cancellation(error):", "if False:"),
]
