"""`trioflow draw`: a graph as a picture or an outline."""

from __future__ import annotations

from pathlib import Path

import click

import trioflow as tf
from trioflow.cli.bad_input import BadInput, document_lines
from trioflow.cli.foreign import Foreign
from trioflow.cli.source import SCRIPTS, Source, graph_argument, open_source
from trioflow.cli.telemetry import read_report
from trioflow.formats import FORMATS, visible
from trioflow.formats import draw as draw_as
from trioflow.model.document import write_file


def _layers(source: Source) -> str:
    """A line for each layer: the nodes that are in it. A circle is one thing, and so in one layer."""
    try:
        layers = tf.workflow_plan(source.graph, source.registry).layers()
    except ValueError as error:
        raise BadInput(f"{source.name}: {error}") from error
    except tf.InvalidGraph as error:
        raise BadInput(*source.errors()) from error
    width = len(str(len(layers)))
    return "".join(f"{number:>{width}}  {visible(', '.join(layer))}\n" for number, layer in enumerate(layers, 1))


def _report(file: str, graph: tf.Graph) -> tf.RunReport:
    try:
        found = read_report(file)
    except OSError as error:
        raise BadInput(f"--report {file}: it can't be read: {error.strerror}.") from error
    except ValueError as error:
        raise BadInput(f"--report {file}: {error}. Write one: trioflow run GRAPH --report {file}") from error
    if found.nodes and not {node.id for node in graph.nodes} & {*found.nodes}:
        raise BadInput(f"--report {file}: it is of another graph: none of its nodes is in this one.")
    return found


def _format_of(output: str) -> str:
    ending = Path(output).suffix.lower()
    if ending not in _ENDINGS:
        known = ", ".join(each for each in _ENDINGS if each)
        raise BadInput(f"-o {output}: nothing can be drawn as {ending}. Endings: {known}. Others need --format.")
    return _ENDINGS[ending]


_ENDINGS = {".svg": "svg", ".mmd": "mermaid", ".dot": "dot", ".gv": "dot", ".json": "json", ".txt": "text", "": "text"}


@click.command(epilog="Exit codes: 0 drawn; 2 bad input.")
@graph_argument
@click.option(
    "--format", "-f", "format_", type=click.Choice([*FORMATS]), help="How to draw: text, unless FILE says otherwise."
)
@click.option("--output", "-o", metavar="FILE", help="Where to write the drawing, instead of stdout.")
@click.option("--fold", is_flag=True, help="Draw graphs that GRAPH calls as nodes only.")
@click.option("--report", metavar="FILE", help="Show what a run has done, by what `run --report FILE` has written.")
@click.option("--layers", is_flag=True, help="Instead list which nodes of a workflow can run at the same time.")
def draw(
    graph: str,
    modules: tuple[str, ...],
    foreign: Foreign,
    format_: str | None,
    output: str | None,
    fold: bool,
    report: str | None,
    layers: bool,
) -> int:
    """Draw GRAPH: as an outline, as a picture (SVG), for Mermaid or Graphviz, or as JSON with a place for everything.

    A graph with errors is drawn too.

    \b
    trioflow draw fizzbuzz -o fizzbuzz.svg
    """
    source = open_source(graph, modules, SCRIPTS, foreign)
    source.tell_import()
    if format_ is None:
        format_ = _format_of(output) if output is not None else "text"
    done = None if report is None else _report(report, source.graph)
    drawn = _layers(source) if layers else draw_as(source.graph, source.registry, format_, fold=fold, report=done)
    if output is None:
        click.echo(drawn, nl=False)
        return 0
    source.refuse_to_replace(output)
    try:
        write_file(output, drawn)
    except tf.DocumentError as error:
        raise BadInput(*document_lines(error)) from error
    return 0
