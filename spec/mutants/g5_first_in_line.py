"""A step into goes to whoever waits longest, and not to whom it names."""

from trioflow.runtime.gate import Gate

RULE = "G5"
EDITS = [
    (Gate._step, "del self._parked[arrival]", "arrival, _ = self._parked.popitem(last=False)"),
]
