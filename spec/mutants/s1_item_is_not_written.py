"""An emit dispatches the item's chain and does not write the item."""

from trioflow.runtime.activation import Activation

RULE = "S1"
EDITS = [
    (Activation.emit, "values = {item: value, **(also or {})}", "values = dict(also or {})"),
]
