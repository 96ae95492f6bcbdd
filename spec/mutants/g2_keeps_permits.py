"""Permits that are left when the gate opens count when it is closed again."""

from trioflow.runtime.gate import Gate

RULE = "G2"
EDITS = [
    (Gate.resume, "self._permits = 0", ""),
]
