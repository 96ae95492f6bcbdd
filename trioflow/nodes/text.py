"""Text. Places count from 0; negative ones count from the end."""

from __future__ import annotations

import trioflow as tf


@tf.data_node(id="text.concat")
def concat(a: str, b: str) -> str:
    """One text after the other."""
    return a + b


@tf.data_node(id="text.join")
def join(items: list[object], separator: str = ", ") -> str:
    """The items as text, with the separator between."""
    return separator.join(map(str, items))


@tf.data_node(id="text.split")
def split(value: str, separator: str = ",") -> list[str]:
    """The parts between the separators. An empty separator is an error."""
    return value.split(separator)


@tf.data_node(id="text.format")
def format_(template: str, a: object = "", b: object = "", c: object = "") -> str:
    """The template with {a}, {b} and {c} replaced; other braces are an error, double ones are kept as one."""
    return template.format(a=a, b=b, c=c)


@tf.data_node(id="text.upper")
def upper(value: str) -> str:
    """In capitals, by the rules of Unicode, whatever the language."""
    return value.upper()


@tf.data_node(id="text.lower")
def lower(value: str) -> str:
    """In small letters, by the rules of Unicode, whatever the language."""
    return value.lower()


@tf.data_node(id="text.strip")
def strip(value: str) -> str:
    """Without white space at both ends."""
    return value.strip()


@tf.data_node(id="text.replace")
def replace(value: str, old: str, new: str) -> str:
    """With every `old` replaced. An empty `old` is an error."""
    if not old:
        raise ValueError("text.replace: `old` is empty; say what to replace.")
    return value.replace(old, new)


@tf.data_node(id="text.contains")
def contains(value: str, search: str) -> bool:
    """Whether the text contains the other; the empty text is in every text."""
    return search in value


@tf.data_node(id="text.starts_with")
def starts_with(value: str, prefix: str) -> bool:
    """Whether the text starts with the other."""
    return value.startswith(prefix)


@tf.data_node(id="text.ends_with")
def ends_with(value: str, suffix: str) -> bool:
    """Whether the text ends with the other."""
    return value.endswith(suffix)


@tf.data_node(id="text.length")
def length(value: str) -> int:
    """The number of code points."""
    return len(value)


@tf.data_node(id="text.slice")
def slice_(value: str, start: int = 0, stop: int | None = None) -> str:
    """From `start` up to, not including, `stop`; places beyond the ends are taken as the ends."""
    return value[start:stop]


@tf.data_node(id="text.to_text")
def to_text(value: object) -> str:
    """The value as Python writes it for people."""
    return str(value)


@tf.data_node(id="text.parse_int")
def parse_int(value: str) -> int:
    """The whole number that the text writes in decimal digits. Anything else is an error."""
    return int(value)


@tf.data_node(id="text.parse_float")
def parse_float(value: str) -> float:
    """The number that the text writes, with a point, an exponent, `inf` or `nan`. Anything else is an error."""
    return float(value)
