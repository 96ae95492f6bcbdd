"""Validation ends at the first problem that it finds."""

RULE = "M5"
UNREACHED = "The campaign draws valid graphs only."
EDITS = [
    (
        "validate_scopes",
        "for problem in sorted(problems, key=_place_in_document)",
        "for problem in sorted(problems, key=_place_in_document)[:1]",
    ),
]
