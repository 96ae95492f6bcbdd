"""A step out lets pass what is still to come, and not who waits already."""

RULE = "G7"
EDITS = [
    ("Barrier.let_pass", "if step.below is not None:", "if False:"),
]
