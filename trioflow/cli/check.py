"""`trioflow check`: everything that can be known to be wrong before a graph runs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

import click

import trioflow as tf
from trioflow.cli.source import graph_argument, open_source
from trioflow.formats.nodeeditor import Diagnostic


@click.command(epilog="Exit codes: 0 the graph can run (warnings may have been written); 2 it can't.")
@graph_argument
def check(graph: str, modules: tuple[str, ...]) -> int:
    """Check GRAPH and list all problems, without running it.

    Of a graph of another program, what the import has to say comes first.
    """
    source = open_source(graph, modules)
    found: list[Diagnostic | tf.Problem] = [*source.imported.diagnostics] if source.imported is not None else []
    found += source.report().problems
    for each in found:
        click.echo(source.line(each))
    counts = count_severities(found)
    if counts["error"] or counts["warning"]:
        click.echo(say_counts(counts))
    else:
        notes = f"; {count(counts['note'], 'note')}" if counts["note"] else ""
        nodes, wires = len(source.graph.nodes), len(source.graph.connections)
        click.echo(f"no problems: {count(nodes, 'node')}, {count(wires, 'connection')}{notes}")
    return 2 if counts["error"] else 0


def count_severities(found: Iterable[Diagnostic | tf.Problem]) -> Counter[str]:
    """How many findings there are of each severity."""
    return Counter(each.severity if isinstance(each, Diagnostic) else each.severity.value for each in found)


def say_counts(counts: Counter[str]) -> str:
    """The numbers of findings in words; notes only if there are any."""
    notes = f", {count(counts['note'], 'note')}" if counts["note"] else ""
    return f"{count(counts['error'], 'error')}, {count(counts['warning'], 'warning')}{notes}"


def count(number: int, what: str) -> str:
    """A number of things: `1 node`, `2 nodes`."""
    return f"{number:,} {what}" if number == 1 else f"{number:,} {what}s"
