"""The done socket does not fire if there was no item."""

RULE = "S5"
EDITS = [
    (
        "_fire_done",
        "if stream.plan.done is not None and not stream.fired:",
        "if stream.plan.done is not None and not stream.fired and stream.emits:",
    ),
]
