"""Every activation that fails says that the failure arose in itself."""

RULE = "E2"
EDITS = [
    (
        "tell_failed",
        "run.tell(NodeFailed, activation, plan.id, error, origin, duration)",
        "run.tell(NodeFailed, activation, plan.id, error, activation.where, duration)",
    ),
]
