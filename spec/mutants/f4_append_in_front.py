"""The policy `append` puts what the fork appended before what its owner did."""

RULE = "F4"
EDITS = [
    ("_append", "return mine + theirs[len(base) :]", "return theirs + mine[len(base) :]"),
]
