"""Permits that are left when the gate opens count when it is closed again."""

from trioflow.runtime.gate import Gate

RULE = "G2"
UNREACHED = "A step with permits to spare, a resume and a pause, in this order, come less than once in 3,000 requests."
EDITS = [
    (Gate.resume, "self._permits = 0", ""),
]
