"""The truth values pass as whole numbers."""

from trioflow.semantics.coercion import _is_exact

RULE = "D11"
EDITS = [
    (
        _is_exact,
        "if isinstance(value, bool) and target in (int, float):",
        "if isinstance(value, bool) and target is float:",
    ),
]
