"""A join is entered through the exec input of the last of its tokens."""

RULE = "W4"
EDITS = [
    ("Firing.entered", "self.tokens[0][0].entered", "self.tokens[-1][0].entered"),
]
