"""An activation that fails is not told as closed."""

RULE = "E1"
EDITS = [
    ("tell_failed", "run.tell(NodeFailed, activation, plan.id, error, origin, duration)", ""),
]
