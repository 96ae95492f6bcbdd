"""A variable to which its owner has written the value that was there counts as not changed."""

from trioflow.semantics.join import Join

RULE = "F4"
EDITS = [
    (Join.add, "if mine is base[slot]:", "if mine.value == base[slot].value:"),
]
