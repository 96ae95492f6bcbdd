"""Under the policy `last`, the fork's value replaces that which its owner wrote later."""

from trioflow.semantics.store import Store

RULE = "F4"
EDITS = [
    (Store._merged, "kept, lost = (mine, theirs) if mine_is_younger else (theirs, mine)", "kept, lost = theirs, mine"),
]
