"""A run that has failed tears nothing down."""

from trioflow.runtime.run import Run

RULE = "R1"
EDITS = [
    (Run.execute, "await tear_down(state, state)", "await tear_down(state, state) if failure is None else []"),
]
