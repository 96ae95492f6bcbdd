"""`trioflow draw`: a graph as a picture or an outline."""

from __future__ import annotations

import click

from trioflow.cli.source import graph_argument, open_source
from trioflow.formats import to_dot, to_mermaid, to_text

_FORMATS = {"text": to_text, "mermaid": to_mermaid, "dot": to_dot}


@click.command(epilog="Exit codes: 0 drawn; 2 bad input.")
@graph_argument
@click.option(
    "--format", "-f", "format_", type=click.Choice([*_FORMATS]), default="text", show_default=True, help="How to draw."
)
@click.option("--fold", is_flag=True, help="Draw graphs that GRAPH calls as nodes only.")
def draw(graph: str, modules: tuple[str, ...], format_: str, fold: bool) -> int:
    """Draw GRAPH on stdout: as an outline, for Mermaid, or for Graphviz. A graph with errors is drawn too."""
    source = open_source(graph, modules)
    source.tell_import()
    click.echo(_FORMATS[format_](source.graph, source.registry, fold=fold), nl=False)
    return 0
