"""A run whose time is up ends as cancelled."""

RULE = "R8"
EDITS = [
    (
        "Execution._settle",
        "if failure is not None and not is_cancellation(failure):",
        "if failure is not None and not is_cancellation(failure) and getattr(failure, 'limit', '') != 'timeout':",
    ),
]
