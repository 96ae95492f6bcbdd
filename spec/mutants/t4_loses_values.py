"""Values that are given with a trigger are not written if nothing is connected."""

from trioflow.runtime.activation import Activation

RULE = "T4"
EDITS = [
    (Activation.trigger, "if values:", "if values and targets:"),
]
