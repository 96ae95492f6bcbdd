"""Strands that ask at the same time each evaluate by themselves."""

RULE = "D5"
EDITS = [
    (
        "Resolving.key",
        "return (frame.activation.strand.frame.base + frame.node.index, *map(id, frame.used))",
        "return (frame.node.index, id(frame))",
    ),
]
