"""An activation that is cancelled is told as failed."""

from trioflow.runtime.dispatch import _tell_failed

RULE = "R5"
EDITS = [
    (_tell_failed, "if is_cancellation(error):", "if False:"),
]
