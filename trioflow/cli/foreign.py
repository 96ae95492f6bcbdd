"""What the command line says about documents of other programs: bodies, stubs, how they are read."""

from __future__ import annotations

import functools
import importlib
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, TypeVar

import attrs
import click

import trioflow as tf
from trioflow.cli.bad_input import BadInput, document_lines
from trioflow.cli.streams import stdout_is_for_results

F = TypeVar("F", bound=Callable[..., Any])


@attrs.frozen
class Foreign:
    """Bodies by the ids of nodes, a file of answers, and whose time limits count."""

    bodies: Sequence[str] = ()
    stub: str | None = None
    timeouts: Literal["none", "theirs"] = "none"

    def give_bodies(self, registry: tf.Registry, folders: Sequence[Path]) -> None:
        """Give the registry what stands for nodes. Raises `BadInput` with everything that is wrong."""
        if self.stub is not None:
            for name, body in self._stubs(self.stub).items():
                registry.body(name, body)
        problems: list[str] = []
        if self.bodies:
            sys.path[:0] = [each for each in map(str, (Path.cwd(), *folders)) if each not in sys.path]
        for said in self.bodies:
            name, equals, where = said.partition("=")
            if not (name and equals and "." in where):
                problems.append(f"--body {said}: write ID=MODULE.NAME, the id of a node and where its body is found.")
                continue
            try:
                with stdout_is_for_results():
                    registry.body(name, _found(where))
            except (Exception, SystemExit) as error:  # whatever a foreign module raises while it is imported
                problems.append(f"--body {said}: {' '.join(str(error).split()) or type(error).__name__}.")
        if problems:
            raise BadInput(*problems)

    @staticmethod
    def _stubs(file: str) -> Mapping[str, Any]:
        from trioflow.formats.stub import stubs  # noqa: PLC0415 - most runs do without
        from trioflow.model.document import read_file  # noqa: PLC0415

        try:
            return stubs(read_file(file), file)
        except tf.DocumentError as error:
            raise BadInput(*(f"--stub {line}" for line in document_lines(error))) from error


def foreign_options(function: F) -> F:
    """The options about documents of other programs, as one argument `foreign`."""

    @functools.wraps(function)
    def with_foreign(*arguments: Any, bodies: Any, stub: Any, timeouts: Any, **more: Any) -> Any:
        return function(*arguments, foreign=Foreign(bodies, stub, timeouts), **more)

    for option in (
        click.option(
            "--timeouts",
            type=click.Choice(["none", "theirs"]),
            default="none",
            help="For a graph of another program: whether that program's own time limits count where its document sets "
            "none.",
        ),
        click.option(
            "--stub",
            metavar="FILE",
            help="Instead of running nodes, answer with the values in FILE, an object by the ids of nodes; `*` is "
            "for all that have no counterpart here.",
        ),
        click.option(
            "--body",
            "bodies",
            metavar="ID=MODULE.NAME",
            multiple=True,
            help="Give a node that has no counterpart here a body: a function or a node type. May be repeated.",
        ),
    ):
        with_foreign = option(with_foreign)
    return with_foreign  # type: ignore[return-value]


def _found(where: str) -> Any:
    """What is at `module.name`, or `module.Class.name`."""
    module, _, name = where.rpartition(".")
    try:
        found: Any = importlib.import_module(module)
    except ModuleNotFoundError as error:
        if "." not in module or error.name not in {module, module.partition(".")[0]}:
            raise
        return getattr(_found(module), name)
    return getattr(found, name)
