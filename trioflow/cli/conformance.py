"""`trioflow conformance`: is an engine true to the rules? `checks.py` does the work, and needs optional packages."""

from __future__ import annotations

import functools
import importlib.util
import os
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import click

from trioflow.cli.bad_input import BadInput
from trioflow.errors import MissingExtra
from trioflow.formats import visible

F = TypeVar("F", bound=Callable[..., Any])

_EPILOG = "Exit codes: 0 all passed; 1 something failed; 2 bad usage or bad input; 130 interrupted."
_FILE = click.Path(dir_okay=False, path_type=Path)
_FOLDER = click.Path(file_okay=False, path_type=Path)


def _check_options(function: F) -> F:
    """The options of all checks, which need an extra."""

    @functools.wraps(function)
    def with_extra(**chosen: Any) -> Any:
        if importlib.util.find_spec("hypothesis") is None:
            raise BadInput(str(MissingExtra("trioflow conformance", "testing")))
        return function(**chosen)

    options = [
        click.option("--seed", type=int, help="Draw the same random graphs as the run that named this seed."),
        click.option(
            "--examples", type=click.IntRange(0), default=1000, show_default=True, help="How many random graphs."
        ),
        click.option(
            "--level", type=click.IntRange(0, 3), default=3, show_default=True, help="Check no more than this level."
        ),
        click.option(
            "--rule",
            "rules",
            multiple=True,
            metavar="ID",
            help="Only the vectors of this rule, and no random graphs. May be repeated.",
        ),
        click.option("--vectors", type=_FOLDER, help="Vectors of your own instead of those that come with trioflow."),
        click.option("--save-failures", type=_FOLDER, help="Write failures into this folder, as vectors."),
        click.option(
            "--baseline", type=_FILE, help="A file that names the checks that are known to fail, one on each line."
        ),
        click.option("--all", is_flag=True, help="Show all failures, and the counts of rules of which nothing fails."),
        click.option("--junit", type=_FILE, help="Write the findings to this file, as JUnit XML."),
    ]
    for option in reversed(options):
        with_extra = option(with_extra)
    return with_extra  # type: ignore[return-value]


def _usable_cores() -> int:
    """As many as the operating system lets this process run on, where it tells; it may have been told to use fewer."""
    affinity = getattr(os, "sched_getaffinity", None)
    return len(affinity(0)) if affinity is not None else os.cpu_count() or 1


@click.group()
def conformance() -> None:
    """Check an engine against the rules of spec/, or this one against the kit of another standard.

    The rules need the extra `testing`.
    """


@conformance.command(epilog=_EPILOG)
@_check_options
@click.option(
    "--mutants",
    type=click.IntRange(0),
    default=20000,
    show_default=True,
    help="Break each rule on purpose, and see that vectors and this many random graphs notice it; fewer "
    "than 20000 may not notice all. 0 leaves it out.",
)
@click.option(
    "--jobs",
    type=click.IntRange(1),
    default=_usable_cores,
    show_default="the cores that this process may use",
    help="On how many processes. What is found is the same.",
)
@click.option(
    "--durable",
    is_flag=True,
    help="Instead of all that: let kept runs die at every operation on their journal, in each vector and each random "
    "graph, resume them, and compare with runs that nothing disturbed, canonical trace included.",
)
@click.option("--moments", is_flag=True, help="With --durable: let them take moments as often as they can.")
def engine(mutants: int, durable: bool, moments: bool, **options: Any) -> int:
    """Check the engine of this installation, and whether the checks notice an engine that breaks a rule."""
    if durable:
        from trioflow.cli.crashes import check_crashes  # noqa: PLC0415 - its packages are optional

        chosen = options["vectors"], options["rules"], options["level"]
        return check_crashes(*chosen, options["examples"], options["seed"], moments=moments)
    from trioflow.cli.checks import Settings, check  # noqa: PLC0415 - its packages are optional
    from trioflow.conformance.engine import EnginePort  # noqa: PLC0415 - as above
    from trioflow.conformance.mutants import check_mutants  # noqa: PLC0415 - as above

    return check(
        EnginePort,
        Settings(**options),
        (lambda vectors: partial(check_mutants, vectors=vectors, examples=mutants)) if mutants else None,
    )


@conformance.command(epilog=_EPILOG)
@_check_options
@click.option(
    "--jobs",
    type=click.IntRange(1),
    default=1,
    show_default=True,
    help="On how many processes, each with a process of the port. What is found is the same.",
)
@click.argument("command", nargs=-1, required=True, type=click.UNPROCESSED)
def port(command: tuple[str, ...], **options: Any) -> int:
    """Check a port, which is an engine in any language. COMMAND starts it; spec/INTERPRETING.md says what it is asked.

    \b
    For example:
      trioflow conformance port -- node spec/ports/js/port.mjs
    """
    from trioflow.cli.checks import Settings, check  # noqa: PLC0415 - its packages are optional
    from trioflow.conformance.port import ProcessPort  # noqa: PLC0415 - as above

    return check(partial(ProcessPort, command), Settings(**options))


@conformance.command("serverless-workflow", epilog="Exit codes: 0 all scenarios pass; 1 one does not; 2 bad input.")
@click.argument("folder", type=click.Path(file_okay=False, exists=True, path_type=Path))
def serverless_workflow(folder: Path) -> int:
    """Run the conformance kit of Serverless Workflow 1.0: the features in FOLDER, each scenario as a run.

    The two hosts that its scenarios call are served on loopback; nothing leaves this machine.
    """
    from trioflow.conformance.serverless.gherkin import BadFeature, read_features  # noqa: PLC0415 - its packages
    from trioflow.conformance.serverless.kit import judge  # noqa: PLC0415 - as above

    try:
        scenarios = read_features(folder)
        if not scenarios:
            raise BadInput(f"{folder}: there is no scenario in a file *.feature.")
        verdicts = judge(scenarios)
    except (BadFeature, OSError, UnicodeError) as error:
        raise BadInput(f"{folder}: {error}") from error
    except MissingExtra as error:
        raise BadInput(str(error)) from error
    widths = [
        max(len(each) for each in column) for column in zip(*((s.feature, s.name) for s in scenarios), strict=True)
    ]
    for each in verdicts:
        feature, name = each.scenario.feature, each.scenario.name
        word = "failed" if each.problem else "passed"
        click.echo(visible(f"{feature:{widths[0]}}  {name:{widths[1]}}  {word}"))
        if each.problem:
            click.echo(visible(f"{'':{widths[0]}}  {each.problem}"))
    passed = sum(not each.problem for each in verdicts)
    click.echo(f"{passed} of {len(verdicts)} scenarios pass")
    return 0 if passed == len(verdicts) else 1
