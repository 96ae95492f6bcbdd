"""Spans for OpenTelemetry: run, activations, evaluations, as their tree is. Needs the extra `otel`."""

from __future__ import annotations

import re
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

_TRACEPARENT = re.compile(r"[0-9a-f]{2}-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})")


class Spans:
    """An observer that makes spans: of a run, and below it of what lasted at least `shortest` seconds or ended badly.

    A failure is ERROR, with its exception at its origin and without above it; what was cancelled says so and has no
    status. A run's span is a child of the one that was current when `Spans` was made. At most `most` spans for a run;
    its span says how many were left out. Values are never in spans. `after`: the `traceparent` of the run's span in an
    earlier process, to which that of this one is linked. Raises `MissingExtra`, and `ValueError` for an `after` that is
    none.
    """

    kinds = (RunStarted, *_STARTS, *_ENDS, *_RUN_ENDS)
    keys = False

    def __init__(
        self, tracer: Any = None, *, shortest: float = 0.001, most: int = 10_000, after: str | None = None
    ) -> None:
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
        self.after = after
        """The `traceparent` to which the run's span is linked when it begins."""
        self._link(after)
        self._made = self._left_out = 0
        # What is open, by path: the start, and the span as soon as something below it needs one.
        self._open: dict[tuple[int, ...], list[_Open]] = {}

    def __call__(self, event: Event) -> None:
        """Make or end the span of an event."""
        kind = type(event)
        if kind is RunStarted:
            self._began = time.time_ns() - int(event.time * 1e9)
            self._run = self._tracer.start_span(
                "run",
                context=self._around,
                links=self._link(self.after),
                start_time=self._at(event),
                attributes={"trioflow.run": event.run},
            )
        elif kind in _STARTS:
            self._open.setdefault(event.path.as_tuple(), []).append(_Open(event, evaluated=kind is EvaluationStarted))
        elif kind in _RUN_ENDS:
            self._end(self._run, event, origin=getattr(event, "origin", None) is None)
            self._run.set_attribute("trioflow.spans_left_out", self._left_out)
            self._run.end(end_time=self._at(event))
        elif kind in _ENDS:
            self._close(event)

    @property
    def traceparent(self) -> str | None:
        """The run's span as W3C writes it, for who comes after; None before the run has begun."""
        if self._run is None:
            return None
        found = self._run.get_span_context()
        return f"00-{found.trace_id:032x}-{found.span_id:016x}-{int(found.trace_flags):02x}"

    def _link(self, traceparent: str | None) -> list[Any]:
        if traceparent is None:
            return []
        found = _TRACEPARENT.fullmatch(traceparent)
        if found is None:
            raise ValueError(
                f"after={traceparent!r} is no traceparent: it has four parts in hexadecimal digits, such as "
                "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01."
            )
        trace_id, span_id, flags = (int(each, 16) for each in found.groups())
        known = self._api.SpanContext(trace_id, span_id, is_remote=True, trace_flags=self._api.TraceFlags(flags))
        return [self._api.Link(known, {"trioflow.link": "resumes"})]

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
