"""Texts made of templates, in which names of values stand in braces: {name}, or {price:.2f} as Python formats it."""

from __future__ import annotations

import re
import string
from collections.abc import Mapping
from typing import Any

import trioflow as tf
from trioflow.nodes import _expect as expect
from trioflow.nodes._as_text import as_text

_PARSER = string.Formatter()


def _written(node: str, template: str, values: Mapping[str, Any]) -> str:
    parts: list[str] = []
    size = 0
    for literal, name, form, conversion in _PARSER.parse(template):
        parts.append(literal)
        if name is not None:
            if name not in values:
                known = ", ".join(f"{{{each}}}" for each in values) or "none"
                raise KeyError(f"{node}: there is no value for {{{name[:60]}}}. There are: {known}.")
            spec = _written(node, form or "", values)
            for number in re.findall(r"\d+", spec):
                expect.at_most(node, int(number[:20]), "characters")
            parts.append(_formatted(_converted(values[name], conversion), spec))
        size += sum(map(len, parts[-2:]))
        if size > expect.MOST:
            raise expect.too_large(node, "characters")
    return "".join(parts)


def _converted(value: Any, conversion: str | None) -> Any:
    if conversion == "s":
        return as_text(value)
    return _PARSER.convert_field(value, conversion)


def _formatted(value: Any, spec: str) -> str:
    if not spec or (spec == "d" and isinstance(value, int)):
        return as_text(value) if type(value).__format__ in _PLAIN else format(value)
    if isinstance(value, int) and value.bit_length() >= 14_000 and spec[-1] not in "bcoxXeEfFgG%":
        raise ValueError(f"{expect.shown(value)} can be written plainly, or with x for hexadecimal digits")
    return format(value, spec)


_PLAIN: tuple[Any, ...] = (object.__format__, int.__format__, str.__format__)
"""How values are formatted whose form without a specification is their text."""


def _filled(node: str, template: str, values: Mapping[str, Any]) -> str:
    try:
        return _written(node, template, values)
    except expect.TooLarge:
        raise
    except (ValueError, TypeError, OverflowError) as error:
        raise ValueError(f"{node}: the template {expect.short(template)} does not fit: {error}.") from error


@tf.data_node(id="text.format")
def format_(template: str, a: object = "", b: object = "", c: object = "") -> str:
    """The template with {a}, {b} and {c} replaced; other braces are an error, double ones are kept as one.

    After a colon the form can be given as in Python: {a:.2f}, {b:>8}.

    >>> format_("{a} of {b}", 1, 3)
    '1 of 3'
    """
    return _filled("text.format", template, {"a": a, "b": b, "c": c})


@tf.data_node(id="text.fill")
def fill(template: str, values: dict[str, Any]) -> str:
    """The template with each name in braces replaced by its value; double braces are kept as one.

    After a colon the form can be given as in Python: {price:.2f}. A name without a value is an error.

    >>> fill("{name} is {age:03}", {"name": "Ada", "age": 36})
    'Ada is 036'
    """
    return _filled("text.fill", template, values)
