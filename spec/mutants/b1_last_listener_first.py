"""Listeners are dispatched in the reverse of document order."""

RULE = "B1"
EDITS = [
    ("_Planner._listeners", "tuple(listeners) for", "tuple(listeners[::-1]) for"),
]
