"""Eager inputs of exec nodes are resolved when the body asks, not before it starts."""

RULE = "D7"
EDITS = [
    ("_Planner._wire", "node.to_resolve = tuple(", "node.to_resolve = () and tuple("),
]
