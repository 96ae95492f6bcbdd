"""Whoever comes first takes up what another strand has begun ahead, also where a variable is another one."""

RULE = "D12"
EDITS = [
    ("serves", "_fits(begun, activation)", "True"),
]
