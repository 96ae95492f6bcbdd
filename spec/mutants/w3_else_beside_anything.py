"""An else is not taken if there is a wire without a condition beside it."""

RULE = "W3"
EDITS = [
    (
        "Way.taken",
        "{wire: holds(wire) for wire in self.wires if wire.when is not None}",
        "{wire: wire.when is None or holds(wire) for wire in self.wires if not wire.otherwise}",
    ),
]
