"""A step out lets pass what is still to come, and not who waits already."""

RULE = "G7"
EDITS = [
    ("Gate._step", "if below is not None:", "if False:"),
]
