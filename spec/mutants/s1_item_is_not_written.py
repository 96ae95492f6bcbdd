"""An emit dispatches the item's chain and does not write the item."""

from trioflow.runtime.activation import Activation

RULE = "S1"
EDITS = [
    (Activation.emit, "= {item: value, **also} if also else {item: value}", "= dict(also or {})"),
]
