"""From the command line's words to a graph and the node types for it."""

from __future__ import annotations

import importlib.util
import os
import sys
from collections.abc import Callable, Sequence
from importlib import resources
from pathlib import Path
from typing import Any, TypeVar

import attrs
import click

import trioflow as tf
from trioflow.cli.bad_input import BadInput
from trioflow.errors import did_you_mean
from trioflow.formats import nodeeditor, visible
from trioflow.model.document import graph_of, read_file

F = TypeVar("F", bound=Callable[..., Any])
_EXAMPLES = "trioflow.examples"


@attrs.frozen
class Source:
    """A graph, what to call it in messages, and the node types that it may use.

    `imported` is what there is to say of its import, None for a graph in trioflow's own format.
    """

    name: str
    graph: tf.Graph
    registry: tf.Registry
    imported: nodeeditor.Imported | None = None

    def errors(self) -> list[str]:
        """All that keeps it from running, a line for each."""
        found: list[nodeeditor.Diagnostic | tf.Problem] = [*self.imported.errors] if self.imported is not None else []
        return [self.line(each) for each in (*found, *self.report().errors)]

    def report(self) -> tf.Report:
        """What validation says, without what the import has said better."""
        report = tf.validate(self.graph, self.registry)
        if self.imported is None:
            return report
        missing = {
            f"nodes[{index}].type"
            for index, node in enumerate(self.graph.nodes)
            if node.type.startswith(nodeeditor.PLACEHOLDER)
        }
        return tf.Report(tuple(each for each in report.problems if each.path not in missing))

    def line(self, found: nodeeditor.Diagnostic | tf.Problem) -> str:
        """A finding as a line that says where it was found: in the file, or in the graph that the import made of it."""
        where = " (as imported)" if self.imported is not None and isinstance(found, tf.Problem) else ""
        return visible(f"{self.name}{where}: {found}")

    def tell_import(self) -> None:
        """Say on stderr that there is something to say of the import."""
        found = [each for each in self.imported.diagnostics if each.severity != "note"] if self.imported else []
        if found:
            problems = "a problem" if len(found) == 1 else f"{len(found):,} problems"
            click.echo(f"the import had {problems}: `trioflow check {self.name}` lists everything", err=True)


def graph_argument(function: F) -> F:
    """The argument GRAPH and the option `--nodes`, which all commands about a graph take."""
    function = nodes_option(function)
    return click.argument("graph")(function)


def nodes_option(function: F) -> F:
    """The option `--nodes`."""
    return click.option(
        "--nodes",
        "modules",
        metavar="MODULE",
        multiple=True,
        help="Import a Python module with node types of your own; looked for in the current folder and beside GRAPH "
        "too. May be repeated.",
    )(function)


def open_source(name: str, modules: Sequence[str]) -> Source:
    """Load a graph and the modules for it. Raises `BadInput` or `MissingExtra` if anything of that can't be had."""
    try:
        if _is_example(name):
            text = resources.files(_EXAMPLES).joinpath(f"{name}.json").read_text(encoding="utf-8")
            graph = tf.loads(text, source=f"example {name}")
            own = f"{_EXAMPLES}.{name}"
            if importlib.util.find_spec(own) is not None:
                modules = [own, *modules]
            return Source(name, graph, open_registry(modules))
        tree = read_file(existing(name))
        if nodeeditor.looks_like_document(tree):
            return import_source(tree, name, modules)
        graph = graph_of(tree, name)
    except tf.DocumentError as error:
        raise BadInput(*str(error).splitlines()) from error
    except tf.MissingExtra as error:
        raise BadInput(f"{name}: {error}") from error
    return Source(name, graph, open_registry(modules, Path(name).resolve().parent))


def import_source(tree: Any, name: str, modules: Sequence[str]) -> Source:
    """The graph in the document of another program. Raises `BadInput` or `DocumentError`."""
    registry = open_registry(modules, Path(name).resolve().parent)
    imported = nodeeditor.import_tree(tree, registry, source=name)
    return Source(name, imported.graph, registry, imported)


def open_registry(modules: Sequence[str], *folders: Path) -> tf.Registry:
    """The standard node types and those of the modules. Raises `BadInput` for a module that can't be used."""
    registry = tf.Registry.standard()
    if modules:
        sys.path[:0] = [each for each in map(str, (Path.cwd(), *folders)) if each not in sys.path]
    for module in modules:
        try:
            registry.add_module(module)
        except tf.TrioflowError as error:
            raise BadInput(f"--nodes {module}: {_one_line(error)}") from error
    return registry


def examples() -> list[str]:
    """The names of the examples that come with trioflow."""
    return sorted(each.name[:-5] for each in resources.files(_EXAMPLES).iterdir() if each.name.endswith(".json"))


def _is_example(name: str) -> bool:
    # A folder of that name is no graph, so it does not hide the example.
    return name in examples() and not os.path.isfile(name)  # noqa: PTH113 - Path.is_file raises for odd names


def existing(name: str) -> str:
    """The name of a file that is there. Raises `BadInput` otherwise."""
    if not os.path.lexists(name):
        raise BadInput(
            f"{name}: there is no such file, and no such example.{did_you_mean(name, examples())} "
            f"Examples: {', '.join(examples())}."
        )
    if os.path.isdir(name):  # noqa: PTH112 - as above
        raise BadInput(f"{name}: it is a folder. Give the file of a graph in it.")
    return name


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())
