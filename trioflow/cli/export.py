"""`trioflow export`: a graph as a document of another program, if nothing gets lost."""

from __future__ import annotations

import click

import trioflow as tf
from trioflow.cli.bad_input import BadInput, document_lines
from trioflow.cli.source import SCRIPTS, graph_argument, open_source
from trioflow.formats import visible
from trioflow.model.document import write_file


@click.command(epilog="Exit codes: 0 exported; 2 bad input, or the format can't say the graph; nothing was written.")
@graph_argument
@click.option("--output", "-o", metavar="FILE", help="Where to write the document, instead of stdout.")
@click.option(
    "--format", "-f", type=click.Choice(["nodeeditor"]), default="nodeeditor", show_default=True,
    help="nodeeditor: NodeEditor.Net, version 1, or that of the document from which the graph was imported.",
)  # fmt: skip
def export(graph: str, modules: tuple[str, ...], output: str | None, format: str) -> int:
    """Write GRAPH as a document of another program.

    Only if it says the same graph: otherwise everything that the format can't say is listed.
    """
    from trioflow.formats import nodeeditor  # noqa: PLC0415 - other commands do without

    source = open_source(graph, modules, SCRIPTS)
    if output is not None:
        source.refuse_to_replace(output, what="the document")
    try:
        text = nodeeditor.dumps(source.graph, source.registry)
    except tf.DocumentError as error:
        for problem in error.problems:
            click.echo(visible(f"error: {source.name}: {problem}"), err=True)
        return 2
    if output is None:
        click.echo(text, nl=False)
        return 0
    try:
        write_file(output, text)
    except tf.DocumentError as error:
        raise BadInput(*document_lines(error)) from error
    return 0
