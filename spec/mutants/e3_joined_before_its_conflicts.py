"""A fork is told as joined before its conflicts are."""

from trioflow.runtime.forks import ForkSet

RULE = "E3"
UNREACHED = "The campaign compares what happened in a step without its order."
EDITS = [
    (
        ForkSet.join,
        "for conflict in self._strand.store.merge(fork.writes):",
        (
            "conflicts = self._strand.store.merge(fork.writes)\n"
            "        run.tell(StrandJoined, fork.line, self._node)\n"
            "        for conflict in conflicts:"
        ),
    ),
    (ForkSet.join, ("conflict.lost)\n        run.tell(StrandJoined, fork.line, self._node)"), "conflict.lost)"),
]
