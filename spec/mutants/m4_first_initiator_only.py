"""Only the first initiator of the document is run."""

RULE = "M4"
EDITS = [
    ("_Planner.plan", "for node in nodes if _is_initiator(node))", "for node in nodes if _is_initiator(node))[:1]"),
]
