"""What is stepped into is stepped over."""

RULE = "G5"
EDITS = [
    ("Gate._step", '"into": None', '"into": numbers'),
]
