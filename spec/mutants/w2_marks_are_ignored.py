"""Only nodes that no wire leads to fire without a token."""

RULE = "W2"
EDITS = [
    ("Net._entries", "if marked or not node.into:", "if not node.into:"),
]
