"""Lazy inputs are evaluated ahead, with the bodies that ask for them."""

RULE = "D12"
EDITS = [
    ("Begun.its_turn", "if self.hidden:", "if False:"),
]
