"""An evaluation ahead is remembered when it has ended, and not when its turn has come."""

RULE = "D12"
EDITS = [
    (
        "Ahead._has_made",
        "self._is_there(resolving.node, begun.evaluation)",
        "recall.__globals__['remember'](self._activation.strand.frame.root_cell, begun.key[0], begun.evaluation, "
        "resolving.context.pulled)",
    ),
]
