"""The group of commands, and how every way out of it becomes an exit code."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from typing import TextIO

import click

from trioflow.cli.bench import bench
from trioflow.cli.check import check
from trioflow.cli.conformance import conformance
from trioflow.cli.debug import debug
from trioflow.cli.draw import draw
from trioflow.cli.export import export
from trioflow.cli.import_ import import_
from trioflow.cli.nodes import nodes
from trioflow.cli.run import run

INTERRUPTED = 130


@click.group(
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="Exit codes: 0 done; 1 the graph failed; 2 bad usage, bad input or an invalid graph; 130 interrupted.",
)
@click.version_option(package_name="trioflow", message="%(prog)s %(version)s")
def app() -> None:
    """Run, check and draw node graphs. Check engines against the rules.

    GRAPH is a file (JSON, or YAML if it is named so), or the name of an example that comes with trioflow: census,
    events, fizzbuzz, hanoi, try_catch. A file of that name comes first. A file of NodeEditor.Net will do too.
    """


for command in (run, debug, check, draw, nodes, import_, export, conformance, bench):
    app.add_command(command)


def execute(arguments: Sequence[str] | None) -> int:
    """Run a command and return its exit code; the message of an error has then been written to stderr."""
    for stream in (sys.stdout, sys.stderr):
        _write_anything(stream)
    try:
        code = app.main(arguments, prog_name="trioflow", standalone_mode=False)
        sys.stdout.flush()
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except (click.Abort, KeyboardInterrupt):
        sys.stderr.write("interrupted\n")
        return INTERRUPTED
    except BrokenPipeError:
        # Whoever read the output, such as `head`, has gone. Python would complain once more when it flushes at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    return int(code or 0)


def _write_anything(stream: TextIO) -> None:
    """Names of files may hold what no encoding can: show an escape instead of failing."""
    reconfigure = getattr(stream, "reconfigure", None)
    if reconfigure is not None:
        reconfigure(errors="backslashreplace")
