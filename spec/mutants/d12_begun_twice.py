"""What another strand has begun ahead is begun ahead once more."""

RULE = "D12"
EDITS = [
    ("Ahead._begin", "or key in run.in_progress or key in run.ahead:", "or key in run.in_progress:"),
]
