"""Characters, by the rules of Unicode."""

from __future__ import annotations

import unicodedata
from typing import Literal

import trioflow as tf
from trioflow.nodes import _expect as expect


@tf.data_node(id="unicode.equal_ignoring_case")
def equal_ignoring_case(a: str, b: str) -> bool:
    """Whether two texts differ in nothing but capitals and small letters, by the rules of Unicode.

    >>> equal_ignoring_case("Straße", "STRASSE")
    True
    """
    return a.casefold() == b.casefold()


@tf.data_node(id="unicode.code_point")
def code_point(character: str) -> int:
    """The number of a character in Unicode. Anything but one character is an error.

    >>> code_point("€")
    8364
    """
    if len(character) != 1:
        raise ValueError(f"unicode.code_point: expected one character, got {expect.short(character)}.")
    return ord(character)


@tf.data_node(id="unicode.from_code_point")
def from_code_point(number: int) -> str:
    """The character with a number in Unicode. Numbers that Unicode does not give to characters are errors.

    >>> from_code_point(8364)
    '€'
    """
    if not 0 <= number <= 0x10FFFF or 0xD800 <= number <= 0xDFFF:
        raise ValueError(
            "unicode.from_code_point: expected a number from 0 to 1114111 that is no surrogate, "
            f"got {expect.short(number)}."
        )
    return chr(number)


@tf.data_node(id="unicode.normalize")
def normalize(value: str, form: Literal["NFC", "NFD", "NFKC", "NFKD"] = "NFC") -> str:
    """In a normal form of Unicode, so that texts that look the same are equal.

    >>> len(normalize("e" + from_code_point(0x301)))
    1
    """
    return unicodedata.normalize(form, value)


@tf.data_node(id="unicode.name")
def name(character: str) -> str:
    """The name of a character; empty for one that has none. Anything but one character is an error.

    >>> name("€")
    'EURO SIGN'
    """
    if len(character) != 1:
        raise ValueError(f"unicode.name: expected one character, got {expect.short(character)}.")
    return unicodedata.name(character, "")


@tf.data_node(id="unicode.category")
def category(character: str) -> str:
    """The category of a character in two letters: Lu is a capital, Nd a digit. Anything but one character is an error.

    >>> category("7")
    'Nd'
    """
    if len(character) != 1:
        raise ValueError(f"unicode.category: expected one character, got {expect.short(character)}.")
    return unicodedata.category(character)
