"""The policies `append` and `union` take 1 and true for the same."""

RULE = "F4"
UNREACHED = "Random scripts write no truth values."
EDITS = [
    ("_same", "kind is not type(right):", "kind is not type(right) and bool not in (kind, type(right)):"),
]
