"""A step into goes to whoever waits longest, and not to whom it names."""

RULE = "G5"
EDITS = [
    (
        "Gate._step",
        "del self._parked[arrival]\n    if below",
        "arrival, _ = self._parked.popitem(last=False)\n    if below",
    ),
]
