"""What has begun and failed is not undone, whatever its node says."""

RULE = "W21"
EDITS = [
    ("ScopeRun.broke_off", "is not None and firing.net.undo_begun", "is not None and firing.net.undo < 0"),
]
