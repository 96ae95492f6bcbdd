"""A run may take one step more than its limit says."""

RULE = "R8"
EDITS = [
    ("pass_dispatch", "if self.steps >= self.max_steps:  # R8", "if self.steps > self.max_steps:"),
    (
        "refuel",
        "more = int(min(every, self.max_steps - self.steps))",
        "more = int(min(every, max(0, self.max_steps - self.steps)))",
    ),
]
