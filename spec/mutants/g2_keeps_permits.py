"""Permits that are left when the gate opens count when it is closed again."""

RULE = "G2"
EDITS = [
    ("Gate.resume", "self._permits = 0", ""),
]
