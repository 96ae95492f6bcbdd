"""Under the policy `last`, the fork's value replaces that which its owner wrote later."""

RULE = "F4"
EDITS = [
    ("Join._merge", "takes_theirs = not mine_is_younger", "takes_theirs, mine_is_younger = True, False"),
]
