"""A fork that wrote nothing is joined without a word."""

from trioflow.runtime.forks import ForkSet

RULE = "E3"
EDITS = [
    (
        ForkSet.join,
        "if run.observed is not None:\n                self._tell(",
        "if fork.written or fork.written_state:\n                self._tell(",
    ),
]
