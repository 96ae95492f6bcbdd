"""A dispatch that has to wait at the gate takes an index of its line for the wait."""

RULE = "G4"
EDITS = [
    (
        "Gate._park",
        "await state.wait(strand, arrival)",
        "await state.wait(strand, arrival)\n        line.count += 1",
    ),
]
