"""`trioflow check`: everything that can be known to be wrong before a graph runs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import click

from trioflow.cli.counted import counted
from trioflow.cli.foreign import Foreign
from trioflow.cli.source import SCRIPTS, Source, graph_argument, open_source
from trioflow.formats import visible
from trioflow.formats._wires import literal_text
from trioflow.model.secret import secret_name

_MOST = 20
"""Nodes that are listed by name."""


@click.command(
    epilog="Exit codes: 0 the graph can run (warnings may have been written); 2 it can't, or there are warnings and "
    "--strict. `trioflow explain CODE` says more about what is found."
)
@graph_argument
@click.option("--strict", is_flag=True, help="Take warnings for errors.")
def check(graph: str, modules: tuple[str, ...], foreign: Foreign, strict: bool) -> int:
    """Check GRAPH and list all problems, without running it, and what `trioflow run` may be given.

    Of a graph of another program, what the import has to say comes first.
    """
    source = open_source(graph, modules, SCRIPTS, foreign)
    found = source.findings()
    for each in found:
        click.echo(each.line)
    counts = Counter(each.severity for each in found)
    if counts["error"] or counts["warning"]:
        click.echo(say_counts(counts))
    else:
        infos = f"; {counted(counts['info'], 'info')}" if counts["info"] else ""
        nodes, wires = len(source.graph.nodes), len(source.graph.connections)
        click.echo(f"no problems: {counted(nodes, 'node')}, {counted(wires, 'connection')}{infos}")
    for line in _takes(source):
        click.echo(visible(line))
    return 2 if counts["error"] or (strict and counts["warning"]) else 0


def _takes(source: Source) -> Iterator[str]:
    """What a run of the graph may be given: variables with their start values and documentation, secrets."""
    graph = source.graph
    rows = [(each.name, f"{each.type} = {literal_text(each.default)}", each.doc) for each in graph.variables]
    if rows:
        yield "variables, for --set NAME=VALUE:"
        names, facts = (max(len(row[place]) for row in rows) for place in (0, 1))
        for name, fact, doc in rows:
            yield f"    {name:<{names}}  {fact:<{facts}}  {doc}".rstrip()
    scripts = source.scripts()
    if scripts:
        more = f" and {len(scripts) - _MOST:,} more" if len(scripts) > _MOST else ""
        yield f"scripts, which run only with --allow scripts: {', '.join(scripts[:_MOST])}{more}"
    secrets = dict.fromkeys(secret_name(each) for node in graph.nodes for each in node.inputs.values())
    wanted = [name for name in secrets if name is not None]
    if wanted:
        yield f"secrets, for --secret NAME: {', '.join(wanted)}"


def say_counts(counts: Counter[str]) -> str:
    """The numbers of findings in words; infos only if there are any."""
    infos = f", {counted(counts['info'], 'info')}" if counts["info"] else ""
    return f"{counted(counts['error'], 'error')}, {counted(counts['warning'], 'warning')}{infos}"
