"""A concurrent emit waits until the item's chain is done."""

RULE = "S2"
EDITS = [
    (
        "BodyContext.emit",
        "stream.plan.discard)",
        ("stream.plan.discard)\n        await forks.wait_until(lambda: forks.in_flight == 0)"),
    ),
]
