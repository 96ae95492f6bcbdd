"""An evaluation that is cancelled is not told as closed."""

from trioflow.runtime.demand import _fail

RULE = "E1"
EDITS = [
    (_fail, "run.tell(EvaluationCancelled, activation, frame.node.id, duration)", "pass"),
]
