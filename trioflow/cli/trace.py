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
from trioflow.semantics.events import BASE, Event, Path, Told, fields_of

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
        # Of the last event: what all in its strand and graph have in common, and how that and its nodes are written.
        self._told: Told | None = None
        self._run = self._strand = ""
        self._nodes: dict[str | None, str] = {}
        try:
            self._file = open(path, "w", encoding="ascii", newline="\n")  # noqa: SIM115, PTH123 - closed by the block
        except (OSError, ValueError) as error:
            raise BadInput(f"--trace {path}: it can't be written: {_reason(error)}.") from error

    def __call__(self, event: Event) -> None:
        """Write an event."""
        if self.problem is None:
            try:
                self._file.write(self._line(event))
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

    def _line(self, event: Event) -> str:
        # Written out, and what strands and nodes are called is kept: a run may have millions of lines.
        kind = type(event)
        form = _forms.get(kind)
        if form is None:
            form = _forms[kind] = _Form(kind)
        told = event._told
        if told is not self._told:
            self._told = told
            self._run = _text(told.run)
            self._strand = _text(told.strand)
            self._nodes = {}
        node = self._nodes.get(event._node)
        if node is None:
            node = self._nodes[event._node] = _text(event.node)
        line = event._line
        path = line if type(line) is Path else line.where
        steps = str([*path.as_tuple()])
        own = [_text(value) for value in form.values(event)]
        return form.template % (self._run, event._sequence, event._time, steps, node, self._strand, *own)

    def _gone(self, error: OSError) -> None:
        self.problem = f"--trace {self._path}: it is not complete: {_reason(error)}."


class _Form:
    """What the lines of all events of a kind have in common, and what gets the rest out of one of them."""

    __slots__ = ("template", "values")

    def __init__(self, kind: type[Event]) -> None:
        own = fields_of(kind)[len(BASE) :]
        places = "".join(f', "{name}": %s' for name in own)
        self.template = (
            f'{{"event": "{kind.__name__}", "run": %s, "sequence": %d, "time": %r, "path": %s, "node": %s, '
            f'"strand": %s{places}}}\n'
        )
        self.values: Callable[[Event], tuple[object, ...]] = _getter(own)


def _getter(names: tuple[str, ...]) -> Callable[[Event], tuple[object, ...]]:
    if len(names) > 1:
        return attrgetter(*names)
    return lambda event: tuple([getattr(event, name) for name in names])


_forms: dict[type[Event], _Form] = {}


def _text(value: object) -> str:
    # Almost all values are of few types, of which JSON can be written at once. A subclass may do anything.
    kind = type(value)
    if kind is str:
        return _encode(hide(cast("str", value)))
    if value is None:
        return "null"
    if isinstance(value, Path):
        return str([*value.as_tuple()])
    if (kind is int and 0 <= cast("int", value) < _LONG) or (kind is float and isfinite(cast("float", value))):
        return repr(value)
    if isinstance(value, BaseException):
        return to_json({"type": type(value).__name__, "message": str(value)})
    return to_json(value)


def _reason(error: Exception) -> str:
    return (isinstance(error, OSError) and error.strerror) or str(error)
