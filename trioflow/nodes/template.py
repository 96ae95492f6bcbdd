"""Texts made of templates, in which names of values stand in braces: {name}, or {price:.2f} as Python formats it."""

from __future__ import annotations

import re
import string
from collections.abc import Mapping
from typing import Any

from trioflow.nodes import _expect as expect
from trioflow.nodes._as_text import text_of
from trioflow.nodes._slices import TURN, Steps, sliced

_PARSER = string.Formatter()


_MANY = 200
"""Places of a template that are filled between two turns."""


def _written(node: str, template: str, values: Mapping[str, Any]) -> Steps[str]:
    parts: list[str] = []
    size = 0
    # What stands in many places is written once.
    known: dict[tuple[str, str | None, str], str] = {}
    for number, (literal, name, form, conversion) in enumerate(_PARSER.parse(template), 1):
        if number % _MANY == 0:
            yield TURN
        parts.append(literal)
        if name is not None:
            if name not in values:
                names = ", ".join(f"{{{each}}}" for each in values) or "none"
                raise KeyError(f"{node}: there is no value for {{{name[:60]}}}. There are: {names}.")
            spec = form or ""
            if "{" in spec or "}" in spec:
                spec = yield from _written(node, spec, values)
            key = (name, conversion, spec)
            if key not in known:
                for digits in re.findall(r"\d+", spec):
                    expect.at_most(node, int(digits[:20]), "characters")
                value = (
                    (yield from text_of(values[name])) if conversion == "s" else _converted(values[name], conversion)
                )
                known[key] = yield from _formatted(value, spec)
            parts.append(known[key])
        size += sum(map(len, parts[-2:]))
        if size > expect.MOST:
            raise expect.too_large(node, "characters")
    return "".join(parts)


def _converted(value: Any, conversion: str | None) -> Any:
    return _PARSER.convert_field(value, conversion)


def _formatted(value: Any, spec: str) -> Steps[str]:
    if not spec or (spec == "d" and isinstance(value, int)):
        return (yield from text_of(value)) if type(value).__format__ in _PLAIN else format(value)
    if isinstance(value, int) and value.bit_length() >= 14_000 and spec[-1] not in "bcoxXeEfFgG%":
        raise ValueError(f"{expect.shown(value)} can be written plainly, or with x for hexadecimal digits")
    return format(value, spec)


_PLAIN: tuple[Any, ...] = (object.__format__, int.__format__, str.__format__)
"""How values are formatted whose form without a specification is their text."""


def _filled(node: str, template: str, values: Mapping[str, Any]) -> Steps[str]:
    try:
        return (yield from _written(node, template, values))
    except expect.TooLarge:
        raise
    except (ValueError, TypeError, OverflowError) as error:
        raise ValueError(f"{node}: the template {expect.short(template)} does not fit: {error}.") from error


@sliced(id="text.format")
def format_(template: str, a: object = "", b: object = "", c: object = "") -> Steps[str]:
    """The template with {a}, {b} and {c} replaced; other braces are an error, double ones are kept as one.

    After a colon the form can be given as in Python: {a:.2f}, {b:>8}.

    >>> format_("{a} of {b}", 1, 3)
    '1 of 3'
    """
    return (yield from _filled("text.format", template, {"a": a, "b": b, "c": c}))


@sliced(id="text.fill")
def fill(template: str, values: dict[str, Any]) -> Steps[str]:
    """The template with each name in braces replaced by its value; double braces are kept as one.

    After a colon the form can be given as in Python: {price:.2f}. A name without a value is an error.

    >>> fill("{name} is {age:03}", {"name": "Ada", "age": 36})
    'Ada is 036'
    """
    return (yield from _filled("text.fill", template, values))
