"""An activation that fails is not told as closed."""

from trioflow.runtime.dispatch import tell_failed

RULE = "E1"
EDITS = [
    (tell_failed, "run.tell(NodeFailed, activation, plan.id, error, origin, duration)", ""),
]
