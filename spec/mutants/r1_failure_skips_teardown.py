"""A run that has failed tears nothing down."""

RULE = "R1"
EDITS = [
    ("Execution._torn_down", "if state.frame.set_up:", "if state.frame.set_up and failure is None:"),
]
