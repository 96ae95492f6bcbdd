"""Data nodes that depend on each other in a circle are not found."""

from trioflow.semantics.validation import validate

RULE = "M5"
UNREACHED = "The campaign draws valid graphs only."
EDITS = [
    (validate, "*check_data_cycles(wiring),", ""),
]
