"""`trioflow serve`: run graphs when something happens, or somebody asks."""

from __future__ import annotations

import os
from functools import partial
from pathlib import Path
from typing import Literal
from urllib.parse import quote

import click
import trio

import trioflow as tf
from trioflow.cli.bad_input import BadInput
from trioflow.cli.interrupt import on_interrupt
from trioflow.cli.places import place_option, read_places
from trioflow.cli.secret import read_secrets
from trioflow.cli.source import allow_option, open_registry, open_source
from trioflow.cli.stores import duration_option, opened, store_option
from trioflow.cli.worker import tell
from trioflow.formats.known import detect
from trioflow.formats.port import open_document
from trioflow.serving import Server, Trigger, TriggerError, read_triggers
from trioflow.serving.triggers import FILES, find_triggers

_SUFFIXES = (".json", ".yaml", ".yml")


@click.command(epilog="Exit codes: 0 stopped; 2 bad usage or bad input; 4 the store can't be used at the start.")
@click.argument("source", metavar="GRAPH|FOLDER")
@store_option
@click.option("--nodes", "modules", metavar="MODULE", multiple=True, help="As for `trioflow run`.")
@allow_option
@click.option("--port", type=click.IntRange(0, 65535), default=8080, show_default=True, help="0 for any free one.")
@click.option("--host", default="127.0.0.1", show_default=True, help="Listen there.")
@click.option("--token", "tokens", metavar="NAME", multiple=True, help="A secret that those who ask must give.")
@click.option(
    "--secret", "secrets", metavar="NAME", multiple=True, help="As for `trioflow run`; and those of webhooks."
)
@place_option
@click.option("--queue", "queues", metavar="NAME", multiple=True, help="Another queue to run jobs of.")
@click.option(
    "--runs", type=click.IntRange(min=0), default=10, show_default=True, help="Jobs at a time; 0 for none here."
)
@click.option("--most", type=click.IntRange(min=1), default=1_000_000, show_default=True, help="Bytes of a request.")
@duration_option("--lease", default="30s", show_default=True, help="As for `trioflow worker`.")
@duration_option("--drain", default="0s", show_default=True, help="As for `trioflow worker`.")
def serve(
    source: str,
    store: str,
    modules: tuple[str, ...],
    allowed: tuple[Literal["scripts"], ...],
    port: int,
    host: str,
    tokens: tuple[str, ...],
    secrets: tuple[str, ...],
    places: tuple[str, ...],
    queues: tuple[str, ...],
    runs: int,
    most: int,
    lease: float,
    drain: float,
) -> int:
    """Run GRAPH, or the graphs of FOLDER, when something happens or somebody asks over HTTP.

    What triggers them stands in the folder's `triggers.json` or `triggers.yaml`: times, webhooks, events, files that
    land, messages. The first line printed is the address. Whoever asks gives a token; without --token NAME, which names
    a secret, one is made, and told on stderr. Each graph has its page at /studio/GRAPH/#token=TOKEN. Ctrl-C or SIGTERM
    ends it; whatever runs is handed back.

    \b
    trioflow serve flows/ --journal jobs.db
    trioflow serve flows/ --journal postgres://me@host/jobs --runs 0 --token API --secret ORDERS_KEY
    """
    folder = Path(source)
    files = {each.name: str(each) for each in _graphs(folder)} if folder.is_dir() else {folder.name: source}
    sources = {name: open_source(file, modules, allowed) for name, file in files.items()}
    problems = [line for each in sources.values() for line in each.errors()]
    if problems:
        raise BadInput(*problems)
    graphs = {name: each.graph for name, each in sources.items()}
    beside = folder.resolve() if folder.is_dir() else folder.resolve().parent
    registry = open_registry(modules, beside, allowed=allowed)
    known, bearers = read_secrets(secrets), read_secrets(tokens, "--token")
    services = read_places(places)
    try:
        triggers = _triggers(folder, graphs)
        with opened(store) as (journal, _):
            made = Server(
                journal,
                graphs,
                triggers,
                registry=registry,
                tokens=[*bearers.values()],
                secrets=known,
                folder=folder if folder.is_dir() else folder.parent,
                runs=runs,
                queues=queues or ("default",),
                most=most,
                lease=lease,
                services=services,
                tell=tell,
            )
            if host not in {"127.0.0.1", "localhost", "::1"}:
                click.echo(
                    f"warning: everybody who reaches {host} can ask, and what is said is not encrypted", err=True
                )
            if not bearers:
                click.echo(f"token: {made.tokens[0]}", err=True)
            trio.run(partial(_serve, made, host, port, drain))
    except TriggerError as error:
        raise BadInput(*str(error).splitlines()) from error
    except ValueError as error:
        raise BadInput(f"--secret: {error}.") from error
    except tf.MissingExtra as error:
        raise BadInput(str(error)) from error
    except OSError as error:
        raise BadInput(f"--port {port}: {os.strerror(error.errno or 0)}. Take another port, or 0.") from error
    return 0


async def _serve(made: Server, host: str, port: int, drain: float) -> None:
    ended = trio.Event()
    async with made.serve(host=host, port=port, drain=drain) as address:
        click.echo(str(address))
        tell(f"pages: {', '.join(f'{address}/studio/{quote(name)}/' for name in made.graphs)}")
        with on_interrupt(ended.set, lambda: None):
            await ended.wait()
            tell("stopping; once more kills at once")


def _graphs(folder: Path) -> list[Path]:
    files = sorted(each for each in folder.iterdir() if each.suffix in _SUFFIXES and each.name not in FILES)
    found = [each for each in files if _is_graph(each)]
    if not found:
        raise BadInput(f"{folder}: there is no graph in this folder, in no file that ends with .json, .yaml or .yml.")
    return found


def _is_graph(file: Path) -> bool:
    """Whether a file holds a graph, of trioflow or of another program, whatever is wrong with it."""
    try:
        document = open_document(file)
        if document.is_ours or detect(document) is not None:
            return True
    except (tf.DocumentError, tf.MissingExtra):
        return True  # it is said when the graph is opened
    tell(f"{file.name}: it is not a graph, so it is passed over")
    return False


def _triggers(folder: Path, graphs: dict[str, tf.Graph]) -> list[Trigger]:
    file = find_triggers(folder) if folder.is_dir() else None
    return [] if file is None else read_triggers(file, graphs)
