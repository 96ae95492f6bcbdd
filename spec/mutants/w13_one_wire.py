"""Only the first wire behind an exec output that is triggered gets a token."""

RULE = "W13"
EDITS = [
    ("Net.behind", "Way(node.id, wires,", "Way(node.id, wires[:1],"),
]
