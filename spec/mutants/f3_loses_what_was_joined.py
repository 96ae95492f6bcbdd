"""What was joined inside a fork is lost when the fork itself is joined."""

RULE = "F3"
EDITS = [
    ("Store.take", "self.written[key] = cell", "pass"),
    ("Store.take", "self.written = {key: cell}", "pass"),
]
