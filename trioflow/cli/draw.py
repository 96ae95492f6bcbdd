"""`trioflow draw`: a graph to look at."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import click

from trioflow.cli.source import graph_argument, nodes_option, open_graph
from trioflow.formats.dot import to_dot
from trioflow.formats.mermaid import to_mermaid
from trioflow.formats.text import to_text
from trioflow.model.graph import Graph
from trioflow.model.registry import Registry

FORMATS: dict[str, Callable[[Graph, Registry], str]] = {"mermaid": to_mermaid, "dot": to_dot, "text": to_text}


@click.command()
@graph_argument
@nodes_option
@click.option("--format", "kind", type=click.Choice(sorted(FORMATS)), default="text", help="What to write.")
def draw(source: str, modules: Sequence[str], kind: str) -> None:
    """Draw GRAPH on standard output. Graphs with errors are drawn as far as they go."""
    graph, registry = open_graph(source, modules)
    click.echo(FORMATS[kind](graph, registry), nl=False)
