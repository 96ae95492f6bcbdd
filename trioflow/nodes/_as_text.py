"""Values as texts for people, as Python writes them: numbers of any length, and large values in slices."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, cast

from trioflow.nodes._equality import weight
from trioflow.nodes._slices import SLICE, TURN, Steps, finished

_BRACKETS: dict[type, tuple[str, str]] = {list: ("[", "]"), tuple: ("(", ")"), dict: ("{", "}"), set: ("{", "}")}


def as_text(value: object) -> str:
    """The text of a value, in one go. Raises `ValueError` for one that is nested too deeply."""
    return value if type(value) is str else finished(text_of(value))


def text_of(value: object) -> Steps[str]:
    """The text of a value. Raises `ValueError` for one that is nested too deeply."""
    if isinstance(value, str):
        return value if type(value) is str else str(value)
    try:
        return (yield from _of(value, str))
    except RecursionError:
        raise ValueError("a value is nested too deeply to be written") from None


def _of(value: object, write: Any = repr) -> Steps[str]:
    if isinstance(value, int) and value.bit_length() >= 14_000:  # what Python writes only if the host lets it
        from trioflow.nodes._elsewhere import work  # noqa: PLC0415 - hardly ever needed

        digits: str = yield work("digits", int(value))
        return digits
    brackets = _BRACKETS.get(type(value))
    if brackets is None or (weight(value) < SLICE and not _holds_long(value)):
        return cast("str", write(value))
    items = cast("Any", value)
    if not items:
        return repr(items)
    opening, closing = brackets
    parts: list[str] = []
    work_done = 0
    pairs: Iterable[tuple[str, Any]] = (("", item) for item in items)
    if type(value) is dict:
        pairs = ((f"{_key(key)}: ", item) for key, item in items.items())
    for name, item in pairs:
        parts.append(f"{name}{(yield from _of(item))}")
        work_done += weight(item)
        if work_done >= SLICE:
            work_done = 0
            yield TURN
    comma = "," if type(value) is tuple and len(parts) == 1 else ""
    return f"{opening}{', '.join(parts)}{comma}{closing}"


def _key(key: object) -> str:
    """A key as Python writes it."""
    return finished(_of(key))


def _holds_long(value: object) -> bool:
    """Whether there is a number of thousands of digits in a small value."""
    if isinstance(value, int):
        return value.bit_length() >= 14_000
    if isinstance(value, dict):
        return any(_holds_long(key) or _holds_long(item) for key, item in cast("dict[object, object]", value).items())
    if isinstance(value, list | tuple | set | frozenset):
        return any(map(_holds_long, cast("list[Any]", value)))
    return False
