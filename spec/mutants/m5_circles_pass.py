"""Data nodes that depend on each other in a circle are not found."""

RULE = "M5"
UNREACHED = "The campaign draws valid graphs only."
EDITS = [
    ("_check_graph", "check_data_cycles(wiring),", ""),
]
