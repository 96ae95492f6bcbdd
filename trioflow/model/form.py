"""Annotations of the types of a document's fields: what a value must be beyond its type."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import attrs


@attrs.frozen
class Minimum:
    """The smallest number that a field takes, as an annotation of its type."""

    value: int


@attrs.frozen(eq=False)
class Form:
    """A form of its own for the values of a field, as an annotation of its type.

    `problems` gives what is wrong with a value: paths from the value on, and reasons. `schema` says the same as a JSON
    Schema, in which `{"$ref": "#/$defs/NAME"}` is the form itself.
    """

    name: str
    problems: Callable[[Any], Iterable[tuple[str, str]]]
    schema: Mapping[str, Any]
