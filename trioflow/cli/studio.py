"""`trioflow studio`: a page in which a graph is seen, run, stepped through and looked back on."""

from __future__ import annotations

import os
import webbrowser
from typing import Literal

import click
import trio

import trioflow as tf
from trioflow.cli.bad_input import BadInput
from trioflow.cli.foreign import Foreign, foreign_options
from trioflow.cli.interrupt import on_interrupt
from trioflow.cli.source import allow_option, nodes_option
from trioflow.telemetry import RecordingError, RecordingFile


@click.command(epilog="Exit codes: 0 closed with Ctrl-C; 2 bad input.")
@click.argument("graph", metavar="GRAPH|FOLDER|JOURNAL|RECORDING")
@click.argument("recording", required=False)
@nodes_option
@foreign_options
@allow_option
@click.option("--port", type=click.IntRange(0, 65535), default=0, help="Where to serve it; any free port otherwise.")
@click.option("--no-open", is_flag=True, help="Open no browser.")
@click.option("--read-only", is_flag=True, help="The page can pause, step and look, and nothing else.")
@click.option("--no-values", is_flag=True, help="Keep all values from the page and from what it records.")
@click.option("--parallel", is_flag=True, help="Run the graph's initiators concurrently.")
@click.option("--host", default="127.0.0.1", show_default=True, help="Listen there; others than you may then ask.")
@click.option("--allow-host", "hosts", metavar="NAME", multiple=True, help="Another name by which it may be asked.")
def studio(
    graph: str,
    recording: str | None,
    modules: tuple[str, ...],
    foreign: Foreign,
    allowed: tuple[Literal["scripts"], ...],
    port: int,
    no_open: bool,
    read_only: bool,
    no_values: bool,
    parallel: bool,
    host: str,
    hosts: tuple[str, ...],
) -> int:
    """Show GRAPH in a page of this machine: see it, edit it, run it, step through it, look into it and back on it.

    A GRAPH that ends in .json or .yaml and is not there yet is begun anew. FOLDER shows the graphs in it, JOURNAL the
    runs that it keeps. RECORDING is a file of `trioflow run --record`, to look back on; beside GRAPH if it was made
    by a program that did not tell its graph. The first line printed is the page's address. Whoever has it can
    run whatever GRAPH runs, commands of the system included: keep it to yourself. Ctrl-C ends it.

    \b
    trioflow studio new.json
    trioflow studio .
    trioflow studio fizzbuzz
    trioflow run census --record census.rec; trioflow studio census census.rec
    """
    from trioflow.cli.shelves import NodesGiven, opened_by_name  # noqa: PLC0415 - most commands do without

    opened, shelf = opened_by_name(graph, NodesGiven(modules, allowed, foreign))
    session = tf.studio.Session(
        opened.graph,
        opened.registry,
        name=opened.name,
        file=opened.file,
        shelf=shelf,
        folder=getattr(shelf, "folder", None),
        options=tf.RunOptions(parallel_initiators=parallel),
        recording=opened.recording if recording is None else _load(recording),
        read_only=read_only,
        values=not no_values,
    )
    if host not in {"127.0.0.1", "localhost", "::1"}:
        click.echo(f"warning: everybody who reaches {host} can ask, and needs only the address below", err=True)
    try:
        trio.run(_serve, session, port, host, hosts, no_open)
    except tf.MissingExtra as error:
        raise BadInput(str(error)) from error
    except OSError as error:
        raise BadInput(
            f"--port {port}: {os.strerror(error.errno or 0)}. Take another port, or 0 for any free one."
        ) from error
    return 0


async def _serve(session: tf.studio.Session, port: int, host: str, hosts: tuple[str, ...], no_open: bool) -> None:
    ended = trio.Event()
    async with tf.studio.serve_session(session, port=port, host=host, allow_hosts=hosts) as page:
        click.echo(page.address)
        with on_interrupt(ended.set, lambda: None):
            if not no_open:
                await trio.to_thread.run_sync(webbrowser.open, page.address, abandon_on_cancel=True)
            await ended.wait()


def _load(file: str) -> RecordingFile:
    try:
        return RecordingFile(file)
    except RecordingError as error:
        raise BadInput(str(error)) from error
    except OSError as error:
        raise BadInput(f"{file}: {error.strerror or error}.") from error
