"""`trioflow check`: everything that can be known to be wrong before a graph runs."""

from __future__ import annotations

from collections import Counter

import click

from trioflow.cli.source import graph_argument, open_source


@click.command(epilog="Exit codes: 0 the graph can run (warnings may have been written); 2 it can't.")
@graph_argument
def check(graph: str, modules: tuple[str, ...]) -> int:
    """Check GRAPH and list all problems, without running it.

    Of a graph of another program, what the import has to say comes first.
    """
    source = open_source(graph, modules)
    found = source.findings()
    for each in found:
        click.echo(each.line)
    counts = Counter(each.severity for each in found)
    if counts["error"] or counts["warning"]:
        click.echo(say_counts(counts))
    else:
        notes = f"; {count(counts['note'], 'note')}" if counts["note"] else ""
        nodes, wires = len(source.graph.nodes), len(source.graph.connections)
        click.echo(f"no problems: {count(nodes, 'node')}, {count(wires, 'connection')}{notes}")
    return 2 if counts["error"] else 0


def say_counts(counts: Counter[str]) -> str:
    """The numbers of findings in words; notes only if there are any."""
    notes = f", {count(counts['note'], 'note')}" if counts["note"] else ""
    return f"{count(counts['error'], 'error')}, {count(counts['warning'], 'warning')}{notes}"


def count(number: int, what: str) -> str:
    """A number of things: `1 node`, `2 nodes`."""
    return f"{number:,} {what}" if number == 1 else f"{number:,} {what}s"
