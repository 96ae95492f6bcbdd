"""The initiators are dispatched in the reverse of document order."""

RULE = "R2"
EDITS = [("beginnings", "for initiator in state.plan.initiators", "for initiator in state.plan.initiators[::-1]")]
