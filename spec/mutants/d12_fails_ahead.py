"""What fails ahead ends at once what waits for its turn."""

RULE = "D12"
EDITS = [
    ("Ahead._run", "if all(isinstance(leaf, _NO_RESULTS) for leaf in leaves(error)):", "if True:"),
]
