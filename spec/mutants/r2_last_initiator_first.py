"""The initiators are dispatched in the reverse of document order."""

RULE = "R2"
LOOP = "for line, initiator in zip(lines, state.plan.initiators, strict=True):"
REVERSED = "for line, initiator in zip(lines[::-1], state.plan.initiators[::-1], strict=True):"
EDITS = [("Hosted.run_graph", LOOP, REVERSED), ("Alone.run_graph", LOOP, REVERSED)]
