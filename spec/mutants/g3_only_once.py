"""A breakpoint stops the first dispatch of its node and no other."""

from trioflow.runtime.gate import Gate

RULE = "G3"
EDITS = [
    (
        Gate.wait,
        'self._close(PauseReason(f"breakpoint on {shown!r}", "breakpoint", shown))',
        (
            'self._close(PauseReason(f"breakpoint on {shown!r}", "breakpoint", shown))\n        del self._breakpoints[shown]'
        ),
    ),
]
