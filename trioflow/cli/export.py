"""`trioflow export`: a graph as a document of another program, if nothing gets lost."""

from __future__ import annotations

import click

import trioflow as tf
from trioflow.cli.bad_input import BadInput, document_lines
from trioflow.cli.foreign import Foreign
from trioflow.cli.source import SCRIPTS, graph_argument, open_source
from trioflow.formats import visible
from trioflow.formats.known import FORMATS, format_named
from trioflow.model.document import write_file


@click.command(epilog="Exit codes: 0 exported; 2 bad input, or the format can't say the graph; nothing was written.")
@graph_argument
@click.option("--output", "-o", metavar="FILE", help="Where to write the document, instead of stdout.")
@click.option(
    "--format",
    "-f",
    type=click.Choice([*FORMATS]),
    help="The format: that of the document from which the graph was imported, or else nodeeditor, if nothing is said.",
)
def export(graph: str, modules: tuple[str, ...], foreign: Foreign, output: str | None, format: str | None) -> int:
    """Write GRAPH as a document of another program.

    Only if it says the same graph: otherwise everything that the format can't say is listed.
    """
    source = open_source(graph, modules, SCRIPTS, foreign)
    chosen = format_named(format or next((each for each in FORMATS if each in source.graph.metadata), "nodeeditor"))
    if output is not None:
        source.refuse_to_replace(output, what="the document")
    try:
        if chosen.write is None:
            raise BadInput(f"--format {chosen.name}: documents of {chosen.title} are read, and not written.")
        text = chosen.write(source.graph, source.registry)
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
