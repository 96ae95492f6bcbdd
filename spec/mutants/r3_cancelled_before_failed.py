"""A run that was cancelled and in which something failed on the way out ends as cancelled."""

RULE = "R3"
EDITS = [
    (
        "Execution._settle",
        "if failure is not None and not is_cancellation(failure):",
        "if failure is not None and not is_cancellation(failure) and not cancelled:",
    ),
]
