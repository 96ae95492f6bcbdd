"""A pause leaves steps by path under way."""

from trioflow.runtime.gate import Gate

RULE = "G6"
EDITS = [
    (Gate.pause, "self._steps.clear()", "pass"),
]
