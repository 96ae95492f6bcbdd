"""A node with join first fires once in a scope."""

RULE = "W8"
EDITS = [
    ("Machine._come_first", "self._fired[node.place] = turn + 1", "self._fired[node.place] = 1 << 30"),
]
