"""Names of cells and evaluations that are the same under every schedule (E5, spec/INTERPRETING.md, 7).

They are made of other names, and most are never read: so what a name is made of is kept, and the text made when
somebody wants it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from trioflow.semantics.store import digest

Origin = Any
"""Who wrote a cell: a text, a `(line, node, name, number)` of a write, or an `(identity, output)` of an evaluation."""


class Identity:
    """The name of an evaluation: the node, and the origins of what it used."""

    __slots__ = ("_name", "_parts", "_text")

    def __init__(self, name: str, parts: Sequence[Origin]) -> None:
        self._name = name
        self._parts: Sequence[Origin] | None = parts
        self._text: str | None = None

    def __str__(self) -> str:
        if self._text is None:
            self._make()
        assert self._text is not None
        return self._text

    def _make(self) -> None:
        # Chains of evaluations may be of any length (D10): no recursion.
        waiting = [self]
        while waiting:
            identity = waiting[-1]
            if identity._parts is None:
                waiting.pop()
                continue
            unmade = [each for part in identity._parts if (each := _within(part)) is not None and each._text is None]
            if unmade:
                waiting += unmade
                continue
            identity._text = f"{identity._name}#{digest(map(origin_text, identity._parts))}"
            identity._parts = None
            waiting.pop()


def _within(origin: Origin) -> Identity | None:
    return origin[0] if type(origin) is tuple and type(origin[0]) is Identity else None


def origin_text(origin: Origin) -> str:
    """The origin of a cell as text."""
    if type(origin) is str:
        return origin
    if len(origin) == 2:
        return f"{origin[0]}.{origin[1]}"
    line, node, name, number = origin
    return f"{line.where}/{node}.{name}#{number}"
