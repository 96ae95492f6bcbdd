"""A variable to which its owner has written the value that was there counts as not changed."""

from trioflow.semantics.store import Store

RULE = "F4"
EDITS = [
    (Store.merge, "and mine is not base[key]:", "and mine.value != base[key].value:"),
]
