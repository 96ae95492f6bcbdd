"""What a step over lets pass needs a permit as well, if there is none it waits."""

RULE = "G6"
EDITS = [
    ("Barrier.wait", "if self._reason is None or self._passes(path):", "if self._reason is None:"),
]
