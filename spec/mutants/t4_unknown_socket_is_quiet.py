"""Triggering a socket that the type does not declare does nothing."""

RULE = "T4"
EDITS = [
    (
        "dispatch",
        'raise unknown_socket(plan, socket, "exec output", [each.name for each in plan.type.exec_outputs])',
        "await checkpoint_if_cancelled()\n            return",
    ),
]
