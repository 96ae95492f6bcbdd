"""What a listener publishes is dropped."""

from trioflow.runtime.activation import Activation

RULE = "B2"
EDITS = [
    (Activation.publish, "if not targets:  # B2", "if not targets or self.plan.type.listens is not None:"),
]
