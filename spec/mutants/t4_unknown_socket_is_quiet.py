"""Triggering a socket that the type does not declare does nothing."""

RULE = "T4"
EDITS = [
    (
        "dispatch",
        "exit_place(plan, socket)  # T4",
        "await checkpoint_if_cancelled()\n            return",
    ),
]
