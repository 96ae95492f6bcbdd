"""Values as the page shows them: short, whatever they are, and without secrets."""

from __future__ import annotations

import reprlib

from trioflow.model.secret import hide

_LONGEST = 2000


class _Shortened(reprlib.Repr):
    """Never reads more of a container than it shows; what a foreign `__repr__` raises is shown in its place."""

    def __init__(self) -> None:
        super().__init__()
        self.maxdict = self.maxlist = self.maxtuple = self.maxset = self.maxfrozenset = self.maxdeque = 40
        self.maxarray = 40
        self.maxstring = self.maxother = _LONGEST
        self.maxlong = 200
        self.maxlevel = 6

    def repr_str(self, x: str, level: int) -> str:
        """A text; secrets are hidden before it is cut, so that no half of one is left."""
        return super().repr_str(hide(x), level)

    def repr_instance(self, x: object, level: int) -> str:
        """Anything else."""
        try:
            text = hide(repr(x))
        except Exception as error:
            return f"<{type(x).__name__}: {type(error).__name__} when shown>"
        return text if len(text) <= self.maxother else f"{text[: self.maxother - 3]}..."


_REPR = _Shortened()


def shown(value: object) -> str:
    """A value as a text of some thousand characters at most. Never raises."""
    text = hide(_REPR.repr(value))
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 3]}..."
