"""The targets of an exec output are dispatched in the reverse of the order of the connections."""

RULE = "T1"
EDITS = [
    ("dispatch", "target = targets[0]\n        began", "target = targets[-1]\n        began"),
    ("dispatch", "pending = [*targets[:0:-1]]", "pending = [*targets[:-1]]"),
]
