"""The operation `join` waits for the forks and merges nothing."""

RULE = "F5"
EDITS = [
    ("BodyContext.join", "await forks.join()", "await forks.wait_until(lambda: forks.in_flight == 0)"),
]
