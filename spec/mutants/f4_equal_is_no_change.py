"""A variable to which its owner has written the value that was there counts as not changed."""

RULE = "F4"
EDITS = [
    ("Join.add", "if mine is base[slot]:", "if mine.value == base[slot].value:"),
]
