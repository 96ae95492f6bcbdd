"""Metrics: counters and histograms of runs, as OpenMetrics text for Prometheus and its kin.

By type of node, not by node: the number of series must not grow with the graphs. Node ids come on request.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any
from weakref import WeakSet

import trio

from trioflow.model.graph import Graph
from trioflow.semantics.events import (
    EvaluationCompleted,
    EvaluationFailed,
    EvaluationReused,
    Event,
    NodeFailed,
    NodeStarted,
    RunCancelled,
    RunCompleted,
    RunFailed,
    RunPaused,
    RunResumed,
    RunStarted,
    StrandForked,
)
from trioflow.semantics.plan import Plan

if TYPE_CHECKING:
    from trioflow.runtime.host.run import Run

BUCKETS = (0.0001, 0.001, 0.01, 0.1, 1.0, 10.0, 60.0, 600.0)
"""Upper bounds of the histograms, in seconds."""

CONTENT_TYPE = "application/openmetrics-text; version=1.0.0; charset=utf-8"

_STATUS = {RunCompleted: "completed", RunFailed: "failed", RunCancelled: "cancelled"}


class _Histogram:
    def __init__(self) -> None:
        self.counts = [0] * (len(BUCKETS) + 1)
        self.sum = 0.0

    def add(self, seconds: float) -> None:
        self.counts[bisect_left(BUCKETS, seconds)] += 1
        self.sum += seconds


class Metrics:
    """An observer that counts, of any number of runs; `text()` is what a scraper gets.

    `types` are the graphs or plans that are run: they say of which type a node is; nodes of others count as `unknown`.
    With `nodes` there is a series for each node, too.
    """

    kinds = (
        "run", "NodeStarted", "NodeCompleted", "NodeFailed", "NodeCancelled", "NodeSkipped",
        "EvaluationCompleted", "EvaluationFailed", "EvaluationReused", "StrandForked",
    )  # fmt: skip
    keys = False

    def __init__(self, *types: Graph | Plan, nodes: bool = False) -> None:
        self._types = types
        self._by_node = nodes
        self._names: dict[str, str] = {}
        self._runs: dict[str, int] = dict.fromkeys(_STATUS.values(), 0)
        self._running = 0
        self._paused: set[str] = set()
        self._counts: dict[tuple[str, str], int] = {}
        self._seconds: dict[tuple[str, str], _Histogram] = {}
        self._forked = 0
        self._looked_at: WeakSet[Run] = WeakSet()

    def look_at(self, run: Run) -> None:
        """Also tell how many strands of this run wait at the gate whenever it is asked, on the loop of the run."""
        self._looked_at.add(run)

    def __call__(self, event: Event) -> None:
        """Count an event."""
        if isinstance(event, StrandForked):
            self._forked += 1
        elif event.node is not None:
            self._count_node(event, event.node)
        else:
            self._count_run(event)

    def _count_run(self, event: Event) -> None:
        kind = type(event)
        if kind is RunStarted:
            self._running += 1
        elif kind is RunPaused:
            self._paused.add(event.run)
        elif kind is RunResumed:
            self._paused.discard(event.run)
        elif kind in _STATUS:
            self._runs[_STATUS[kind]] += 1
            self._running -= 1
            self._paused.discard(event.run)

    def _count_node(self, event: Event, node: str) -> None:
        kind = type(event)
        labels = self._labels(node)
        if kind is NodeStarted:
            self._count("steps", labels)
        elif kind is EvaluationReused:
            self._count("reused", labels)
        else:
            if kind in (NodeFailed, EvaluationFailed):
                self._count("failures", labels)
            if kind in (EvaluationCompleted, EvaluationFailed):
                self._count("evaluations", labels)
            lasted = getattr(event, "duration", None)
            if lasted is not None:
                what = "evaluation" if kind in (EvaluationCompleted, EvaluationFailed) else "step"
                self._seconds.setdefault((what, labels), _Histogram()).add(lasted)

    def text(self) -> str:
        """All of it in the OpenMetrics text format, which ends in `# EOF`."""
        lines = [
            *_family("trioflow_runs", "counter", "Runs that have ended, by how."),
            *(f'trioflow_runs_total{{status="{status}"}} {count}' for status, count in self._runs.items()),
            *_family("trioflow_runs_active", "gauge", "Runs that go on."),
            f"trioflow_runs_active {self._running}",
            *_family("trioflow_runs_paused", "gauge", "Those of them that stand."),
            f"trioflow_runs_paused {len(self._paused)}",
            *_family("trioflow_strands_forked", "counter", "Concurrent strands that were started."),
            f"trioflow_strands_forked_total {self._forked}",
            *_family("trioflow_strands_parked", "gauge", "Strands that wait at the gate, of runs that are looked at."),
            f"trioflow_strands_parked {sum(run.statistics().strands_parked for run in self._looked_at)}",
        ]
        for name, about in (
            ("steps", "Exec nodes that started."),
            ("evaluations", "Data nodes that were evaluated."),
            ("reused", "Demands that an earlier evaluation answered."),
            ("failures", "Activations and evaluations that failed, each level that a failure passes counted."),
        ):
            lines += _family(f"trioflow_{name}", "counter", about)
            found = sorted((labels, count) for (what, labels), count in self._counts.items() if what == name)
            lines += [f"trioflow_{name}_total{{{labels}}} {count}" for labels, count in found]
        for what in ("step", "evaluation"):
            name = f"trioflow_{what}_seconds"
            lines += _family(name, "histogram", f"How long each {what} took, with all that it caused.", "seconds")
            for (of, labels), histogram in sorted(self._seconds.items(), key=lambda each: each[0]):
                if of == what:
                    lines += _histogram(name, labels, histogram)
        return "\n".join([*lines, "# EOF", ""])

    def _count(self, what: str, labels: str) -> None:
        self._counts[what, labels] = self._counts.get((what, labels), 0) + 1

    def _labels(self, node: str) -> str:
        labels = self._names.get(node)
        if labels is None:
            labels = f'type="{_escaped(self._type_of(node))}"'
            if self._by_node:
                labels += f',node="{_escaped(node)}"'
            self._names[node] = labels
        return labels

    def _type_of(self, node: str) -> str:
        for each in self._types:
            if isinstance(each, Plan):
                planned = each.node(node)
                if planned is not None:
                    return planned.type.id
            elif (found := {known.id: known.type for known in each.nodes}.get(node)) is not None:
                return found
        return "unknown"


def _family(name: str, kind: str, about: str, unit: str = "") -> Iterable[str]:
    return (f"# TYPE {name} {kind}", *([f"# UNIT {name} {unit}"] if unit else ()), f"# HELP {name} {about}")


def _histogram(name: str, labels: str, histogram: _Histogram) -> Iterable[str]:
    count = 0
    for bound, more in zip((*map(str, BUCKETS), "+Inf"), histogram.counts, strict=True):
        count += more
        yield f'{name}_bucket{{{labels},le="{bound}"}} {count}'
    yield f"{name}_sum{{{labels}}} {histogram.sum:.9g}"
    yield f"{name}_count{{{labels}}} {count}"


def _escaped(text: str) -> str:
    return text.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")


_MOST_OF_A_REQUEST = 8192


async def serve_metrics(
    metrics: Metrics,
    port: int,
    *,
    host: str = "127.0.0.1",
    task_status: trio.TaskStatus[int] = trio.TASK_STATUS_IGNORED,
) -> None:
    """Answer `GET /metrics` over HTTP until it is cancelled; `nursery.start` gives the port, a free one for 0.

    Listens on this machine alone unless `host` says otherwise. Raises `OSError` if the port is taken.
    """
    listeners = await trio.open_tcp_listeners(port, host=host)
    handler: Callable[[trio.SocketStream], Any] = partial(_answer, metrics)
    try:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(partial(trio.serve_listeners, handler, listeners, handler_nursery=nursery))
            task_status.started(listeners[0].socket.getsockname()[1])
    finally:
        for listener in listeners:
            with trio.CancelScope(shield=True, deadline=trio.current_time() + 1):
                await listener.aclose()


async def _answer(metrics: Metrics, stream: trio.SocketStream) -> None:
    with trio.move_on_after(5):
        try:
            request = b""
            while b"\r\n\r\n" not in request and len(request) < _MOST_OF_A_REQUEST:
                more = await stream.receive_some(_MOST_OF_A_REQUEST)
                if not more:
                    return
                request += more
            method, _, rest = request.partition(b" ")
            target = rest.partition(b" ")[0].partition(b"?")[0]
            answers: Mapping[bool, tuple[str, str]] = {
                True: ("200 OK", metrics.text()),
                False: ("404 Not Found", "There is /metrics.\n"),
            }
            status, body = answers[target == b"/metrics"]
            if method not in (b"GET", b"HEAD"):
                status, body = "405 Method Not Allowed", "Metrics are asked for with GET.\n"
            data = body.encode()
            kind = CONTENT_TYPE if status.startswith("200") else "text/plain; charset=utf-8"
            head = (
                f"HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {len(data)}\r\nConnection: close\r\n\r\n"
            )
            await stream.send_all(head.encode() + (b"" if method == b"HEAD" else data))
        except trio.BrokenResourceError:
            return  # whoever asked has gone
        finally:
            with trio.CancelScope(shield=True, deadline=trio.current_time() + 1):
                await stream.aclose()
