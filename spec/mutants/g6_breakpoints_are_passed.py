"""A step over passes breakpoints below it."""

RULE = "G6"
EDITS = [
    ("Barrier.wait", "(self._reason is None or self._passes(path))", "self._reason is None"),
]
