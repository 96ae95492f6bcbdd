"""How a plain function says that it would hold up everybody else: what is left is done with turns for others."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any


class Unfinished(Exception):
    """Raised by the function of a data node whose work is too long to be done in one go.

    The engine awaits `rest()` instead, which gives what the function would have returned. It gives other tasks their
    turns and can be cancelled. A function that is done at once, as nearly all are, costs nothing more for that.
    """

    def __init__(self, rest: Callable[[], Coroutine[Any, Any, Any]]) -> None:
        super().__init__("the rest has to be awaited")
        self.rest = rest
