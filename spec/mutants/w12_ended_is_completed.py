"""A wire that is taken however its source has ended is not taken if that has failed."""

RULE = "W12"
EDITS = [
    ("Net._connect", 'isdisjoint({"failed", "ended"})', 'isdisjoint({"failed"})'),
]
