"""Of those that wait at the gate, the last to arrive passes first."""

RULE = "G2"
EDITS = [
    ("Barrier._release_one", "self._parked.popitem(last=False)", "self._parked.popitem(last=True)"),
]
