"""Writing a value that is equal to the one there makes no new version."""

RULE = "D9"
EDITS = [
    (
        "Store.write",
        "cells = self.cells",
        (
            "cells = self.cells\n    old = cells[slot]\n    if old is not None and old.value == value:\n        return old"
        ),
    ),
]
