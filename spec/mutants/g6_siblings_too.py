"""A step over lets pass what comes after it in the same line, too."""

RULE = "G6"
EDITS = [
    ("Gate._step", '"over": numbers,', '"over": numbers[:-1],'),
]
