"""Secrets: values that a graph names and a host gives, and that are shown nowhere (A10).

A literal `{"secret": "NAME"}` of an input that is declared `secret=True` is resolved by the host's secrets when it is
demanded. From then on the value is replaced by `•••` in all that this process shows: notes on failures, events as data,
drawings, output as JSON, recordings.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping

HIDDEN = "•••"
_SHORTEST = 4
"""Shorter values are hidden where they are all of a text: they occur in too many others."""

_revealed: list[str] = []
"""What is hidden, the longest first: one may hold another. As it is, and as Python and JSON write it in quotes."""


def secret_name(literal: object) -> str | None:
    """The name in a literal that refers to a secret; None if it does not."""
    if isinstance(literal, Mapping):
        name: object = literal.get("secret")
        if len(literal) == 1 and isinstance(name, str) and name:
            return name
    return None


def reveal(value: str) -> str:
    """The value of a secret, which is hidden from now on wherever something is shown."""
    if value and value not in _revealed:
        quoted = {form for text in (value, *_quoted(value)) for form in _quoted(text)}  # also in what is quoted itself
        _revealed[:] = sorted({*_revealed, value, *quoted}, key=len, reverse=True)  # other threads may be hiding
    return value


def _quoted(text: str) -> Iterable[str]:
    data = text.encode(errors="surrogatepass")
    return {
        repr(text)[1:-1],
        repr(data)[2:-1],
        json.dumps(text)[1:-1],
        json.dumps(text, ensure_ascii=False)[1:-1],
    }


def hide(text: str) -> str:
    """A text as it may be shown: the values of secrets that were used are replaced."""
    for value in _revealed:
        if value in text and (len(value) >= _SHORTEST or value == text):
            text = text.replace(value, HIDDEN)
    return text
