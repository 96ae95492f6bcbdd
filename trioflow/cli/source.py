"""From the command line's words to a graph and the node types for it."""

from __future__ import annotations

import importlib.util
import os
import sys
from collections.abc import Callable, Sequence
from importlib import resources
from pathlib import Path
from typing import Any, Literal, NamedTuple, TypeVar

import attrs
import click

import trioflow as tf
from trioflow.cli.bad_input import BadInput, document_lines
from trioflow.cli.foreign import Foreign, foreign_options
from trioflow.cli.streams import stdout_is_for_results
from trioflow.errors import did_you_mean
from trioflow.formats import visible
from trioflow.formats.known import load_document
from trioflow.formats.placeholder import Filling, shaped
from trioflow.formats.port import Document, Format, Imported, ImportOptions, open_document
from trioflow.model.collecting import uncollected
from trioflow.model.positions import Positions

F = TypeVar("F", bound=Callable[..., Any])
_EXAMPLES = ("trioflow.examples", "trioflow.examples.workflows")


class Finding(NamedTuple):
    """Something to say about a source: how bad it is, and a line about it."""

    severity: str
    line: str


@attrs.frozen
class Source:
    """A graph, what to call it in messages, and the node types that it may use.

    `imported` is what there is to say of its import, None for a graph in trioflow's own format.
    """

    name: str
    graph: tf.Graph
    registry: tf.Registry
    imported: Imported | None = None

    def import_findings(self) -> list[Finding]:
        """What the import has to say."""
        diagnostics = self.imported.diagnostics if self.imported is not None else ()
        return [Finding(each.severity, visible(f"{self.name}: {each}")) for each in diagnostics]

    def scripts(self) -> list[str]:
        """The nodes that run text of the graph as code."""

        def is_script(node: tf.GraphNode) -> bool:
            known = self.registry.find(node.type)
            return known is not None and "scripts" in (self.registry.capabilities(node.type) or ())

        return [node.id for node in self.graph.all_nodes() if is_script(node)]

    def findings(self) -> list[Finding]:
        """What the import has to say, and what validation says of the graph."""
        found = self.import_findings()
        name, said, warned = self.name, frozenset[str](), frozenset[str]()
        if self.imported is not None:
            # Places are those in the graph from here on. What the import has said better is left out.
            name, said = f"{name} (as imported)", self.imported.placeholders
            warned = frozenset(each.code for each in self.imported.diagnostics)
        with uncollected():
            graph = self.graph if self.imported is None else shaped(self.graph)
            problems = tf.validate(graph, self.registry).problems
        where = _Where(self.name) if problems and self.imported is None else None
        for problem in problems:
            better = problem.severity is tf.Severity.WARNING and problem.code in warned
            if problem.path not in said and not better:
                at = where.of(problem.path) if where is not None else ""
                found.append(Finding(problem.severity.value, visible(f"{name}: {problem}{at}")))
        return found

    def errors(self) -> list[str]:
        """All that keeps it from running, a line for each."""
        return [each.line for each in self.findings() if each.severity == "error"]

    def plan(self) -> tf.Plan:
        """The graph, ready to run. Raises `BadInput` with all that keeps it from running."""
        if self.imported is not None and self.imported.errors:
            raise BadInput(*self.errors())
        try:
            return tf.make_plan(self.graph, self.registry)
        except tf.InvalidGraph as error:
            raise BadInput(*(self.errors() or [f"{self.name}: {error}"])) from error

    def refuse_to_replace(self, output: str, option: str = "-o", what: str = "the drawing") -> None:
        """Raise `BadInput` if what is written there would replace the graph."""
        if os.path.exists(output) and os.path.exists(self.name) and os.path.samefile(output, self.name):  # noqa: PTH110, PTH121
            raise BadInput(f"{option} {output}: that is the graph, which {what} would replace.")

    def tell_import(self) -> None:
        """Say on stderr that the import could not take over everything."""
        found = [each for each in self.import_findings() if each.severity != "info"]
        if found:
            problems = "a problem" if len(found) == 1 else f"{len(found):,} problems"
            click.echo(f"the import had {problems}: `trioflow check {self.name}` lists everything", err=True)


class _Where:
    """Where problems are in the text of a document, and of the files that it refers to."""

    def __init__(self, name: str) -> None:
        self._path = Path(name)
        self._positions: dict[str, Positions] = {}

    def of(self, path: str) -> str:
        """Line and column of what a path leads to, in brackets; empty if they are not known."""
        # What is in another file has its name in front.
        file, colon, inside = path.rpartition(": ")
        file, inside = (file, inside) if colon else ("", path)
        if file not in self._positions:
            self._positions[file] = Positions.in_file(self._path.parent / file if file else self._path)
        position = self._positions[file].find(inside)
        return f" ({position})" if position is not None else ""


def graph_argument(function: F) -> F:
    """The argument GRAPH and the options about its nodes, which all commands about a graph take."""
    function = nodes_option(foreign_options(function))
    return click.argument("graph")(function)


def allow_option(function: F) -> F:
    """The option `--allow`, for what a graph may do only if somebody says so."""
    return click.option(
        "--allow",
        "allowed",
        type=click.Choice(["scripts"]),
        multiple=True,
        help="Allow nodes that run text of GRAPH as code, such as script.python. Only for graphs of those you trust.",
    )(function)


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


SCRIPTS: tuple[Literal["scripts"], ...] = ("scripts",)
"""What commands allow that only look at a graph, and run nothing of it."""


def open_source(
    name: str,
    modules: Sequence[str],
    allowed: Sequence[Literal["scripts"]] = (),
    foreign: Foreign | None = None,
) -> Source:
    """Load a graph and the modules for it. Raises `BadInput` or `MissingExtra` if anything of that can't be had.

    Node types that run text of the graph as code are known only if they are allowed.
    """
    foreign = foreign if foreign is not None else Foreign()
    try:
        if _is_example(name):
            package = next(each for each in _EXAMPLES if name in _named_in(each))
            text = resources.files(package).joinpath(f"{name}.json").read_text(encoding="utf-8")
            graph = tf.loads(text, source=f"example {name}")
            own = [f"{package}.{module}" for module in (name, "steps")]
            modules = [*(each for each in own if importlib.util.find_spec(each) is not None), *modules]
            registry = open_registry(modules, allowed=allowed)
            foreign.give_bodies(registry, [])
            filling = Filling(registry.bodies)
            graph = filling.fill(graph, registry)
            filling.check()
            return Source(name, graph, registry)
        return source_in(open_document(Path(existing(name))), name, modules, allowed, foreign)
    except tf.DocumentError as error:
        raise BadInput(*document_lines(error)) from error
    except (tf.MissingExtra, tf.RegistryError) as error:
        raise BadInput(f"{name}: {error}") from error


def source_in(
    document: Document,
    name: str,
    modules: Sequence[str],
    allowed: Sequence[Literal["scripts"]],
    foreign: Foreign,
    format: Format | None = None,
) -> Source:
    """The graph in a document, of trioflow or of another program. Raises `BadInput`, and as `formats.known.load`."""
    folder = Path(name).resolve().parent
    registry = open_registry(modules, folder, allowed=allowed)
    foreign.give_bodies(registry, [folder])
    imported = load_document(document, registry, format=format, options=ImportOptions(timeouts=foreign.timeouts))
    return Source(name, imported.graph, registry, None if document.is_ours else imported)


def open_registry(modules: Sequence[str], *folders: Path, allowed: Sequence[Literal["scripts"]] = ()) -> tf.Registry:
    """The standard node types and those of the modules. Raises `BadInput` for a module that can't be used."""
    registry = tf.Registry.standard(allow=allowed)
    if modules:
        sys.path[:0] = [each for each in map(str, (Path.cwd(), *folders)) if each not in sys.path]
    for module in modules:
        if module.endswith(".py"):
            name = module.removesuffix(".py").replace(os.sep, ".").strip(".")
            raise BadInput(
                f"--nodes {module}: give the name of a module instead of a file: --nodes {name}. It is looked for in "
                "the current folder and beside GRAPH too."
            )
        try:
            with stdout_is_for_results():
                registry.add_module(module)
        except tf.TrioflowError as error:
            reason = error.__cause__
            missing = isinstance(reason, ModuleNotFoundError) and reason.name == module.partition(".")[0]
            where = (
                ". It is looked for in the current folder, beside GRAPH, and among what is installed."
                if missing
                else ""
            )
            raise BadInput(f"--nodes {module}: {_one_line(error)}{where}") from error
    return registry


def examples() -> list[str]:
    """The names of the examples that come with trioflow."""
    return sorted(name for package in _EXAMPLES for name in _named_in(package))


def _named_in(package: str) -> list[str]:
    return [each.name[:-5] for each in resources.files(package).iterdir() if each.name.endswith(".json")]


def _is_example(name: str) -> bool:
    # A folder of that name is no graph, so it does not hide the example.
    return name in examples() and not os.path.isfile(name)  # noqa: PTH113 - Path.is_file raises for odd names


def existing(name: str, *, or_example: bool = True) -> str:
    """The name of a file that is there. Raises `BadInput` otherwise."""
    if not os.path.lexists(name):
        if not or_example:
            raise BadInput(f"{name}: there is no such file.")
        raise BadInput(
            f"{name}: there is no such file, and no such example.{did_you_mean(name, examples())} "
            f"Examples: {', '.join(examples())}."
        )
    if os.path.isdir(name):  # noqa: PTH112 - as above
        raise BadInput(f"{name}: it is a folder. Give the file of a graph in it.")
    return name


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())
