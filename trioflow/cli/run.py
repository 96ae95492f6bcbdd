"""`trioflow run`: run a graph, show what happens, leave with a code that says how it ended."""

from __future__ import annotations

import contextlib
import json
import signal
import sys
import traceback
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO, Any

import attrs
import click
import trio

from trioflow.cli.display import Watcher, watcher
from trioflow.cli.source import fail, graph_argument, nodes_option, open_graph
from trioflow.cli.trace import TraceWriter
from trioflow.errors import CoercionError, InvalidGraph, TrioflowError, UnknownName, did_you_mean
from trioflow.model.graph import Graph, Variable
from trioflow.runtime.failure import leaves, origin_node
from trioflow.runtime.options import RunOptions, RunResult
from trioflow.runtime.run import open_run
from trioflow.runtime.watch import Observer
from trioflow.semantics.plan import Plan, make_plan

INTERRUPTED = 130


@attrs.define
class Outcome:
    """How a run ended."""

    result: RunResult | None = None
    error: BaseException | None = None
    interrupted: bool = False


@click.command()
@graph_argument
@click.option("--set", "settings", multiple=True, metavar="NAME=VALUE", help="Set a variable. May be repeated.")
@nodes_option
@click.option("--parallel", is_flag=True, help="Run several initiators concurrently.")
@click.option("--max-steps", type=click.IntRange(min=1), help="Fail after so many dispatches.")
@click.option("--timeout", type=click.FloatRange(min=0, min_open=True), metavar="SECONDS", help="Fail after this time.")
@click.option("--seed", type=int, default=0, help="Of the nodes that use chance.")
@click.option("--trace", type=click.Path(path_type=Path), metavar="FILE", help="Write every event, as JSON lines.")
@click.option("--json", "as_json", is_flag=True, help="Print the result as one JSON object; no display.")
@click.option("--traceback", "with_traceback", is_flag=True, help="Show Python's traceback of a failure.")
def run(
    source: str,
    settings: Sequence[str],
    modules: Sequence[str],
    parallel: bool,
    max_steps: int | None,
    timeout: float | None,
    seed: int,
    trace: Path | None,
    as_json: bool,
    with_traceback: bool,
) -> None:
    """Run GRAPH.

    What the graph prints goes to standard output (with --json to standard error), all else to standard error. Ctrl-C cancels the run: nodes clean up,
    and the summary says what was cancelled; a second one ends it at once.
    """
    graph, registry = open_graph(source, modules)
    variables = parse_settings(graph, settings)
    options = RunOptions(parallel_initiators=parallel, max_steps=max_steps, timeout=timeout, seed=seed)
    try:
        plan = make_plan(graph, registry)
    except InvalidGraph as error:
        fail(f"{source}: {error}")
    with contextlib.ExitStack() as stack:
        observers: list[Observer] = []
        if trace is not None:
            observers.append(TraceWriter(stack.enter_context(_open_trace(trace))))
        watching = stack.enter_context(watcher(plain=as_json))
        observers.append(watching)
        if as_json:
            stack.enter_context(contextlib.redirect_stdout(sys.stderr))  # standard output is for the one object
        try:
            outcome = trio.run(_run, plan, variables, options, observers)
        except KeyboardInterrupt:
            raise SystemExit(INTERRUPTED) from None
    failure = outcome.error
    if isinstance(failure, UnknownName | CoercionError) and origin_node(failure) is None:
        fail(f"{source}: {failure}")  # of the settings, before anything ran
    _report(outcome, watching, as_json=as_json, with_traceback=with_traceback)


def parse_settings(graph: Graph, settings: Sequence[str]) -> dict[str, Any]:
    """`NAME=VALUE`s as values of the variables' types; leaves with code 2 if one does not fit."""
    declared = {variable.name: variable for variable in graph.variables}
    values: dict[str, Any] = {}
    for setting in settings:
        name, equals, text = setting.partition("=")
        if not equals:
            fail(f"--set {setting}: write NAME=VALUE.")
        variable = declared.get(name)
        if variable is None:
            fail(
                f"--set {setting}: the graph has no variable {name!r}.{did_you_mean(name, declared)} "
                f"It has: {', '.join(declared) or 'none'}."
            )
        values[name] = _parse(variable, text, setting)
    return values


def _parse(variable: Variable, text: str, setting: str) -> Any:
    if variable.type in ("str", "path"):
        return text
    try:
        return json.loads(text)
    except ValueError:
        if variable.type == "any":
            return text
        fail(f"--set {setting}: {variable.name!r} is of type {variable.type}; write its value as JSON.")


def _open_trace(path: Path) -> IO[str]:
    try:
        return path.open("w", encoding="utf-8")
    except OSError as error:
        fail(f"--trace {path}: can't be written: {error.strerror}.")


async def _run(
    plan: Plan, variables: Mapping[str, object], options: RunOptions, observers: Sequence[Observer]
) -> Outcome:
    outcome = Outcome()
    async with trio.open_nursery() as nursery:

        async def cancel_on_signal(*, task_status: trio.TaskStatus[None]) -> None:
            with trio.open_signal_receiver(signal.SIGINT, signal.SIGTERM) as signals:
                task_status.started()
                await anext(signals)
            # The receiver is closed, so a second Ctrl-C ends Python as it always does.
            outcome.interrupted = True
            nursery.cancel_scope.cancel()

        await nursery.start(cancel_on_signal)
        try:
            async with open_run(plan, variables=variables, options=options, observers=observers) as running:
                outcome.result = await running.result()
        except Exception as error:
            # Whatever the graph failed with is told to the person, not raised.
            outcome.error = error
        nursery.cancel_scope.cancel()
    return outcome


def _report(outcome: Outcome, watching: Watcher, *, as_json: bool, with_traceback: bool) -> None:
    error = outcome.error
    if with_traceback and error is not None:
        click.echo("".join(traceback.format_exception(error)), err=True, nl=False)
    if as_json:
        click.echo(json.dumps(_as_json(outcome), ensure_ascii=False, default=repr))
    if outcome.interrupted:
        cancelled = ", ".join(f"{node} ({count})" if count > 1 else node for node, count in watching.cancelled.items())
        watching.say(f"interrupted: {watching.summary()}; cancelled: {cancelled or 'nothing'}")
        raise SystemExit(INTERRUPTED)
    if error is not None:
        for line in describe_failure(error):
            click.echo(f"trioflow: {line}", err=True)
        raise SystemExit(1)
    if not as_json:
        click.echo(f"done: {watching.summary()}", err=True)


def describe_failure(error: BaseException) -> list[str]:
    """For each failure one line with node, path and cause."""
    lines: list[str] = []
    for leaf in leaves(error):
        origin = origin_node(leaf)
        where = f"node {origin[0]!r} (activation {origin[1].short}) failed: " if origin is not None else ""
        kind = "" if isinstance(leaf, TrioflowError) else f"{type(leaf).__name__}: "
        lines.append(f"{where}{kind}{leaf}")
        if origin is None:
            lines += getattr(leaf, "__notes__", [])
    return lines


def _as_json(outcome: Outcome) -> dict[str, Any]:
    if outcome.result is not None:
        result = outcome.result
        statistics = attrs.asdict(result.statistics)
        statistics["status"] = result.statistics.status.value
        return {
            "status": result.statistics.status.value,
            "variables": dict(result.variables),
            "outputs": result.outputs,
            "statistics": statistics,
        }
    if outcome.error is None:
        return {"status": "cancelled"}
    origin = origin_node(outcome.error)
    return {
        "status": "failed",
        "error": {
            "type": type(outcome.error).__name__,
            "message": str(outcome.error),
            "node": origin[0] if origin else None,
            "path": list(origin[1]) if origin else None,
        },
    }
