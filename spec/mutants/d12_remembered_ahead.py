"""An evaluation ahead is remembered when it has ended, and not when its turn has come."""

RULE = "D12"
EDITS = [
    (
        "Ahead._has_made",
        "self._is_there(frame.node, begun.evaluation)",
        "self._is_there(frame.node, begun.evaluation); graph = self._activation.strand.frame; demand.remember("
        "graph.root_cell, graph.base + frame.node.index, begun.evaluation, frame.context.pulled if frame.context else ())",
    ),
]
