"""Every activation that a wire leads to believes it was entered through the first exec input."""

RULE = "T5"
EDITS = [
    (
        "_Planner._wire",
        "Target(target, connection.target.socket, None, str(connection))",
        "Target(target, target.type.exec_inputs[0].name, None, str(connection))",
    ),
]
