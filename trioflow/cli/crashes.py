"""`trioflow conformance engine --durable`: kept runs die at every operation, and are resumed."""

from __future__ import annotations

import itertools
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import click

from trioflow.cli.bad_input import BadInput
from trioflow.cli.counted import counted
from trioflow.conformance.crashing import campaign, drawn
from trioflow.conformance.shipped import PACKAGED
from trioflow.conformance.vectors import Vector, load_vectors
from trioflow.errors import DocumentError

_MOST_FAULTS = 10


def check_crashes(
    vectors: Path | None, rules: tuple[str, ...], level: int, examples: int, seed: int | None, *, moments: bool
) -> int:
    """Say what came of it; 1 if a resumed run came to something else, or did something again."""
    try:
        chosen = [each for each in load_vectors(vectors or PACKAGED) if _is_chosen(each, rules, level)]
    except DocumentError as error:
        raise BadInput(str(error)) from error
    if rules and not chosen:
        raise BadInput(f"--rule {', '.join(rules)}: no vector is of it.")
    count = len(chosen) + (0 if rules else examples)
    named = ((each.name, each.request) for each in chosen)
    graphs = drawn(0, examples) if seed is None else drawn(0, examples, str(seed))
    requests = _counting(named if rules else itertools.chain(named, graphs), count)
    tally, skipped, faults = campaign(requests, moments=moments)
    for fault in faults[:_MOST_FAULTS]:
        click.echo(f"error: {fault}", err=True)
    if len(faults) > _MOST_FAULTS:
        click.echo(f"and {len(faults) - _MOST_FAULTS:,} more", err=True)
    click.echo(
        f"{counted(tally.runs, 'run')} died {tally.crashes:,} times"
        + (f", {tally.moments:,} of them after a moment," if moments else "")
        + f" and were resumed: {counted(len(faults), 'fault')}; "
        f"{counted(tally.doubled, 'effect')} in flight of {tally.effects:,} done twice; {skipped:,} requests can't be "
        "compared, as hosts or clocks take part in them"
    )
    return 1 if faults else 0


def _is_chosen(vector: Vector, rules: tuple[str, ...], level: int) -> bool:
    return vector.level <= level and (not rules or bool({*rules} & {*vector.rules}))


def _counting(named: Iterator[tuple[str, Mapping[str, Any]]], count: int) -> Iterator[tuple[str, Mapping[str, Any]]]:
    with click.progressbar(named, length=count, label="crashing", file=sys.stderr) as bar:
        yield from bar
