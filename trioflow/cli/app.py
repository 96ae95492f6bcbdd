"""The group of commands, and how every way out of it becomes an exit code."""

from __future__ import annotations

import sys
from collections.abc import Sequence

import click

from trioflow.cli.bench import bench
from trioflow.cli.check import check
from trioflow.cli.conformance import conformance
from trioflow.cli.debug import debug
from trioflow.cli.draw import draw
from trioflow.cli.explain import explain
from trioflow.cli.export import export
from trioflow.cli.import_ import import_
from trioflow.cli.jobs import jobs
from trioflow.cli.nodes import nodes
from trioflow.cli.profile import profile
from trioflow.cli.run import run
from trioflow.cli.runs import runs
from trioflow.cli.serve import serve
from trioflow.cli.streams import open_closed_streams, output, reason
from trioflow.cli.studio import studio
from trioflow.cli.submit import submit
from trioflow.cli.worker import worker
from trioflow.cli.workflow import workflow

BAD_INPUT, INTERRUPTED = 2, 130
UNREAD = 141
"""As a shell tells of a program that SIGPIPE has ended."""


@click.group(
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="Exit codes: 0 done; 1 the graph failed; 2 bad usage, bad input or an invalid graph; "
    "3 a kept run was put away and waits; 4 a journal refuses it; 130 interrupted; "
    "141 whoever read the output, such as `head`, has gone.",
)
@click.version_option(package_name="trioflow", message="%(prog)s %(version)s")
def app() -> None:
    """Run, check and draw node graphs. Check engines against the rules.

    GRAPH is a file (JSON, or YAML if it is named so), or the name of an example that comes with trioflow: census,
    events, fizzbuzz, hanoi, try_catch, and workflows such as approval, saga and nightly. A file of that name comes
    first. A file of another program that `trioflow import` knows will do too.
    """


COMMANDS = (
    run, runs, submit, worker, jobs, serve, debug, studio, check, explain, draw, nodes, import_, export, workflow,
    profile, conformance, bench,
)  # fmt: skip
for command in COMMANDS:
    app.add_command(command)


def execute(arguments: Sequence[str] | None) -> int:
    """Run a command and return its exit code; the message of an error has then been written to stderr."""
    if open_closed_streams():
        sys.stderr.write("error: stdout is closed, so nothing can be written to it. Redirect it: > /dev/null\n")
        return BAD_INPUT
    with output() as stdout:
        try:
            code = app.main(arguments, prog_name="trioflow", standalone_mode=False)
            sys.stdout.flush()
        except click.ClickException as error:
            error.show()
            code = error.exit_code
        except (click.Abort, KeyboardInterrupt):
            sys.stderr.write("interrupted\n")
            code = INTERRUPTED
        except SystemExit as error:  # what click makes of a closed pipe
            code = error.code
        except OSError as error:
            if error is not stdout.error:
                raise
            code = BAD_INPUT
        if isinstance(stdout.error, BrokenPipeError):
            return UNREAD
        if stdout.error is not None:
            sys.stderr.write(f"error: stdout can't be written: {reason(stdout.error)}.\n")
            return int(code or BAD_INPUT)
        return int(code or 0)
