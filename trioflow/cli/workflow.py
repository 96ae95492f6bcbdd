"""`trioflow workflow`: a graph whose exec wires call as a workflow that leaves the same behind."""

from __future__ import annotations

import click

import trioflow as tf
from trioflow.cli.bad_input import BadInput, document_lines
from trioflow.cli.source import graph_argument, open_source
from trioflow.formats import visible


@click.command(epilog="Exit codes: 0 written; 2 bad input, or it would not be the same; nothing was written.")
@graph_argument
@click.option("--output", "-o", metavar="FILE", help="Where to write it, JSON or YAML by its name, instead of stdout.")
def workflow(graph: str, modules: tuple[str, ...], output: str | None) -> int:
    """Write GRAPH as a workflow: what ran one after the other and needs no order runs at once.

    Only if it leaves the same behind: otherwise every reason why not is listed.
    """
    source = open_source(graph, modules)
    if output is not None:
        source.refuse_to_replace(output, what="the workflow")
    report = tf.check_as_workflow(source.graph, source.registry)
    for problem in report.problems:
        click.echo(visible(f"{source.name}: {problem}"), err=True)
    if not report.ok:
        return 2
    made = tf.as_workflow(source.graph, source.registry)
    if output is None:
        click.echo(tf.dumps(made), nl=False)
        return 0
    try:
        tf.save(made, output)
    except tf.DocumentError as error:
        raise BadInput(*document_lines(error)) from error
    return 0
