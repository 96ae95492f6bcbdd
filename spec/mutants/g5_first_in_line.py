"""A step into goes to whoever waits longest, and not to whom it names."""

RULE = "G5"
EDITS = [
    (
        "Barrier.let_pass",
        "del self.waiting[arrival]\n    if step",
        "arrival, _ = self.waiting.popitem(last=False)\n    if step",
    ),
]
