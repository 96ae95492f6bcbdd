"""`trioflow import`: the graph of another program as one of trioflow's."""

from __future__ import annotations

import os
from collections import Counter

import click

import trioflow as tf
from trioflow.cli.bad_input import BadInput, document_lines
from trioflow.cli.check import count, say_counts
from trioflow.cli.source import existing, import_source, is_foreign, nodes_option
from trioflow.model.document import read_file


@click.command(
    "import",
    epilog="Exit codes: 0 imported; 1 imported, but with errors: the graph can be drawn, but not run; 2 bad input, "
    "and nothing was written.",
)
@click.argument("source")
@nodes_option
@click.option("--output", "-o", metavar="GRAPH", help="Where to write the graph, instead of stdout.")
@click.option(
    "--format",
    "-f",
    "format_",
    type=click.Choice(["nodeeditor"]),
    help="The format of SOURCE, if it is not recognised. nodeeditor: NodeEditor.Net, versions 1 and 2.",
)
def import_(source: str, modules: tuple[str, ...], output: str | None, format_: str | None) -> int:
    """Import the graph in SOURCE, a document of another program.

    What could not be taken over, and what means something else here, is written to stderr. A node without a
    counterpart becomes a placeholder.
    """
    if output is not None and os.path.exists(output) and os.path.samefile(output, existing(source, or_example=False)):  # noqa: PTH110, PTH121
        raise BadInput(f"-o {output}: that is the source, which the graph would replace.")
    try:
        tree = read_file(existing(source, or_example=False))
        if format_ is None and not is_foreign(tree):
            raise BadInput(f"{source}: {_not_recognised(tree)}")
        opened = import_source(tree, source, modules)
        if output is not None:
            tf.save(opened.graph, output)
        else:
            click.echo(tf.dumps(opened.graph), nl=False)
    except tf.DocumentError as error:
        raise BadInput(*document_lines(error)) from error
    except tf.MissingExtra as error:
        raise BadInput(f"{source}: {error}") from error
    found = opened.import_findings()
    for each in found:
        click.echo(each.line, err=True)
    nodes, wires = count(len(opened.graph.nodes), "node"), count(len(opened.graph.connections), "connection")
    counts = Counter(each.severity for each in found)
    click.echo(f"imported: {nodes}, {wires}; {say_counts(counts)}", err=True)
    return 1 if counts["error"] else 0


def _not_recognised(tree: object) -> str:
    if isinstance(tree, dict) and "trioflow" in tree:
        return "it is a graph of trioflow already."
    return "its format is not recognised. If it is one that --format knows, give that."
