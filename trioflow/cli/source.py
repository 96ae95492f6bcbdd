"""Finding graphs and node packages, and saying kindly why not."""

from __future__ import annotations

import importlib.resources
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NoReturn, TypeVar

import click

from trioflow.errors import TrioflowError, did_you_mean
from trioflow.model.document import load, loads
from trioflow.model.graph import Graph
from trioflow.model.registry import Registry

F = TypeVar("F", bound=Callable[..., Any])

graph_argument = click.argument("source", metavar="GRAPH")
nodes_option = click.option(
    "--nodes",
    "modules",
    multiple=True,
    metavar="MODULE",
    help="Import a module of node types, from the current folder or the graph's too. May be repeated.",
)


def fail(message: object, code: int = 2) -> NoReturn:
    """Print a message for people and leave."""
    for line in str(message).splitlines():
        click.echo(f"trioflow: {line}", err=True)
    raise SystemExit(code)


def open_graph(source: str, modules: Sequence[str]) -> tuple[Graph, Registry]:
    """The graph, and a registry with what it needs; leaves with code 2 and the reason if that is not to be had."""
    path = Path(source)
    try:
        if not path.exists() and source in examples():
            graph = loads(_examples().joinpath(f"{source}.json").read_text(encoding="utf-8"), source=source)
        elif not path.exists():
            fail(f"{source}: there is no such file, and no example of that name.{did_you_mean(source, examples())}")
        else:
            graph = load(path)
        wanted = graph.metadata.get("nodes", ())
        return graph, open_registry([*(wanted if isinstance(wanted, list) else ()), *modules], path.parent)
    except TrioflowError as error:
        fail(error)


def open_registry(modules: Sequence[str], folder: Path | None = None) -> Registry:
    """The standard node types and those of some modules. Raises `RegistryError`."""
    registry = Registry.standard()
    for place in (Path.cwd(), folder):
        if place is not None and str(place.resolve()) not in sys.path:
            sys.path.append(str(place.resolve()))
    for module in dict.fromkeys(map(str, modules)):
        registry.add_module(module)
    return registry


def examples() -> list[str]:
    """The names of the example graphs."""
    return sorted(file.name.removesuffix(".json") for file in _examples().iterdir() if file.name.endswith(".json"))


def _examples() -> Any:
    return importlib.resources.files("trioflow.examples")
