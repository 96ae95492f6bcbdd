"""`trioflow check`: everything that is wrong with a graph, at once."""

from __future__ import annotations

from collections.abc import Sequence

import click

from trioflow.cli.source import graph_argument, nodes_option, open_graph
from trioflow.semantics.validation import validate


@click.command()
@graph_argument
@nodes_option
def check(source: str, modules: Sequence[str]) -> None:
    """Check GRAPH and print every problem, with its place and the cure. Exit code 2 if it can't run."""
    graph, registry = open_graph(source, modules)
    report = validate(graph, registry)
    for problem in report.problems:
        click.echo(f"{source}: {problem}")
    size = f"{len(graph.nodes)} nodes, {len(graph.connections)} connections"
    click.echo(f"{source}: {size}, {len(report.errors)} errors, {len(report.warnings)} warnings")
    if not report.ok:
        raise SystemExit(2)
