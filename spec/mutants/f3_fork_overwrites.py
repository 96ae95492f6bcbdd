"""What a fork wrote replaces what its owner wrote later."""

RULE = "F3"
EDITS = [
    ("Join.commit", "elif mine is None or store.written_at(slot, mine) < writes.born:  # F3", "else:"),
]
