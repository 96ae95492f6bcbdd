"""A breakpoint on a wire is hit by all dispatches of the node that it leads to."""

RULE = "G8"
EDITS = [
    ("OnWire.reached", "any(target is each for each in self.targets)", "target.node in self.stops"),
]
