"""Texts made of templates, in which names of values stand in braces: {name}, or {price:.2f} as Python formats it."""

from __future__ import annotations

import string
from collections.abc import Mapping, Sequence
from typing import Any

import trioflow as tf


class _Names(string.Formatter):
    """Python's format strings, of which only names of values may stand in braces: no attributes, no items."""

    def __init__(self, node: str) -> None:
        self._node = node

    def get_field(self, field_name: str, args: Sequence[Any], kwargs: Mapping[str, Any]) -> tuple[Any, str]:
        if field_name not in kwargs:
            known = ", ".join(f"{{{name}}}" for name in kwargs) or "none"
            raise KeyError(f"{self._node}: there is no value for {{{field_name}}}. There are: {known}.")
        return kwargs[field_name], field_name


def _filled(node: str, template: str, values: Mapping[str, Any]) -> str:
    try:
        return _Names(node).vformat(template, (), values)
    except (ValueError, TypeError) as error:
        raise ValueError(f"{node}: the template {template!r} does not fit: {error}.") from error


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
