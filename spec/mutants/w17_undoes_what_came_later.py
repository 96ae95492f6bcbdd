"""What undoes a firing finds what later firings in the same strand have written."""

RULE = "W17"
EDITS = [
    ("ScopeRun._note", "strand.store.fork()", "strand.store"),
]
