"""An evaluation that is cancelled is not told as closed."""

RULE = "E1"
EDITS = [
    ("evaluation.fail", "run.tell(EvaluationCancelled, activation, node.id, duration)", "pass"),
]
