"""A join waits only until the first of the ways to it is over."""

RULE = "W5"
EDITS = [
    ("Machine._settle", "self._open[other] -= 1", "self._open[other] = 0"),
]
