"""A wire that is not enabled carries tokens."""

RULE = "W18"
EDITS = [
    (
        "Net._wires",
        "if source is None or target is None or not connection.enabled:",
        "if source is None or target is None:",
    ),
]
