"""Values that are given with a trigger are not written if nothing is connected."""

RULE = "T4"
EDITS = [
    (
        "Activation.trigger",
        "if values:\n            line.write_all(values)",
        "if values and targets:\n            line.write_all(values)",
    ),
]
