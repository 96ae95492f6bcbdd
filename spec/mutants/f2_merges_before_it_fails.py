"""If the last fork that a join waits for ends by failing, the others are merged all the same."""

RULE = "F2"
EDITS = [
    ("ForkSet.wait_until", "await checkpoint_if_cancelled()", ""),
]
