"""The truth values pass as whole numbers."""

RULE = "D11"
EDITS = [
    (
        "is_exact",
        "if isinstance(value, bool) and target in (int, float):",
        "if isinstance(value, bool) and target is float:",
    ),
]
