"""A breakpoint stops the first dispatch of its node and no other."""

from trioflow.runtime.gate import Gate

RULE = "G3"
EDITS = [
    (
        Gate.wait,
        'self._close(f"breakpoint on {shown!r}")',
        ('self._close(f"breakpoint on {shown!r}")\n        del self._breakpoints[shown]'),
    ),
]
