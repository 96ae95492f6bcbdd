"""Expressions in JSONata, over a message and the contexts of its flow; by `jsonata-python`, extra `imports`."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from functools import lru_cache
from importlib import import_module
from typing import Any

from trioflow.formats.javascript import NotUnderstood, ScriptFailed

_MOST_SECONDS = 1.0


def check(text: str) -> None:
    """Raise `NotUnderstood` for what is not JSONata, or if nothing here can read it."""
    _parsed(text)


def evaluate(text: str, message: Any, functions: Mapping[str, Callable[[Any], Any]]) -> Any:
    """What an expression says of a message; None for nothing. `functions` are there by their names.

    Raises `ScriptFailed` for what fails, goes too deep, or takes longer than a second.
    """
    parsed = _parsed(text)
    for name, function in functions.items():
        parsed.register_lambda(name, function)
    try:
        return _plain(parsed.evaluate(message))
    except RecursionError:
        raise ScriptFailed(f"JSONata {text!r}: it goes too deep") from None
    except Exception as error:
        raise ScriptFailed(f"JSONata {text!r}: {error}") from error


def _library() -> Any:
    """It would set how deep Python may go, for all of the program, when it is imported and first used."""
    deepest = sys.getrecursionlimit()
    try:
        library: Any = import_module("jsonata")
        return library
    finally:
        sys.setrecursionlimit(deepest)


@lru_cache(maxsize=256)
def _parsed(text: str) -> Any:
    try:
        library = _library()
    except ImportError:
        raise NotUnderstood(f"JSONata {text!r} needs an extra: python -m pip install 'trioflow[imports]'") from None
    try:
        return library.Jsonata(text, timeout=int(1000 * _MOST_SECONDS))
    except Exception as error:
        raise NotUnderstood(f"{text!r} is not JSONata: {error}") from None


def _plain(value: Any) -> Any:
    """With lists and mappings of Python, and without functions."""
    if isinstance(value, list):
        return [_plain(each) for each in value]
    if isinstance(value, dict):
        return {str(name): _plain(each) for name, each in value.items()}
    return value if value is None or isinstance(value, (bool, int, float, str)) else str(value)
