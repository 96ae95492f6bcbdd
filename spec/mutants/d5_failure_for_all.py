"""Whoever waits for an evaluation that fails gets the failure, also if other answers would come of its own questions."""

RULE = "D5"
RARE = "Strands with different answers that wait for a failing evaluation come less than once in 3,000 requests."
EDITS = [
    ("Failed.asks", "return self._pulled[self._place][0] if self._place < len(self._pulled) else None", "return None"),
]
