"""A run that has failed tears nothing down."""

from trioflow.runtime.execution import Execution

RULE = "R1"
EDITS = [
    (Execution.execute, "if state.set_up:", "if state.set_up and failure is None:"),
]
