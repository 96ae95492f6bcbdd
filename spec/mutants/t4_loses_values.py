"""Values that are given with a trigger are not written if nothing is connected."""

RULE = "T4"
EDITS = [
    (
        "BodyContext.trigger",
        "if values:\n            write_outputs(line, values)",
        "if values and targets:\n            write_outputs(line, values)",
    ),
]
