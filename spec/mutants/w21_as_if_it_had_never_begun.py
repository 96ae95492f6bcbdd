"""What has begun and failed is not undone, whatever its node says."""

RULE = "W21"
EDITS = [
    ("ScopeRun.broke_off", "net.undo is not None and net.undo_begun", "net.undo is not None and net.undo < 0"),
]
