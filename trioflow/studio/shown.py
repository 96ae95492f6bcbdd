"""Values as the page shows them: short, whatever they are, and without secrets."""

from __future__ import annotations

import contextvars
import reprlib
import sys
import threading
from concurrent.futures import Future

from trioflow.model.secret import hide

_LONGEST = 2000
_LONGEST_WAIT = 0.5
"""Seconds that the `__repr__` of a class gets. One that takes longer is not asked again."""
_BLOCKED: set[type] = set()


class _Blocks(Exception):
    """A `__repr__` that takes too long."""


def _asked(value: object) -> str:
    """What a foreign class says of its value, in a thread of its own: it may never answer. Raises what it raises."""
    kind = type(value)
    if kind.__repr__ is object.__repr__ or kind.__module__ in sys.stdlib_module_names:
        return repr(value)
    if kind in _BLOCKED:
        raise _Blocks
    answer: Future[str] = Future()

    def ask() -> None:
        try:
            answer.set_result(repr(value))
        except Exception as error:
            answer.set_exception(error)

    threading.Thread(target=contextvars.copy_context().run, args=(ask,), daemon=True).start()
    try:
        return answer.result(_LONGEST_WAIT)
    except TimeoutError:
        if answer.done():
            raise
        _BLOCKED.add(kind)
        raise _Blocks from None


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
            text = hide(_asked(x))
        except _Blocks:
            return f"<{type(x).__name__}: not shown, its repr takes too long>"
        except Exception as error:
            return f"<{type(x).__name__}: {type(error).__name__} when shown>"
        return text if len(text) <= self.maxother else f"{text[: self.maxother - 3]}..."


_REPR = _Shortened()


def shown(value: object) -> str:
    """A value as a text of some thousand characters at most. Never raises."""
    text = hide(_REPR.repr(value))
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 3]}..."
