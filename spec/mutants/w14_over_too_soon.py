"""A scope ends while one of its firings is alive."""

RULE = "W14"
EDITS = [
    ("ScopeRun.run", "lambda: not machine.alive or", "lambda: machine.alive < 2 or"),
]
