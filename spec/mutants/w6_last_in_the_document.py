"""Of joins that wait for one another the last in the document fires."""

RULE = "W6"
EDITS = [
    ("Machine._settle", "place = min(held)", "place = max(held)"),
]
