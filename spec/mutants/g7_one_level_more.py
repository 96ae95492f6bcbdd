"""A step out goes out of two levels at once."""

RULE = "G7"
EDITS = [
    ("Gate._step", '"out": numbers[:-1]', '"out": numbers[:-2]'),
]
