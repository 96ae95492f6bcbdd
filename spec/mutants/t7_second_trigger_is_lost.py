"""A trigger that is started while another one is running does nothing, instead of failing."""

from trioflow.runtime.activation import Activation

RULE = "T7"
EDITS = [
    (Activation.trigger, 'raise self._concurrent("trigger", socket)', "return"),
]
