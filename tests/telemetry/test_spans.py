"""Spans for OpenTelemetry: their tree, what is left out, and how failures and cancellations are told."""

from __future__ import annotations

import sys

import pytest
import trio
from telemetry.runs import failing, looping, watched

import trioflow as tf
from trioflow.telemetry import Spans, keep_traced, traced_before


@pytest.fixture
def exported():
    pytest.importorskip("opentelemetry.sdk", reason="spans need OpenTelemetry's SDK")
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import SimpleSpanProcessor
    from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

    exporter, provider = InMemorySpanExporter(), TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))

    def of(graph, **how):
        watched(graph, Spans(provider.get_tracer("test"), **how))
        return tree(exporter.get_finished_spans())

    of.exporter, of.tracer = exporter, provider.get_tracer("test")
    return of


def tree(spans):
    """By name in order of their start: the name above, seconds, status, events."""
    by_id = {span.context.span_id: span.name for span in spans}
    ordered = sorted(spans, key=lambda span: (span.start_time, span.context.span_id != span.context.trace_id))
    return [
        (
            span.name,
            by_id.get(span.parent.span_id) if span.parent else None,
            round((span.end_time - span.start_time) / 1e9, 3),
            span.status.status_code.name,
            [event.name for event in span.events],
        )
        for span in ordered
    ]


def test_the_tree(exported):
    """A run, what lasted below it, and nothing of what did not."""
    found = exported(looping(2))
    assert sorted(found) == [
        ("loop", "run", 3.0, "UNSET", []),
        ("nap", "loop", 1.0, "UNSET", []),
        ("nap", "loop", 2.0, "UNSET", []),
        ("run", None, 3.0, "UNSET", []),
    ]


def test_a_failure_is_an_exception_where_it_arose(exported):
    """The origin has the exception; above it there is only the status."""
    assert sorted(exported(failing())) == [
        ("bad", "outer", 0.5, "ERROR", ["exception"]),
        ("outer", "run", 0.5, "ERROR", []),
        ("run", None, 0.5, "ERROR", []),
    ]


def test_the_most(exported):
    """No run makes more spans than it may, and says how many are missing."""
    assert len(exported(looping(5), most=2)) == 3
    (run,) = [span for span in exported.exporter.get_finished_spans() if span.name == "run"]
    assert run.attributes["trioflow.spans_left_out"] > 3


def test_what_is_cancelled_has_no_status(exported):
    """It says that it was cancelled, and ends."""

    async def main():
        with trio.move_on_after(0.5):
            await tf.run(looping(1), observers=[Spans(exported.tracer)])

    trio.run(main, clock=trio.testing.MockClock(autojump_threshold=0))
    found = tree(exported.exporter.get_finished_spans())
    assert sorted(found) == [
        ("loop", "run", 0.5, "UNSET", ["cancelled"]),
        ("nap", "loop", 0.5, "UNSET", ["cancelled"]),
        ("run", None, 0.5, "UNSET", ["cancelled"]),
    ]


def test_without_the_package(monkeypatch):
    """The error is the command that installs it."""
    monkeypatch.setitem(sys.modules, "opentelemetry", None)
    with pytest.raises(tf.MissingExtra, match=r"python -m pip install 'trioflow\[otel\]'"):
        Spans()


async def test_a_resumed_run_is_linked_to_the_one_before(exported, autojump_clock):
    """The span of the process before is kept with the run; what is no `traceparent` is refused."""
    journal, graph = tf.MemoryJournal(), failing()
    assert traced_before(journal, "a") is None
    spans = Spans(exported.tracer)
    assert spans.traceparent is None
    with pytest.raises(ValueError, match="no"):
        await tf.run(graph, journal=journal, run_id="a", observers=[spans])
    keep_traced(journal, "a", spans)
    after = traced_before(journal, "a")
    with pytest.raises(ValueError, match="no"):
        async with tf.resume_run(
            journal, "a", graph, retry=True, observers=[Spans(exported.tracer, after=after)]
        ) as again:
            await again.result()
    first, second = (each for each in exported.exporter.get_finished_spans() if each.name == "run")
    assert [(link.context.trace_id, link.context.span_id) for link in second.links] == [
        (first.context.trace_id, first.context.span_id)
    ]
    assert (first.links, after) == ((), spans.traceparent)
    with pytest.raises(ValueError, match=r"^after='00-1-2-3' is no traceparent: it has four parts"):
        Spans(exported.tracer, after="00-1-2-3")
