"""A step over passes breakpoints below it."""

RULE = "G6"
RARE = "Random hosts step over one of several strands, and onto a breakpoint, once in 800 to 6,000 requests."
EDITS = [
    ("Barrier.wait", "(self._reason is None or self._passes(path))", "self._reason is None"),
]
