"""`trioflow import`: the graph of another program as one of trioflow's."""

from __future__ import annotations

import os
from collections import Counter
from pathlib import Path

import click

import trioflow as tf
from trioflow.cli.bad_input import BadInput, document_lines
from trioflow.cli.check import say_counts
from trioflow.cli.counted import counted
from trioflow.cli.foreign import Foreign, foreign_options
from trioflow.cli.source import SCRIPTS, existing, nodes_option, source_in
from trioflow.formats.known import FORMATS, detect, format_named
from trioflow.formats.port import Document, open_document


@click.command(
    "import",
    epilog="Exit codes: 0 imported; 1 imported, but with errors: the graph can be drawn, but not run; 2 bad input, "
    "and nothing was written.",
)
@click.argument("source")
@nodes_option
@foreign_options
@click.option("--output", "-o", metavar="GRAPH", help="Where to write the graph, instead of stdout.")
@click.option(
    "--format",
    "-f",
    "format_",
    type=click.Choice([*FORMATS]),
    help="The format of SOURCE, if it is not recognised.",
)
def import_(source: str, modules: tuple[str, ...], foreign: Foreign, output: str | None, format_: str | None) -> int:
    """Import the graph in SOURCE, a document of another program.

    What could not be taken over, and what means something else here, is written to stderr. A node without a
    counterpart becomes a placeholder.
    """
    if output is not None and os.path.exists(output) and os.path.samefile(output, existing(source, or_example=False)):  # noqa: PTH110, PTH121
        raise BadInput(f"-o {output}: that is the source, which the graph would replace.")
    try:
        document = open_document(Path(existing(source, or_example=False)))
        chosen = format_named(format_) if format_ is not None else detect(document)
        if chosen is None:
            raise BadInput(f"{source}: {_not_recognised(document)}")
        opened = source_in(document, source, modules, SCRIPTS, foreign, chosen)
        if output is not None:
            tf.save(opened.graph, output)
        else:
            click.echo(tf.dumps(opened.graph), nl=False)
    except tf.DocumentError as error:
        raise BadInput(*document_lines(error)) from error
    except (tf.MissingExtra, tf.RegistryError) as error:
        raise BadInput(f"{source}: {error}") from error
    found = opened.import_findings()
    for each in found:
        click.echo(each.line, err=True)
    nodes, wires = counted(len(opened.graph.nodes), "node"), counted(len(opened.graph.connections), "connection")
    counts = Counter(each.severity for each in found)
    click.echo(f"imported: {nodes}, {wires}; {say_counts(counts)}", err=True)
    return 1 if counts["error"] else 0


def _not_recognised(document: Document) -> str:
    if document.is_ours:
        return "it is a graph of trioflow already."
    return "its format is not recognised. If it is one that --format knows, give that."
