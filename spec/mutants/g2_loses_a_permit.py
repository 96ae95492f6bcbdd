"""The permit of a dispatch that is cancelled before it goes on is lost."""

RULE = "G2"
UNREACHED = "A strand that is cancelled between its permit and its release comes less than once in 3,000 requests."
EDITS = [
    ("Barrier._park", "self.step(1)", "pass"),
]
