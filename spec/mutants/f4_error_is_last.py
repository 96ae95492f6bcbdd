"""Under the policy `error`, a conflict is settled as by `last`."""

RULE = "F4"
EDITS = [
    ("Join._merge", "if policy in _BY_AGE:", 'if policy in (*_BY_AGE, "error"):'),
]
