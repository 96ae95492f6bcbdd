"""Writing a run's events to a file, as JSON lines."""

from __future__ import annotations

import json
from typing import IO, Any

import attrs

from trioflow.semantics.events import Event, Path


class TraceWriter:
    """An observer that writes one JSON object per event: `event`, its name, and its fields."""

    def __init__(self, file: IO[str]) -> None:
        self._file = file

    def __call__(self, event: Event) -> None:
        fields = {field.name: _plain(getattr(event, field.name)) for field in attrs.fields(type(event))}
        self._file.write(json.dumps({"event": type(event).__name__, **fields}, ensure_ascii=False) + "\n")


def _plain(value: Any) -> Any:
    """A value as JSON can hold it; whatever it can't is written as text."""
    if isinstance(value, Path):
        return list(value)
    if isinstance(value, BaseException):
        return f"{type(value).__name__}: {value}"
    if isinstance(value, str | int | float | bool | None):
        return value
    return repr(value)
