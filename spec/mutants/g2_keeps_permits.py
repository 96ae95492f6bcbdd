"""Permits that are left when the gate opens count when it is closed again."""

RULE = "G2"
EDITS = [
    ("Barrier.open", "self._permits = 0", ""),
]
