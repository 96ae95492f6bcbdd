"""Edits of source that find their place although names have changed since they were written.

A mutant (see `mutants`) names a function by the end of its full name, such as `ForkSet.join`, and quotes a piece of its
source. The function may move to another file, and what it names may be renamed: as long as it is unique what was meant,
the edit is made, with the new names.
"""

from __future__ import annotations

import functools
import importlib
import inspect
import keyword
import pkgutil
import re
from collections.abc import Iterator, Mapping
from types import FunctionType
from typing import Any

__all__ = ["NotApplicable", "edited", "function_named"]

_ENGINE = ("trioflow.model", "trioflow.semantics", "trioflow.runtime")
_TOKEN = re.compile(r"\.?[A-Za-z_]\w*|\d+|\S")


class NotApplicable(ValueError):
    """The engine's source is another one than the edit was written for."""


def function_named(name: str) -> FunctionType:
    """The function of the engine whose full name ends so: `ForkSet.join`, `join._sum`. Raises `NotApplicable`."""
    found = _functions().get(name, {})
    if len(found) != 1:
        where = ", ".join(found) or "nowhere"
        raise NotApplicable(f"expected one function of the engine called {name!r}, found it {where}")
    return next(iter(found.values()))


def function_of(target: Any) -> FunctionType:
    """The function behind a property or a decorator."""
    found: Any = target.fget if isinstance(target, property) else inspect.unwrap(target)
    assert isinstance(found, FunctionType), target
    return found


@functools.cache
def _functions() -> Mapping[str, Mapping[str, FunctionType]]:
    """By each end of their full names: the functions and methods of the engine, by full name."""
    found: dict[str, dict[str, FunctionType]] = {}
    for full, function in _defined():
        end = full
        while end:
            found.setdefault(end, {})[full] = function
            end = end.partition(".")[2]
    return found


def _defined() -> Iterator[tuple[str, FunctionType]]:
    for package in _ENGINE:
        for each in pkgutil.walk_packages(importlib.import_module(package).__path__, f"{package}."):
            module = importlib.import_module(each.name)
            for name, value in vars(module).items():
                if isinstance(value, type) and value.__module__ == each.name:
                    for inner, member in vars(value).items():
                        if isinstance(member, property | FunctionType):
                            yield f"{each.name}.{name}.{inner}", function_of(member)
                elif isinstance(value, FunctionType) and value.__module__ == each.name:
                    yield f"{each.name}.{name}", function_of(value)


def edited(source: str, old: str, new: str, where: str) -> str:
    """The source of `where` with one piece replaced. Raises `NotApplicable` unless it is there once.

    If the piece is not there to the letter, it is looked for with other names, each in place of the same everywhere,
    and as few as may be; the new piece gets them, too.
    """
    count = source.count(old)
    if count == 1:
        return source.replace(old, new)
    if count:
        raise NotApplicable(f"expected {old!r} once in {where}, found it {count} times")
    found = sorted(_renamed(source, old), key=lambda each: len(each[2]))
    best = [each for each in found if len(each[2]) == len(found[0][2])]
    if len(best) != 1:
        raise NotApplicable(f"expected {old!r} once in {where}, found it {len(best)} times")
    start, end, names = best[0]
    replaced = _TOKEN.sub(lambda token: names.get(token[0], token[0]), new)
    return source[:start] + replaced + source[end:]


def _renamed(source: str, old: str) -> Iterator[tuple[int, int, Mapping[str, str]]]:
    """Where the piece is with other names, from where to where, and which names have changed into which.

    One of its words must be as it was: otherwise it is another piece of the same shape.
    """
    tokens = [*_TOKEN.finditer(source)]
    piece = _TOKEN.findall(old)
    for place in range(len(tokens) - len(piece) + 1):
        there = tokens[place : place + len(piece)]
        names: dict[str, str] = {}
        for was, token in zip(piece, there, strict=True):
            now = token[0]
            if names.setdefault(was, now) != now or (was != now and not _are_names(was, now)):
                break
        else:
            changed = {was: now for was, now in names.items() if was != now}
            is_it = any(was == now and was[-1].isalnum() for was, now in names.items())
            if is_it and len({*names.values()}) == len(names):
                yield there[0].start(), there[-1].end(), changed


def _are_names(was: str, now: str) -> bool:
    """Whether both are names, or both are attributes."""
    if was[0] == now[0] == ".":
        was, now = was[1:], now[1:]
    return all(each.isidentifier() and not keyword.iskeyword(each) for each in (was, now))
