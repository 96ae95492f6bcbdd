"""An evaluation ahead is told when it is begun, and not when its turn has come."""

RULE = "D12"
EDITS = [
    (
        "Ahead._run",
        "begun.began = None if run.observed is None else run.observed.now()",
        "begun.began = run.data_watch and run.data_watch.evaluating(self._activation, node.id)",
    ),
]
