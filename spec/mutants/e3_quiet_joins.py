"""A fork that wrote nothing is joined without a word."""

RULE = "E3"
EDITS = [
    (
        "ForkSet.join",
        "if run.observed is not None:\n                self._tell(",
        "if fork.written or fork.written_state:\n                self._tell(",
    ),
]
