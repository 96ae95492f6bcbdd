"""`--place NAME=WHAT`: where bodies may run that say `run_on: NAME`."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

import click

from trioflow.cli.bad_input import BadInput
from trioflow.remote import Place, Placement, Processes, Ray

F = TypeVar("F", bound=Callable[..., Any])


def place_option(function: F) -> F:
    """The option `--place`, for what `read_places` reads."""
    return click.option(
        "--place",
        "places",
        metavar="NAME=WHAT",
        multiple=True,
        help="Where bodies with the policy `run_on: NAME` run: processes:N, ray, ray:ADDRESS, or MODULE:NAME. May be "
        "repeated.",
    )(function)


def read_places(words: Sequence[str]) -> dict[type | str, Any]:
    """The service that has these places; nothing if there are none. Raises `BadInput` with everything that is wrong."""
    places: dict[str, Place] = {}
    problems: list[str] = []
    for word in words:
        name, equals, what = word.partition("=")
        try:
            if not name or not equals or not what:
                raise ValueError("write NAME=WHAT, such as farm=ray:auto")
            places[name] = _place(what)
        except ValueError as error:
            problems.append(f"--place {word}: {error}.")
    if problems:
        raise BadInput(*problems)
    return {Placement: Placement(**places)} if places else {}


def _place(what: str) -> Place:
    kind, _, argument = what.partition(":")
    if kind == "processes":
        if argument and not argument.isdecimal():
            raise ValueError(f"expected a number of processes, such as processes:4, got {argument!r}")
        return Processes(int(argument) if argument else None)
    if kind == "ray":
        return Ray(argument or None)
    if not argument:
        raise ValueError("a place is processes:N, ray, ray:ADDRESS, or MODULE:NAME")
    if str(Path.cwd()) not in sys.path:
        sys.path.insert(0, str(Path.cwd()))
    try:
        found = getattr(importlib.import_module(kind), argument, None)
    except Exception as error:  # whatever a module raises that is imported
        raise ValueError(f"module {kind!r} can't be imported: {type(error).__name__}: {error}") from error
    if not isinstance(found, Place):
        raise ValueError(f"expected a trioflow.remote.Place there, got {found!r}")
    return found
