"""Triggering a socket that the type does not declare does nothing."""

from trioflow.runtime.activation import Activation

RULE = "T4"
EDITS = [
    (
        Activation.trigger,
        ("self.targets_of(socket)\n        raise AssertionError"),
        ("await checkpoint_if_cancelled()\n        return"),
    ),
]
