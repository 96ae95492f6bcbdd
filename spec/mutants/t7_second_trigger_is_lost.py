"""A trigger that is started while another one is running does nothing, instead of failing."""

from trioflow.runtime.dispatch import dispatch

RULE = "T7"
EDITS = [
    (dispatch, 'raise line.concurrent("trigger", socket)', "return"),
]
