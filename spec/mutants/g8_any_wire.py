"""A breakpoint on a wire is hit by all dispatches of the node that it leads to."""

RULE = "G8"
EDITS = [
    ("OnWire.reached", "any(came is each for came in over for each in self.targets)", "target.node in self.stops"),
]
