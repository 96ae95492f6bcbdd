"""What is stepped into is stepped over."""

from trioflow.runtime.gate import Gate

RULE = "G5"
EDITS = [
    (Gate._step, '"into": None', '"into": numbers'),
]
