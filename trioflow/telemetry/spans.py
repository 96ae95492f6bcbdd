"""Spans for OpenTelemetry: run, activations, evaluations, as their tree is. Needs the extra `otel`."""

from __future__ import annotations

import time
from typing import Any

from trioflow.errors import MissingExtra
from trioflow.model.secret import hide
from trioflow.semantics.events import (
    EvaluationCancelled,
    EvaluationCompleted,
    EvaluationFailed,
    EvaluationStarted,
    Event,
    NodeCancelled,
    NodeCompleted,
    NodeFailed,
    NodeSkipped,
    NodeStarted,
    RunCancelled,
    RunCompleted,
    RunFailed,
    RunStarted,
)

_STARTS = (NodeStarted, EvaluationStarted)
_FAILED = (NodeFailed, EvaluationFailed, RunFailed)
_CANCELLED = (NodeCancelled, EvaluationCancelled, RunCancelled)
_ENDS = (NodeCompleted, NodeSkipped, EvaluationCompleted, *_FAILED[:2], *_CANCELLED[:2])
_RUN_ENDS = (RunCompleted, RunFailed, RunCancelled)


class Spans:
    """An observer that makes spans: of a run, and below it of what lasted at least `shortest` seconds or ended badly.

    A failure is ERROR, with its exception at its origin and without above it; what was cancelled says so and has no
    status. A run's span is a child of the one that was current when `Spans` was made. At most `most` spans for a run;
    its span says how many were left out. Values are never in spans. Raises `MissingExtra`.
    """

    kinds = (RunStarted, *_STARTS, *_ENDS, *_RUN_ENDS)
    keys = False

    def __init__(self, tracer: Any = None, *, shortest: float = 0.001, most: int = 10_000) -> None:
        try:
            from opentelemetry import context, trace  # noqa: PLC0415 - an optional package
        except ImportError as error:
            raise MissingExtra("Spans for OpenTelemetry", "otel") from error
        self._api: Any = trace
        self._tracer = tracer or trace.get_tracer("trioflow")
        self._around = context.get_current()
        self._shortest = shortest
        self._most = most
        self._began = 0
        self._run: Any = None
        self._made = self._left_out = 0
        # What is open, by path: the start, and the span as soon as something below it needs one.
        self._open: dict[tuple[int, ...], list[_Open]] = {}

    def __call__(self, event: Event) -> None:
        """Make or end the span of an event."""
        kind = type(event)
        if kind is RunStarted:
            self._began = time.time_ns() - int(event.time * 1e9)
            self._run = self._tracer.start_span(
                "run", context=self._around, start_time=self._at(event), attributes={"trioflow.run": event.run}
            )
        elif kind in _STARTS:
            self._open.setdefault(event.path.as_tuple(), []).append(_Open(event, evaluated=kind is EvaluationStarted))
        elif kind in _RUN_ENDS:
            self._end(self._run, event, origin=getattr(event, "origin", None) is None)
            self._run.set_attribute("trioflow.spans_left_out", self._left_out)
            self._run.end(end_time=self._at(event))
        elif kind in _ENDS:
            self._close(event)

    def _close(self, event: Event) -> None:
        path = event.path.as_tuple()
        stack = self._open.get(path, [])
        ended = next((each for each in reversed(stack) if each.event.node == event.node), None)
        if ended is None:
            return
        lasted = event.time - ended.event.time
        badly = isinstance(event, (*_FAILED, *_CANCELLED))
        if ended.span is None and (badly or lasted >= self._shortest):
            self._span(ended)
        stack.remove(ended)
        if not stack:
            del self._open[path]
        if ended.span is None:
            self._left_out += 1
            return
        self._end(ended.span, event, origin=getattr(event, "origin", event.path) == event.path)
        ended.span.end(end_time=self._at(event))

    def _span(self, opened: _Open) -> Any:
        """The span of something that is open; those above it are made first."""
        path = opened.event.path.as_tuple()
        waiting = [opened]
        stack = self._open.get(path, [])
        if opened in stack:
            waiting += reversed(stack[: stack.index(opened)])
        for end in range(len(path) - 1, 0, -1):
            waiting += self._open.get(path[:end], [])[:1]
        above = self._run
        for each in reversed(waiting):
            if each.span is None:
                if self._made >= self._most:
                    return None
                self._made += 1
                each.span = self._tracer.start_span(
                    each.event.node or "",
                    context=self._api.set_span_in_context(above),
                    start_time=self._at(each.event),
                    attributes={
                        "trioflow.run": each.event.run,
                        "trioflow.path": str(each.event.path),
                        "trioflow.kind": "evaluation" if each.evaluated else "activation",
                        "trioflow.strand": each.event.strand or 0,
                    },
                )
            above = each.span
        return opened.span

    def _end(self, span: Any, event: Event, *, origin: bool) -> None:
        if isinstance(event, _FAILED):
            said = hide(f"{type(event.error).__name__}: {event.error}")
            span.set_status(self._api.Status(self._api.StatusCode.ERROR, said))
            if origin:
                span.record_exception(event.error, timestamp=self._at(event))
        elif isinstance(event, _CANCELLED):
            span.set_attribute("trioflow.cancelled", True)
            span.add_event("cancelled", timestamp=self._at(event))
        elif isinstance(event, NodeSkipped):
            span.set_attribute("trioflow.skipped", hide(f"{type(event.error).__name__}: {event.error}"))

    def _at(self, event: Event) -> int:
        return self._began + int(event.time * 1e9)


class _Open:
    __slots__ = ("evaluated", "event", "span")

    def __init__(self, event: Event, *, evaluated: bool) -> None:
        self.event = event
        self.evaluated = evaluated
        self.span: Any = None
