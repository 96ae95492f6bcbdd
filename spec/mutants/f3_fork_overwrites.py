"""What a fork wrote replaces what its owner wrote later."""

from trioflow.semantics.join import Join

RULE = "F3"
EDITS = [
    (Join.commit, "elif mine is None or store.written_at(slot, mine) < writes.born:  # F3", "else:"),
]
