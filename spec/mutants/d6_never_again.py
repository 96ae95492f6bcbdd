"""What a volatile data node gave is used again by later activations."""

RULE = "D6"
EDITS = [
    (
        "Resolving.__init__",
        "self.moment = activation.moment if node.impure else None",
        "self.moment = activation.strand.frame.root_cell if node.impure else None",
    ),
]
