"""`trioflow profile`: where the time of a recorded run went."""

from __future__ import annotations

import click

from trioflow.cli.bad_input import BadInput
from trioflow.cli.counted import counted
from trioflow.telemetry import Profile, Recording, RecordingError


@click.command(epilog="Exit codes: 0 done; 2 bad input.")
@click.argument("recording")
@click.option("--most", type=click.IntRange(min=1), default=20, show_default=True, help="How many nodes to list.")
def profile(recording: str, most: int) -> int:
    """List the nodes of a recorded run that took longest: RECORDING is a file of `trioflow run --record`.

    \b
    trioflow run census --record census.rec && trioflow profile census.rec
    """
    try:
        found = Recording.load(recording)
    except RecordingError as error:
        raise BadInput(str(error)) from error
    except OSError as error:
        raise BadInput(f"{recording}: it can't be read: {error.strerror or error}.") from error
    click.echo(f"{counted(len(found), 'event')} in {found.duration:.3f} s")
    click.echo(Profile.of(found).table(most))
    return 0
