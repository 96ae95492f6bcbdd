"""A run's budget of steps is a failure like others, which a body can catch."""

RULE = "R8"
EDITS = [
    ("_exhaust", "if not self.budget.cancel_called:", "if False:"),
]
