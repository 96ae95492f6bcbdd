"""A run that has failed tears nothing down."""

RULE = "R1"
EDITS = [
    ("Execution._torn_down", "if state.set_up:", "if state.set_up and failure is None:"),
]
