"""`trioflow runs`: look at the runs of a journal, and resume them."""

from __future__ import annotations

import datetime
import json
from collections import Counter
from typing import Any, Literal

import attrs
import click

import trioflow as tf
from trioflow.cli.bad_input import BadInput
from trioflow.cli.counted import counted
from trioflow.cli.failure import say
from trioflow.cli.kept import NotContinued, by_option, journal_option, open_journal, suspend_option
from trioflow.cli.places import place_option, read_places
from trioflow.cli.run import PUT_AWAY, carry_out
from trioflow.cli.secret import read_secrets
from trioflow.cli.source import Source, allow_option, nodes_option, open_registry, open_source
from trioflow.cli.telemetry import Telemetry, telemetry_options
from trioflow.cli.values import read_settings
from trioflow.durable.archive import export_lines, import_lines
from trioflow.durable.blobs import outcome_of, references, texts_of
from trioflow.durable.codec import decode_failure
from trioflow.durable.deeds import note
from trioflow.durable.elapsed import ELAPSED
from trioflow.durable.keys import path_of, read_path
from trioflow.durable.moment import MOMENTS
from trioflow.durable.records import Deed, Entry, RunInfo
from trioflow.durable.whole import discarded, whole
from trioflow.errors import did_you_mean
from trioflow.formats import visible
from trioflow.model.jsonable import to_json
from trioflow.semantics.address import show_path


@click.group(
    epilog="Exit codes: 0 done; 1 the graph failed; 2 bad usage or bad input; 3 the run was put away and waits; "
    "4 the run can't be resumed; "
    "130 interrupted."
)
def runs() -> None:
    """Look at the runs that a journal keeps, and resume them."""


def _journal(name: str | None, by: str | None = None) -> tf.Journal:
    if name is None:
        raise BadInput("--journal FILE: say where the runs are kept.")
    return open_journal(name, by)


class _Asking:
    """What a journal refuses, as an error of the command."""

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: object, error: BaseException | None, traceback: object) -> None:
        if isinstance(error, tf.RunNotFound):
            raise BadInput(str(error)) from error
        if isinstance(error, tf.JournalError):
            raise NotContinued(str(error)) from error


@runs.command("list")
@journal_option
@click.option(
    "--status", metavar="STATUS", help="Only those that are running, completed, failed, stuck, suspended or pruned."
)
@click.option("--json", "as_json", is_flag=True, help="Write a JSON object for each run, one a line.")
def list_(journal: str | None, status: str | None, as_json: bool) -> int:
    """List all runs: name, status, when it was begun, records, who has it."""
    known = ("running", "completed", "failed", "stuck", "suspended", "pruned")
    if status is not None and status not in known:
        raise BadInput(f"--status {status}: there is no such status.{did_you_mean(status, known)}")
    with _Asking():
        found = _journal(journal).runs(status)  # type: ignore[arg-type]
    for info in found:
        if as_json:
            click.echo(to_json(_summary(info)))
        else:
            has = "had it when it died" if info.has_died else "has it"
            owner = f", {info.owner} {has}" if info.owner is not None else ""
            click.echo(
                visible(
                    f"{info.id}  {info.status}  {_when(info.new.created)}  "
                    f"{counted(info.state.entries, 'record')}{owner}"
                )
            )
    if not found and not as_json:
        click.echo("no runs", err=True)
    return 0


@runs.command()
@click.argument("run_id", metavar="ID")
@journal_option
@click.option("--history", is_flag=True, help="Also what was recorded and superseded.")
@click.option("--audit", is_flag=True, help="Also what was done to it, when, and by whom.")
@click.option("--json", "as_json", is_flag=True, help="Write one JSON object.")
def show(run_id: str, journal: str | None, history: bool, audit: bool, as_json: bool) -> int:
    """Show a run: what it is, and what was recorded of each node."""
    with _Asking():
        store = _journal(journal)
        info, entries = store.show(run_id), whole(store, run_id)
        superseded = discarded(store, run_id) if history else []
        deeds = store.audit(run_id) if audit else []
    nodes = _by_node(entries)
    if as_json:
        told: dict[str, Any] = {**_summary(info), "nodes": nodes, "history": [_line(each) for each in superseded]}
        if audit:
            told["audit"] = [attrs.asdict(each) for each in deeds]
        click.echo(to_json(told))
        return 0
    _show_summary(_summary(info))
    for name, node in nodes.items():
        kinds = ", ".join(f"{kind} {count:,}" for kind, count in node["records"].items())
        click.echo(
            visible(f"  {name}: {kinds}; last at {node['last']}" + (f"; {node['error']}" if node["error"] else ""))
        )
    for each in superseded:
        click.echo(visible(f"  superseded: {_line(each)}"))
    for deed in deeds:
        click.echo(visible(f"  {_say_deed(deed)}"))
    return 0


def _show_summary(summary: dict[str, Any]) -> None:
    for name in ("id", "status", "begun", "ended", "seed", "records", "owner", "parent"):
        if summary[name] is not None:
            click.echo(visible(f"{name}: {summary[name]}"))
    if summary["error"] is not None:
        click.echo(visible(f"error: {summary['error']}"))
    if summary["waits_for"] is not None:
        click.echo(visible(f"waits for: {summary['waits_for']}"))
    for place in summary["failed_at"]:
        click.echo(f"failed at: {place}")


@runs.command()
@click.argument("run_id", metavar="[ID]", required=False)
@journal_option
@by_option
@nodes_option
@click.option(
    "--due",
    is_flag=True,
    help="All that were put away and now have something to do: their timer has run out, or a signal came.",
)
@suspend_option
@allow_option
@click.option(
    "--retry", is_flag=True, help="Also resume a run that has failed, or is stuck: what failed is done again."
)
@click.option(
    "--skip", "skips", metavar="PATH", multiple=True, help="With --retry: leave out what failed at this path."
)
@click.option(
    "--changed", is_flag=True, help="Accept nodes whose code has changed, as long as the run does what is recorded."
)
@click.option("--secret", "secrets", metavar="NAME", multiple=True, help="As for `trioflow run`.")
@place_option
@click.option("--trace", metavar="FILE", help="As for `trioflow run`.")
@telemetry_options
@click.option("--json", "as_json", is_flag=True, help="As for `trioflow run`.")
@click.option("--traceback", "with_traceback", is_flag=True, help="As for `trioflow run`.")
def resume(
    run_id: str | None,
    journal: str | None,
    by: str | None,
    modules: tuple[str, ...],
    due: bool,
    suspend_after: float | None,
    allowed: tuple[Literal["scripts"], ...],
    retry: bool,
    skips: tuple[str, ...],
    changed: bool,
    secrets: tuple[str, ...],
    places: tuple[str, ...],
    trace: str | None,
    as_json: bool,
    with_traceback: bool,
    **wanted: Any,
) -> int:
    """Resume a run by its name: the graph is in the journal. With --due, resume all that need it, in turn."""
    if (run_id is None) is not due:
        raise BadInput("Name the run to resume, or say --due for all that were put away and have something to do.")
    skip = [_path(each) for each in skips]
    if skip and not retry:
        raise BadInput("--skip PATH says what to leave out when a run is retried: say --retry, too.")
    store = _journal(journal, by)

    def go_on(run_id: str, after: float | None) -> int:
        return _go_on(
            store, run_id, modules, allowed, secrets, places, trace, as_json, with_traceback, wanted,
            retry=retry, skip=skip, on_change="compatible" if changed else "refuse", suspend_after=after,
        )  # fmt: skip

    if run_id is not None:
        return go_on(run_id, suspend_after)
    with _Asking():
        ready = store.ready(datetime.datetime.now(datetime.UTC).timestamp())
    codes: list[int] = []
    for info in ready:
        click.echo(visible(f"run {info.id!r}:"), err=True)
        try:
            codes.append(go_on(info.id, suspend_after or 0.0))
        except NotContinued as error:  # the others are resumed all the same
            error.show()
            codes.append(error.exit_code)
    click.echo(f"{counted(len(ready), 'run')} had something to do", err=True)
    return max((code for code in codes if code != PUT_AWAY), default=0)


def _go_on(
    store: tf.Journal,
    run_id: str,
    modules: tuple[str, ...],
    allowed: tuple[Literal["scripts"], ...],
    secrets: tuple[str, ...],
    places: tuple[str, ...],
    trace: str | None,
    as_json: bool,
    with_traceback: bool,
    wanted: dict[str, Any],
    **resuming: Any,
) -> int:
    with _Asking():
        info = store.show(run_id)
    if not info.new.document:
        raise NotContinued(f"The graph of run {run_id!r} is not in the journal: resume it from its program.")
    source = Source(f"run {run_id!r}", tf.loads(info.new.document), open_registry(modules, allowed=allowed))
    plan = source.plan()
    given = tf.RunArguments(secrets=read_secrets(secrets), services=read_places(places), journal=store, run_id=run_id)
    return carry_out(
        source,
        lambda: tf.resume_run(
            store,
            run_id,
            plan,
            **resuming,
            secrets=given.get("secrets"),
            services=given.get("services"),
            observers=given.get("observers", ()),
        ),
        given,
        Telemetry(source, plan, **wanted),
        trace,
        as_json,
        with_traceback,
    )


@runs.command()
@journal_option
@by_option
@click.option(
    "--ended-before", metavar="DAYS", type=float, default=0.0, help="Only runs that ended at least this many days ago."
)
@click.option("--id", "ids", metavar="ID", multiple=True, help="Only this run. May be repeated.")
def prune(journal: str | None, by: str | None, ended_before: float, ids: tuple[str, ...]) -> int:
    """Remove ended runs. Their names stay, and are never used again; so does the record of who did what to them."""
    store = _journal(journal, by)
    latest = datetime.datetime.now(datetime.UTC).timestamp() - ended_before * 86_400
    with _Asking():
        found = [store.show(each) for each in ids] if ids else store.runs()
        chosen = [
            each
            for each in found
            if (ids and each.state.ended is None)  # which the journal refuses, and says why
            or (each.status in {"completed", "failed"} and (each.state.ended or 0) <= latest)
        ]
        for each in chosen:
            store.prune(each.id)
            note(store, each.id, "pruned")
    click.echo(f"pruned {counted(len(chosen), 'run')}", err=True)
    return 0


@runs.command()
@journal_option
def check(journal: str | None) -> int:
    """Read everything in a journal, and say whether it is what was written."""
    store = _journal(journal)
    problems = 0
    with _Asking():
        found = store.runs()
    for info in found:
        try:
            for digest in references([*texts_of(store.entries(info.id)), info.state.outcome]):
                store.blob(digest)
            store.audit(info.id)
        except tf.JournalError as error:
            problems += 1
            click.echo(f"error: {error}", err=True)
    click.echo(f"{counted(len(found), 'run')}, {problems:,} damaged")
    return 4 if problems else 0


@runs.command()
@journal_option
def vacuum(journal: str | None) -> int:
    """Give back the room of what was removed, and remove what a process that died may have left behind."""
    with _Asking():
        _journal(journal).vacuum()
    return 0


@runs.command("export")
@click.argument("run_id", metavar="ID")
@journal_option
def export_(run_id: str, journal: str | None) -> int:
    """Write a run to stdout as lines of JSON with checksums, which `runs import` reads."""
    with _Asking():
        for line in export_lines(_journal(journal), run_id):
            click.echo(line)
    return 0


@runs.command("import")
@click.argument("file", type=click.File(encoding="utf-8"))
@journal_option
@by_option
@click.option("--id", "run_id", metavar="ID", help="Another name for the run.")
def import_(file: Any, journal: str | None, by: str | None, run_id: str | None) -> int:
    """Take a run from FILE (- for stdin) into a journal."""
    with _Asking():
        info = import_lines(_journal(journal, by), file, run_id)
    click.echo(f"imported run {info.id!r}: {info.state.status}, {counted(info.state.entries, 'record')}", err=True)
    return 0


@runs.command()
@journal_option
@click.option("--json", "as_json", is_flag=True, help="Write one JSON object.")
def stats(journal: str | None, as_json: bool) -> int:
    """Count runs by status, and records and failures by node, over all runs."""
    store = _journal(journal)
    statuses: Counter[str] = Counter()
    records: Counter[str] = Counter()
    failures: Counter[str] = Counter()
    with _Asking():
        for info in store.runs():
            statuses[info.status] += 1
            for entry in whole(store, info.id):
                if entry.kind not in MOMENTS:
                    records[entry.node] += 1
                    failures[entry.node] += _error_of(entry) is not None
    if as_json:
        click.echo(to_json({"runs": dict(statuses), "records": dict(records), "failures": dict(+failures)}))
        return 0
    for status, count in statuses.most_common():
        click.echo(f"{status}: {counted(count, 'run')}")
    for node, count in records.most_common():
        click.echo(visible(f"  {node}: {counted(count, 'record')}, {counted(failures[node], 'failure')}"))
    return 0


@runs.command()
@click.argument("run_id", metavar="ID")
@click.argument("path")
@journal_option
@click.option("--json", "as_json", is_flag=True, help="Write one JSON object.")
def at(run_id: str, path: str, journal: str | None, as_json: bool) -> int:
    """Tell what effects had written when a run came to PATH, such as 0.1.4."""
    with _Asking():
        past = tf.past_of(_journal(journal), run_id, _path(path))
    if as_json:
        click.echo(to_json(attrs.asdict(past)))
        return 0
    click.echo(f"{counted(past.recorded, 'record')} before, the last at {past.last}")
    for name, value in past.variables.items():
        click.echo(visible(f"  ${name} = {value!r}"))
    for name, value in past.outputs.items():
        click.echo(visible(f"  {name} = {value!r}"))
    return 0


@runs.command()
@click.argument("run_id", metavar="ID")
@click.argument("new_id", metavar="NEW")
@journal_option
@by_option
@click.option("--at", "path", metavar="PATH", help="What was done at this path and after it is done again.")
@click.option("--graph", metavar="FILE", help="Another graph to resume with; it must do what was recorded, too.")
@nodes_option
@click.option("--set", "settings", metavar="NAME=VALUE", multiple=True, help="Another start value of a variable.")
def fork(
    run_id: str,
    new_id: str,
    journal: str | None,
    by: str | None,
    path: str | None,
    graph: str | None,
    modules: tuple[str, ...],
    settings: tuple[str, ...],
) -> int:
    """Begin the run NEW with what was recorded of ID: all of it, or, with --at, what came before a path.

    `runs resume NEW` then resumes it.
    """
    store = _journal(journal, by)
    at = None if path is None else _path(path)
    other = None if graph is None else tf.dumps(open_source(graph, modules).graph)
    with _Asking():
        document = other or store.show(run_id).new.document
        variables = read_settings(tf.loads(document), settings) if settings else {}
        info = tf.fork_run(store, run_id, new_id, at=at, variables=variables, graph=other)
    click.echo(f"run {new_id!r} begins with {counted(info.state.entries, 'record')} of {run_id!r}", err=True)
    return 0


@runs.command()
@click.argument("run_id", metavar="ID")
@click.argument("name")
@journal_option
@click.option("--payload", metavar="JSON", default="null", help="What is sent with it.")
@click.option("--key", metavar="KEY", help="Of several signals with the same key only the first counts.")
@by_option
def signal(run_id: str, name: str, journal: str | None, payload: str, key: str | None, by: str | None) -> int:
    """Send a run the signal NAME, whether a process has the run or not."""
    try:
        value = json.loads(payload)
    except ValueError as error:
        raise BadInput(f"--payload {payload}: it must be JSON, such as true ({error}).") from error
    with _Asking():
        store = _journal(journal, by)
        new = tf.send_signal(store, run_id, name, value, key=key)
        waiting = store.show(run_id).state.waiting
    again = f"a signal with the key {key!r} was sent before; this one counts for nothing"
    click.echo("sent" if new else again, err=True)
    if waiting is not None and name not in waiting.signals:
        told = " or ".join(map(repr, waiting.signals)) or "a timer"
        click.echo(visible(f"run {run_id!r} was put away, and waits for {told}: it keeps this one for later"), err=True)
    return 0


@runs.command()
@click.argument("run_id", metavar="ID")
@click.argument("path")
@journal_option
@by_option
@click.option("--again", is_flag=True, help="It was not done: begin it again.")
@click.option(
    "--output", "outputs", metavar="NAME=JSON", multiple=True, help="It was done, with this. May be repeated."
)
@click.option("--exit", "left_at", metavar="NAME", default="then", help="The exec output at which it goes on.")
def settle(
    run_id: str,
    path: str,
    journal: str | None,
    by: str | None,
    again: bool,
    outputs: tuple[str, ...],
    left_at: str,
) -> int:
    """Say what came of an activation that is in doubt. After that `runs resume` goes on."""
    values: dict[str, Any] = {}
    for each in outputs:
        name, _, text = each.partition("=")
        try:
            values[name] = json.loads(text)
        except ValueError as error:
            raise BadInput(f"--output {each}: write NAME=JSON ({error}).") from error
    with _Asking():
        tf.settle(_journal(journal, by), run_id, _path(path), again=again, outputs=values, exit=left_at)
    click.echo("settled", err=True)
    return 0


# --- inside ----------------------------------------------------------------------------------------------------------


def _path(text: str) -> tuple[int, ...]:
    try:
        return read_path(text)
    except ValueError as error:
        raise BadInput(f"{error}.") from error


def _summary(info: RunInfo) -> dict[str, Any]:
    said: dict[str, Any] = json.loads(outcome_of(info)) if info.state.outcome else {}
    error = said.get("e")
    return {
        "id": info.id,
        "status": info.status,
        "begun": _when(info.new.created),
        "ended": None if info.state.ended is None else _when(info.state.ended),
        "seed": info.new.seed,
        "records": info.state.entries,
        "owner": info.owner,
        "waits_for": _waits_for(info),
        "parent": info.new.parent,
        "error": None if error is None else _say_error(error),
        "failed_at": [f"{show_path(path)} (node {node})" for path, node, _ in said.get("at", ())],
    }


def _waits_for(info: RunInfo) -> str | None:
    waiting = info.state.waiting
    if waiting is None:
        return None
    told = [f"signal {name!r}" for name in waiting.signals]
    if waiting.due is not None:
        told.append(f"due {_when(waiting.due)}")
    return "; ".join(told) or "somebody to resume it"


def _by_node(entries: list[Entry]) -> dict[str, Any]:
    nodes: dict[str, Any] = {}
    for entry in entries:
        if entry.kind in MOMENTS or entry.kind == ELAPSED:
            continue  # of what a moment has superseded, and is not kept, nothing is known; and time is of no node
        node = nodes.setdefault(entry.node, {"records": Counter(), "last": "", "error": None})
        node["records"][entry.kind] += 1
        node["last"] = show_path(path_of(entry.key))
        error = _error_of(entry)
        if error is not None:
            node["error"] = error
    return nodes


def _error_of(entry: Entry) -> str | None:
    if entry.kind not in {"done", "value", "once", "end"}:
        return None
    said = json.loads(entry.data)
    return _say_error(said["e"]) if isinstance(said, dict) and "e" in said else None


def _say_error(written: list[Any]) -> str:
    try:
        return say(decode_failure(written))
    except Exception:  # its class is not here: then by its name
        return f"{written[1]}: {', '.join(map(str, written[2]))}"


def _say_deed(deed: Deed) -> str:
    detail = f": {deed.detail}" if deed.detail else ""
    return f"{_when(deed.at)} {deed.what} by {deed.by or 'somebody'} ({deed.process}){detail}"


def _line(entry: Entry) -> str:
    return f"{show_path(path_of(entry.key))} {entry.node} {entry.kind} {entry.data}"


def _when(seconds: float) -> str:
    return datetime.datetime.fromtimestamp(seconds, datetime.UTC).isoformat(sep=" ", timespec="seconds")
