"""A volatile data node is evaluated each time it is asked, not once per moment."""

RULE = "D6"
EDITS = [
    (
        "loop.demand",
        ("run = activation.strand.run\n"),
        ("run = activation.strand.run\n    if wanted.impure:\n        activation.come_back()\n"),
    ),
]
