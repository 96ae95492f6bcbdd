"""Data nodes behind lazy inputs are evaluated when an activation starts, whether or not its body asks."""

RULE = "M2"
EDITS = [
    (
        "_Planner._wire",
        "if not planned.socket.lazy and (planned.connection is not None or not planned.has_constant)",
        "if planned.source is Source.NODE or not (planned.socket.lazy or planned.source is planned.constant is None)",
    ),
]
