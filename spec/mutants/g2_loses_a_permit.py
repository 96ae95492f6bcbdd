"""The permit of a dispatch that is cancelled before it goes on is lost."""

from trioflow.runtime.gate import Gate

RULE = "G2"
EDITS = [
    (Gate.wait, "self.step(1)", "pass"),
]
