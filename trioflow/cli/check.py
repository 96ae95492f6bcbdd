"""`trioflow check`: everything that can be known to be wrong before a graph runs."""

from __future__ import annotations

import click

import trioflow as tf
from trioflow.cli.source import graph_argument, open_source
from trioflow.formats import visible


@click.command(epilog="Exit codes: 0 the graph can run (warnings may have been written); 2 it can't.")
@graph_argument
def check(graph: str, modules: tuple[str, ...]) -> int:
    """Check GRAPH and list all problems, without running it."""
    source = open_source(graph, modules)
    report = tf.validate(source.graph, source.registry)
    for problem in report.problems:
        click.echo(visible(f"{source.name}: {problem}"))
    if report.problems:
        click.echo(f"{_count(len(report.errors), 'error')}, {_count(len(report.warnings), 'warning')}")
    else:
        nodes, wires = len(source.graph.nodes), len(source.graph.connections)
        click.echo(f"no problems: {_count(nodes, 'node')}, {_count(wires, 'connection')}")
    return 0 if report.ok else 2


def _count(number: int, what: str) -> str:
    return f"{number:,} {what}" if number == 1 else f"{number:,} {what}s"
