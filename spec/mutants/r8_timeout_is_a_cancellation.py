"""A run whose time is up ends as cancelled."""

from trioflow.runtime.run import Run

RULE = "R8"
EDITS = [
    (
        Run.execute,
        "failure = self._timed_out()",
        ("self._scope.cancel()\n                await trio.lowlevel.checkpoint()"),
    ),
]
