"""A step over passes breakpoints below it."""

from trioflow.runtime.gate import Gate

RULE = "G6"
EDITS = [
    (Gate.wait, "(self._reason is None or self._passes(path))", "self._reason is None"),
]
