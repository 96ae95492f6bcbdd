"""An evaluation that is cancelled is not told as closed."""

RULE = "E1"
EDITS = [
    ("_fail", "run.tell(EvaluationCancelled, activation, frame.node.id, duration)", "pass"),
]
