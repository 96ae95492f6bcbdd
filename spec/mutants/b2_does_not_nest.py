"""What a listener publishes is dropped."""

RULE = "B2"
EDITS = [
    (
        "BodyContext.publish",
        "if not targets and not shared:  # B2",
        "if self.plan.type.listens is not None or not (targets or shared):",
    ),
]
