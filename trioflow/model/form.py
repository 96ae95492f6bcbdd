"""Forms of values in documents, as annotations of the types of fields: what may be said there, and its schema."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import attrs


@attrs.frozen
class Minimum:
    """The smallest number that a field takes."""

    value: int


def _as_it_is(value: Any) -> Any:
    return value


@attrs.frozen(eq=False)
class Form:
    """A form of its own for the values of a field.

    `problems` gives what is wrong with a value: paths from the value on, and reasons. `schema` says the same as a JSON
    Schema, in which `{"$ref": "#/$defs/NAME"}` is the form itself. `read` makes what the field holds from a value
    without problems, and `write` makes a value of that again.
    """

    name: str
    problems: Callable[[Any], Iterable[tuple[str, str]]]
    schema: Mapping[str, Any]
    read: Callable[[Any], Any] = _as_it_is
    write: Callable[[Any], Any] = _as_it_is
