"""A dispatch that has to wait at the gate takes an index of its line for the wait."""

RULE = "G4"
EDITS = [
    (
        "Barrier._park",
        "await wait_for(state, strand, arrival)",
        "await wait_for(state, strand, arrival)\n        line.count += 1",
    ),
]
