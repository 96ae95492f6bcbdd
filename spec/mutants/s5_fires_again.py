"""The done socket fires at the end also if the body has triggered it."""

RULE = "S5"
EDITS = [
    (
        "_fire_done",
        "if stream.plan.done is not None and not stream.fired:",
        "if stream.plan.done is not None:",
    ),
]
