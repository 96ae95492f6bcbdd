"""Under the policy `error`, a conflict is settled as by `last`."""

from trioflow.semantics.store import Store

RULE = "F4"
EDITS = [
    (Store._merged, "if policy in _BY_AGE:", 'if policy in (*_BY_AGE, "error"):'),
]
