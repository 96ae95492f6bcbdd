"""`--trace FILE`: every event of a run as a line of JSON."""

from __future__ import annotations

from types import TracebackType
from typing import Any

import attrs

from trioflow.cli.bad_input import BadInput
from trioflow.cli.jsonable import to_json
from trioflow.semantics.events import Event, Path


class Trace:
    """An observer that writes. A file that can't be written any more ends the trace, not the run.

    `problem` then says why. Opening raises `BadInput`.
    """

    def __init__(self, path: str) -> None:
        self._path = path
        self.problem: str | None = None
        try:
            self._file = open(path, "w", encoding="ascii", newline="\n")  # noqa: SIM115, PTH123 - closed by the block
        except (OSError, ValueError) as error:
            raise BadInput(f"--trace {path}: it can't be written: {_reason(error)}.") from error

    def __call__(self, event: Event) -> None:
        """Write an event."""
        if self.problem is None:
            try:
                self._file.write(to_json(_plain(event)) + "\n")
            except OSError as error:
                self._gone(error)

    def __enter__(self) -> Trace:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        try:
            self._file.close()
        except OSError as problem:
            self._gone(problem)

    def _gone(self, error: OSError) -> None:
        self.problem = f"--trace {self._path}: it is not complete: {_reason(error)}."


def _plain(event: Event) -> dict[str, Any]:
    # Not attrs.asdict, which would look into payloads.
    fields = [field.name for field in attrs.fields(type(event))]
    return {"event": type(event).__name__, **{name: _value(getattr(event, name)) for name in fields}}


def _value(value: object) -> object:
    if isinstance(value, Path):
        return value.as_tuple()
    if isinstance(value, BaseException):
        return {"type": type(value).__name__, "message": str(value)}
    return value


def _reason(error: Exception) -> str:
    return (isinstance(error, OSError) and error.strerror) or str(error)
