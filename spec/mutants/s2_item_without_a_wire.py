"""If nothing is connected to the fired output, a sequential emit does not write the item."""

from trioflow.runtime.activation import Activation

RULE = "S2"
EDITS = [
    (
        Activation.emit,
        ('if stream.mode == "sequential":\n        self.write_all(values)'),
        ('if stream.mode == "sequential":\n        if targets:\n            self.write_all(values)'),
    ),
]
