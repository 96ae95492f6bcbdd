"""Forks share the state of nodes with their owner."""

RULE = "F6"
EDITS = [
    ("Store.fork", "child.state = self.state.copy() if self.state else _EMPTY", "child.state = self.state"),
    ("Store._set_state", "if not self.state:", "if False:"),
]
