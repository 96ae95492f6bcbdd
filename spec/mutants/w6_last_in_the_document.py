"""Of joins that wait for one another the last in the document fires."""

RULE = "W6"
EDITS = [
    ("Machine._settle", "self._join(min(held), held.pop(min(held)))", "self._join(max(held), held.pop(max(held)))"),
]
