"""What a collected item wrote before it failed is not merged."""

RULE = "S4"
EDITS = [
    (
        "ForkSet.join",
        "if fork.written is _NOT_YET or",
        "if fork.written is _NOT_YET or fork.failure is not None or",
    ),
]
