"""A pause leaves steps by path under way."""

RULE = "G6"
EDITS = [
    ("Gate.pause", "self._steps.clear()", "pass"),
]
