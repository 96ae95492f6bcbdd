"""`trioflow run`: run a graph, show how it goes, say how it went."""

from __future__ import annotations

import contextlib
import sys
import traceback
from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager
from functools import partial
from typing import Any, Literal

import attrs
import click
import trio

import trioflow as tf
from trioflow.cli.bad_input import BadInput
from trioflow.cli.counted import counted
from trioflow.cli.display import Display
from trioflow.cli.failure import Failure
from trioflow.cli.foreign import Foreign
from trioflow.cli.interrupt import on_interrupt
from trioflow.cli.kept import (
    Continued,
    NotContinued,
    by_option,
    journal_option,
    open_journal,
    suspend_option,
    tell_begun,
    tell_signals,
)
from trioflow.cli.live import LiveDisplay, display_for
from trioflow.cli.places import place_option, read_places
from trioflow.cli.secret import read_secrets
from trioflow.cli.source import Source, allow_option, graph_argument, open_source
from trioflow.cli.streams import stdout_is_for_results, when_nobody_reads
from trioflow.cli.telemetry import Telemetry, telemetry_options
from trioflow.cli.trace import Trace
from trioflow.cli.values import read_settings
from trioflow.durable.events import RunContinued
from trioflow.formats import visible
from trioflow.formats.known import result_of
from trioflow.model.jsonable import to_json
from trioflow.model.secret import hide

DONE, FAILED, BAD_INPUT, PUT_AWAY, NOT_CONTINUED, INTERRUPTED = 0, 1, 2, 3, 4, 130


Begin = Callable[[], AbstractAsyncContextManager[tf.Run]]


@attrs.define
class Outcome:
    """How a run ended."""

    statistics: tf.RunStatistics
    result: tf.RunResult | None = None
    failure: Failure | None = None
    interrupted: bool = False
    variables: Mapping[str, Any] | None = None
    """Of a run that has not come to its end: what it has left in them."""
    unread: bool = False
    """Whether whoever read what it printed has gone, which has cancelled it."""

    @property
    def exit_code(self) -> int:
        if self.failure is not None:
            if self.failure.is_put_away:
                return PUT_AWAY
            if self.failure.is_of_journal:
                return NOT_CONTINUED
            return INTERRUPTED if self.interrupted else BAD_INPUT if self.failure.is_bad_input else FAILED
        return DONE if self.result is not None else INTERRUPTED


@click.command(
    epilog="Exit codes: 0 done; 1 the graph failed; 2 bad usage, bad input or an invalid graph, and nothing was done; "
    "3 the run was put away and waits; 4 the run can't be kept or resumed; 130 interrupted; "
    "141 whoever read the output has gone, and the run was "
    "cancelled."
)
@graph_argument
@allow_option
@click.option(
    "--set",
    "settings",
    metavar="NAME=VALUE",
    multiple=True,
    help="Start value of a variable of the graph, read by the variable's type: text as it is, lists and dicts as JSON. "
    "Anything that is JSON, or else text, for a variable of any type. May be repeated.",
)
@click.option(
    "--secret",
    "secrets",
    metavar="NAME",
    multiple=True,
    help="A secret that the graph names: the value of the environment variable NAME. NAME=@FILE reads it from a file. "
    "It is shown nowhere. May be repeated.",
)
@place_option
@click.option("--parallel", is_flag=True, help="Run the graph's initiators concurrently.")
@click.option("--max-steps", type=click.IntRange(min=1), metavar="N", help="Fail after N steps.")
@click.option("--timeout", type=float, metavar="SECONDS", help="Fail after this many seconds.")
@click.option("--trace", metavar="FILE", help="Write every event of the run into FILE, anew, as lines of JSON.")
@telemetry_options
@click.option(
    "--json",
    "as_json",
    is_flag=True,
    help="Write one JSON object to stdout: status, variables, statistics, error. What the graph prints goes to stderr.",
)
@journal_option
@by_option
@click.option(
    "--id", "run_id", metavar="ID", help="The name of the run in the journal. If it is there already, it is resumed."
)
@suspend_option
@click.option(
    "--changed",
    is_flag=True,
    help="Resume it although GRAPH, or the code of nodes, has changed, as long as it does what is recorded.",
)
@click.option("--traceback", "with_traceback", is_flag=True, help="Show where in the Python code a failure arose.")
def run(
    graph: str,
    modules: tuple[str, ...],
    foreign: Foreign,
    allowed: tuple[Literal["scripts"], ...],
    settings: tuple[str, ...],
    secrets: tuple[str, ...],
    places: tuple[str, ...],
    parallel: bool,
    max_steps: int | None,
    timeout: float | None,
    trace: str | None,
    as_json: bool,
    journal: str | None,
    by: str | None,
    run_id: str | None,
    suspend_after: float | None,
    changed: bool,
    with_traceback: bool,
    **wanted: Any,
) -> int:
    """Run GRAPH. What it prints or gives goes to stdout; progress, feedback and a summary go to stderr.

    Ctrl-C cancels the run: its nodes clean up first. A second Ctrl-C kills it at once. SIGTERM and SIGHUP do the same.

    \b
    trioflow run fizzbuzz
    trioflow run census --set root=. --set report=census.json
    trioflow run census --set root=. --journal runs.db --id monday

    With a journal the run can be killed at any time: the same command resumes it where it was.
    """
    if (journal is None) is not (run_id is None):
        raise BadInput("--journal FILE and --id ID come together: where the run is kept, and under which name.")
    if run_id == "":
        raise BadInput("--id is empty: it is the name by which the run is resumed.")
    if suspend_after is not None and journal is None:
        raise BadInput("--suspend-after SECONDS is for runs that are kept: give --journal FILE and --id ID, too.")
    if changed and journal is None:
        raise BadInput("--changed is for runs that are kept: give --journal FILE and --id ID, too.")
    source = open_source(graph, modules, allowed, foreign)
    given = tf.RunArguments(variables=read_settings(source.graph, settings), secrets=read_secrets(secrets))
    given["services"] = read_places(places)
    try:
        given["options"] = tf.RunOptions(max_steps=max_steps, timeout=timeout, parallel_initiators=parallel)
    except ValueError as error:
        raise BadInput(f"--timeout {timeout:g}: it must be more than 0.") from error
    plan = source.plan()
    if trace is not None:
        source.refuse_to_replace(trace, "--trace", "the trace")
    telemetry = Telemetry(source, plan, **wanted)
    source.tell_import()
    begin: Begin = lambda: tf.open_run(plan, **given)  # noqa: E731 - the usual one of two
    if journal is not None and run_id is not None:
        kept = open_journal(journal, by)
        given["journal"], given["run_id"] = kept, run_id
        given["services"] = {tf.Journal: kept, **read_places(places)}
        given["suspend_after"] = suspend_after
        if changed and _is_begun(kept, run_id):
            begin = partial(_resume_changed, kept, run_id, plan, given)
    return carry_out(source, begin, given, telemetry, trace, as_json, with_traceback)


def _is_begun(journal: tf.Journal, run_id: str) -> bool:
    """Whether a run is in its journal."""
    try:
        journal.show(run_id)
    except (tf.RunNotFound, tf.JournalUnusable):
        return False  # whatever is wrong with the journal is told when the run begins
    return True


def _resume_changed(
    journal: tf.Journal, run_id: str, plan: tf.Plan, given: tf.RunArguments
) -> AbstractAsyncContextManager[tf.Run]:
    return tf.resume_run(
        journal,
        run_id,
        plan,
        on_change="compatible",
        secrets=given.get("secrets"),
        services=given.get("services"),
        options=given.get("options"),
        observers=given.get("observers", ()),
        suspend_after=given.get("suspend_after"),
    )


def carry_out(
    source: Source,
    begin: Begin,
    given: tf.RunArguments,
    telemetry: Telemetry,
    trace: str | None,
    as_json: bool,
    with_traceback: bool,
) -> int:
    """Run what `begin` opens, with a display, and say how it went; gives the exit code."""
    with contextlib.ExitStack() as stack:
        tracer = stack.enter_context(Trace(trace)) if trace is not None else None
        display = display_for(sys.stderr)
        display.left = telemetry.left
        with stdout_is_for_results() if as_json else contextlib.nullcontext():
            outcome = trio.run(_execute, begin, source, given, display, tracer, telemetry)
    if not outcome.unread or outcome.failure is not None:
        _summarise(outcome, display, with_traceback)
    if outcome.exit_code == INTERRUPTED and "run_id" in given:
        click.echo(f"run {given['run_id']!r} is kept: the same command resumes it", err=True)
    telemetry.write()
    code, lost = outcome.exit_code, True
    with contextlib.suppress(OSError):  # which is said in the end, in whatever command it happens
        if as_json:
            click.echo(to_json(_as_json(outcome)))
        elif outcome.result is not None and (name := result_of(source.graph)):
            click.echo(to_json(outcome.result.variables[name]))
        sys.stdout.flush()
        lost = False
    problems = [each.problem for each in (tracer, telemetry) if each is not None and each.problem is not None]
    for problem in problems:
        click.echo(f"error: {problem}", err=True)
    return code or (FAILED if problems or lost else DONE)


async def _execute(
    begin: Begin,
    source: Source,
    given: tf.RunArguments,
    display: Display,
    tracer: Trace | None,
    telemetry: Telemetry,
) -> Outcome:
    outcome: Outcome | None = None
    observers: list[tf.Observer] = [display.tally, *telemetry.observers, *([] if tracer is None else [tracer])]
    given["observers"] = [*observers, tf.observe(Continued(display), kinds=[RunContinued])]
    opened: tf.Run | None = None
    failure: BaseException | None = None
    interrupted = unread = False
    token = trio.lowlevel.current_trio_token()
    try:
        await telemetry.begin(given)
        async with telemetry.around(display.line), begin() as opened:
            running = opened
            tell_begun(running, display)
            await telemetry.begun(running, given)

            def cancel() -> None:
                nonlocal interrupted
                interrupted = True
                display.line("interrupted: cancelling; once more kills at once")
                running.cancel()

            def leave() -> None:  # may be called in any thread
                nonlocal unread
                unread = True
                token.run_sync_soon(running.cancel, idempotent=True)

            at_once = display.show_cursor if isinstance(display, LiveDisplay) else lambda: None
            with on_interrupt(cancel, at_once), when_nobody_reads(leave):
                outcome = await _watch(running, source, display)
    except BaseException as error:  # what a body raises that is no Exception, such as SystemExit, comes in groups
        if isinstance(error, tf.JournalError) and opened is None:
            raise NotContinued(str(error)) from error
        if opened is None:
            raise
        failure = error
    assert opened is not None
    if outcome is None or failure is not None:
        assert failure is not None
        outcome = Outcome(opened.statistics(), failure=Failure(failure))
    outcome.interrupted, outcome.unread = interrupted, unread
    if outcome.result is None and not (outcome.failure is not None and outcome.failure.is_bad_input):
        outcome.variables = opened.variables()
    return outcome


async def _watch(running: tf.Run, source: Source, display: Display) -> Outcome:
    """Wait for the end of the run with the display up."""
    result: tf.RunResult | None = None
    failure: Failure | None = None
    display.open(running)
    try:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(display.refresh)
            nursery.start_soon(tell_signals, running, display)
            try:
                result = await running.result()
            except tf.RunAborted:
                pass
            except Exception as error:
                failure = Failure(error)
            nursery.cancel_scope.cancel()
    finally:
        display.close()
    return Outcome(running.statistics(), result, failure)


def _summarise(outcome: Outcome, display: Display, with_traceback: bool) -> None:
    statistics, tally = outcome.statistics, display.tally
    if outcome.exit_code == PUT_AWAY and outcome.failure is not None:
        click.echo(visible(str(outcome.failure.error)), err=True)
    elif outcome.failure is not None:
        if with_traceback:
            click.echo(hide("".join(traceback.format_exception(outcome.failure.error))), err=True, nl=False)
        for line in outcome.failure.lines():
            click.echo(line, err=True)
        if outcome.exit_code == BAD_INPUT:
            return
    if tally.conflicts:
        conflicts = ", ".join(f"{name!r} {count:,} times" for name, count in tally.conflicts.items())
        click.echo(f"warning: concurrent writes got lost (the last one was kept): {conflicts}", err=True)
    ended = {} if outcome.exit_code == PUT_AWAY else tally.cancelled()  # what waits in a run that is put away goes on
    cancelled = ", ".join(f"{node} ({count:,})" for node, count in ended.items())
    click.echo(
        f"{_WORDS[outcome.exit_code]} after {statistics.elapsed:.2f} s: {counted(statistics.steps, 'step')}, "
        f"{counted(statistics.evaluations, 'evaluation')}, {counted(statistics.forks, 'concurrent strand')}"
        + (f"; cancelled: {cancelled}" if cancelled else ""),
        err=True,
    )


_WORDS = {
    DONE: "done",
    FAILED: "failed",
    PUT_AWAY: "put away",
    NOT_CONTINUED: "not continued",
    INTERRUPTED: "interrupted",
}


def _as_json(outcome: Outcome) -> dict[str, Any]:
    statistics = attrs.asdict(outcome.statistics)
    del statistics["status"]
    return {
        "status": "suspended" if outcome.exit_code == PUT_AWAY else outcome.statistics.status.value,
        "variables": outcome.result.variables if outcome.result is not None else outcome.variables,
        "statistics": statistics,
        "error": outcome.failure.as_json() if outcome.failure is not None else None,
    }
