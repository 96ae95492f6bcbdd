"""The initiators are dispatched in the reverse of document order."""

from trioflow.runtime.run import Run

RULE = "R2"
EDITS = [
    (
        Run._run_graph,
        "for line, initiator in zip(lines, state.plan.initiators, strict=True):  # R2",
        "for line, initiator in zip(lines[::-1], state.plan.initiators[::-1], strict=True):",
    ),
]
