"""Eager inputs of exec nodes are resolved in the reverse of their order."""

from trioflow.runtime.bodies import _with_inputs

RULE = "D7"
EDITS = [
    (_with_inputs, "to_resolve = node.to_resolve", "to_resolve = node.to_resolve[::-1]"),
]
