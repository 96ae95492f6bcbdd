"""What `trioflow run` writes for other tools: recordings, Perfetto traces, spans, metrics, each by its own option."""

from __future__ import annotations

import contextlib
import errno
import json
import os
from collections.abc import AsyncGenerator, Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import cattrs
import click
import trio

import trioflow as tf
from trioflow.cli.bad_input import BadInput
from trioflow.cli.sending import Sending
from trioflow.cli.source import Source
from trioflow.model.jsonable import to_json
from trioflow.semantics.tracking import RunReport, time_left
from trioflow.telemetry import (
    Metrics,
    Profile,
    Recorder,
    Recording,
    Spans,
    keep_traced,
    perfetto_trace,
    serve_metrics,
    traced_before,
)

_OPTIONS = (
    click.option(
        "--record",
        metavar="FILE",
        help="Record all events in FILE, for `trioflow profile FILE` and `trioflow studio FILE`.",
    ),
    click.option("--perfetto", metavar="FILE", help="Write a trace into FILE, for ui.perfetto.dev."),
    click.option(
        "--otel",
        is_flag=True,
        help="Send spans to OpenTelemetry, as OTEL_EXPORTER_OTLP_ENDPOINT and its kin say. Needs the extra `otel`.",
    ),
    click.option(
        "--metrics",
        type=click.IntRange(0, 65535),
        metavar="PORT",
        help="While it runs, answer http://127.0.0.1:PORT/metrics with counters for Prometheus; 0 for any free port.",
    ),
    click.option(
        "--report",
        metavar="FILE",
        help="Write into FILE, as JSON, what happened at each node, or why nothing did. If FILE has the report of an "
        "earlier run, a terminal shows how long this one may still take.",
    ),
    click.option("--profile", is_flag=True, help="Say at the end which nodes took how long."),
)


def telemetry_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """The options of this module, for a command that runs graphs."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


class Telemetry:
    """What was asked for: the observers, and what is done with them around and after a run.

    Raises `BadInput` for files that would replace the graph, and for what needs packages that are not there.
    """

    def __init__(
        self,
        source: Source,
        plan: tf.Plan,
        *,
        record: str | None,
        perfetto: str | None,
        otel: bool,
        metrics: int | None,
        report: str | None,
        profile: bool,
    ) -> None:
        self.problem: str | None = None
        self._port = metrics
        # By option: the file, and what writes it.
        self._files: dict[str, tuple[str, Callable[[Recording, str], None]]] = {}
        made: list[tf.Observer] = []
        self._recorder = Recorder(graph=source.graph) if record is not None or perfetto is not None or profile else None
        self._profile = profile
        if record is not None:
            _refuse(source, record, "--record", "the recording")
            self._files["--record"] = record, Recording.save
        if perfetto is not None:
            _refuse(source, perfetto, "--perfetto", "the trace")
            self._files["--perfetto"] = perfetto, _write_trace
        self._report: tuple[str, tf.Tracker] | None = None
        self._expected: RunReport | None = None
        if report is not None:
            _refuse(source, report, "--report", "the report")
            self._report = report, tf.Tracker(source.graph)
            self._expected = _earlier(report)
            made.append(self._report[1])
        self._counted = None if metrics is None else Metrics(plan)
        made += [each for each in (self._recorder, self._counted) if each is not None]
        self._sending = Sending() if otel else None
        self._spans = None if self._sending is None else Spans(self._sending.tracer)
        if self._spans is not None:
            made.append(self._spans)
        self.observers: Sequence[tf.Observer] = made

    def left(self, elapsed: float) -> float | None:
        """Seconds that the run may still take, by the report of an earlier one that this one's replaces."""
        if self._report is None or self._expected is None:
            return None
        left = time_left(self._report[1].report(elapsed), self._expected)
        before = self._expected.elapsed - elapsed
        return left if left is None or before < 0 else min(left, before)

    async def begin(self, given: tf.RunArguments) -> None:
        """Before a kept run is opened: find the span that it had in the process before."""
        journal, run_id = given.get("journal"), given.get("run_id")
        if self._spans is not None and isinstance(journal, tf.Journal) and run_id is not None:
            self._spans.after = await trio.to_thread.run_sync(traced_before, journal, run_id)

    async def begun(self, run: tf.Run, given: tf.RunArguments) -> None:
        """The run has been opened: look at it, and keep which span it has."""
        if self._counted is not None:
            self._counted.look_at(run)
        journal, run_id = given.get("journal"), given.get("run_id")
        if self._spans is not None and isinstance(journal, tf.Journal) and run_id is not None:
            while run.status is tf.RunStatus.NOT_STARTED:
                await trio.lowlevel.checkpoint()
            await trio.to_thread.run_sync(keep_traced, journal, run_id, self._spans)

    @contextlib.asynccontextmanager
    async def around(self, say: Callable[[str], None]) -> AsyncGenerator[None]:
        """Answer scrapers while the run goes on. Raises `BadInput` if the port is taken."""
        counted, port = self._counted, self._port
        if counted is None or port is None:
            yield
            return
        problem: BadInput | None = None
        async with trio.open_nursery() as nursery:
            try:
                taken = await nursery.start(partial(serve_metrics, counted, port))
            except OSError as error:
                problem = BadInput(f"--metrics {port}: {error.strerror or error}. Take another port, or 0.")
            else:
                say(f"metrics: http://127.0.0.1:{taken}/metrics")
                try:
                    yield
                finally:
                    nursery.cancel_scope.cancel()
        if problem is not None:  # not raised in there, where it would become a group
            raise problem

    def write(self) -> None:
        """Write the files, send the spans, say what was to be said. What can't be written is the `problem`."""
        if self._sending is not None and (unsent := self._sending.close()) is not None:
            click.echo(f"warning: {unsent}", err=True)
        if self._report is not None:
            file, made = self._report
            self._try("--report", file, lambda: _write_report(made, file))
        if self._recorder is None:
            return
        recording = self._recorder.recording()
        for option, (file, save) in self._files.items():
            self._try(option, file, partial(save, recording, file))
        if self._profile:
            click.echo(Profile.of(recording).table(), err=True)

    def _try(self, option: str, file: str, write: Callable[[], None]) -> None:
        try:
            write()
        except (OSError, ValueError) as error:
            reason = (isinstance(error, OSError) and error.strerror) or str(error)
            self.problem = f"{option} {file}: it can't be written: {reason}."


def _refuse(source: Source, file: str, option: str, what: str) -> None:
    """Raise `BadInput` before the run for a file that can't be written after it, or that is the graph."""
    source.refuse_to_replace(file, option, what)
    path = Path(file)
    there = path.exists()
    if path.is_dir():
        code = errno.EISDIR
    elif not there and not path.parent.is_dir():
        code = errno.ENOENT
    elif not os.access(path if there else path.parent, os.W_OK):
        code = errno.EACCES
    else:
        return
    raise BadInput(f"{option} {file}: it can't be written: {os.strerror(code)}.")


def read_report(file: str) -> RunReport:
    """The report of a run in a file, as `--report` writes it. Raises `OSError`, and `ValueError` for what is none."""
    try:
        return cattrs.structure(json.loads(Path(file).read_bytes()), RunReport)
    except (ValueError, TypeError, RecursionError, cattrs.BaseValidationError) as error:
        raise ValueError("this is no report of a run") from error


def _earlier(file: str) -> RunReport | None:
    """The report of an earlier run that has completed, if there is one. A device has none, and may have no end."""
    if not Path(file).is_file():
        return None
    try:
        found = read_report(file)
    except (OSError, ValueError):
        return None
    return found if found.status == "completed" else None


def _write_report(tracker: tf.Tracker, file: str) -> None:
    Path(file).write_text(to_json(tracker.report().as_dict()) + "\n", encoding="utf-8")


def _write_trace(recording: Recording, file: str) -> None:
    Path(file).write_bytes(perfetto_trace(recording))
