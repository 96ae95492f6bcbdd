"""A dispatch that has to wait at the gate takes an index of its line for the wait."""

from trioflow.runtime.gate import Gate

RULE = "G4"
EDITS = [
    (
        Gate.wait,
        "await self._state.wait(strand, arrival)",
        ("await self._state.wait(strand, arrival)\n        line.count += 1"),
    ),
]
