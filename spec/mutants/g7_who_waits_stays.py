"""A step out lets pass what is still to come, and not who waits already."""

RULE = "G7"
RARE = "Random hosts step out where somebody waits who may pass less than once in 3,000 requests."
EDITS = [
    ("Barrier.let_pass", "if step.below is not None:", "if False:"),
]
