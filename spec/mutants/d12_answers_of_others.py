"""Whoever comes first takes up what another strand has begun ahead, also where a variable is another one."""

RULE = "D12"
UNREACHED = (
    "What ran ahead and read a variable that is another one for who takes it up comes less than once in 3,000 requests."
)
EDITS = [
    ("serves", "_fits(begun, activation)", "True"),
]
