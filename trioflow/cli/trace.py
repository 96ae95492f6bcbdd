"""`--trace FILE`: every event of a run as a line of JSON."""

from __future__ import annotations

from collections.abc import Callable
from json import JSONEncoder
from math import isfinite
from operator import attrgetter
from types import TracebackType
from typing import cast

from trioflow.cli.bad_input import BadInput
from trioflow.model.jsonable import to_json
from trioflow.model.secret import hide
from trioflow.semantics.events import Event, Path, fields_of

_encode = JSONEncoder().encode
_LONG = 1 << 64
"""Python may refuse to write longer numbers."""


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
                self._file.write(_line(event))
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


class _Form:
    """What the lines of all events of a kind have in common, and what gets the rest out of one of them."""

    __slots__ = ("template", "values")

    def __init__(self, kind: type[Event]) -> None:
        names = fields_of(kind)
        places = "".join(f', "{name}": %s' for name in names)
        self.template = f'{{"event": "{kind.__name__}"{places}}}\n'
        self.values: Callable[[Event], tuple[object, ...]] = attrgetter(*names)


_forms: dict[type[Event], _Form] = {}


def _line(event: Event) -> str:
    kind = type(event)
    form = _forms.get(kind)
    if form is None:
        form = _forms[kind] = _Form(kind)
    return form.template % tuple([_text(value) for value in form.values(event)])


def _text(value: object) -> str:
    # Almost all values are of few types, of which JSON can be written at once. A subclass may do anything.
    kind = type(value)
    if kind is str:
        return _encode(hide(cast("str", value)))
    if value is None:
        return "null"
    if isinstance(value, Path):
        return str(list(value.as_tuple()))
    if (kind is int and 0 <= cast("int", value) < _LONG) or (kind is float and isfinite(cast("float", value))):
        return repr(value)
    if isinstance(value, BaseException):
        return to_json({"type": type(value).__name__, "message": str(value)})
    return to_json(value)


def _reason(error: Exception) -> str:
    return (isinstance(error, OSError) and error.strerror) or str(error)
