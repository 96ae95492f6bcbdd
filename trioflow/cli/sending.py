"""Spans on their way to a collector, and what to say if they don't get there."""

from __future__ import annotations

import logging
import os
import re
import threading
from time import monotonic
from typing import Any

import trioflow as tf
from trioflow.cli.bad_input import BadInput
from trioflow.cli.counted import counted

PATIENCE = 1.5
"""Seconds for which a collector that fails is tried again after the run. One that is slow has the exporter's limit."""
_REASON = re.compile(r"\[Errno -?\d+\] ([^')\"\]]+)")


class Sending:
    """Sends spans in the background to where the environment says. Raises `BadInput` without the extra `otel`."""

    def __init__(self) -> None:
        try:
            from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter  # noqa: PLC0415
            from opentelemetry.sdk.resources import Resource  # noqa: PLC0415
            from opentelemetry.sdk.trace import TracerProvider  # noqa: PLC0415
            from opentelemetry.sdk.trace.export import BatchSpanProcessor  # noqa: PLC0415
        except ImportError as error:
            raise BadInput(f"--otel: {tf.MissingExtra('Sending spans', 'otel')}") from error
        self.lost = 0
        """Spans that were not sent."""
        self.reason = ""
        """Why, in the words of the exporter; empty if nothing went wrong."""
        self.fails = threading.Event()
        """Set while the last attempt has failed."""
        # It says why it fails in logs alone, which would stand in the middle of what the run says.
        self._heard = _Heard(self)
        logging.getLogger("opentelemetry").addHandler(self._heard)
        self._exporter = _Exporter(self, OTLPSpanExporter())
        in_batches: Any = BatchSpanProcessor
        self._provider = TracerProvider(resource=Resource.create({"service.name": "trioflow"}), shutdown_on_exit=False)
        self._provider.add_span_processor(in_batches(self._exporter))
        self.tracer: Any = self._provider.get_tracer("trioflow")

    def close(self) -> str | None:
        """Send what is left. Blocks, for some two seconds if the collector fails. Gives what there is to say."""
        ending = threading.Thread(target=self._provider.shutdown, daemon=True)
        ending.start()
        since = None
        while ending.is_alive():
            ending.join(0.02)
            if not self.fails.is_set():
                since = None
            elif since is None:
                since = monotonic()
            elif monotonic() - since > PATIENCE:
                self._exporter.shutdown()  # no more attempts
                ending.join(1.0)
                break
        logging.getLogger("opentelemetry").removeHandler(self._heard)
        if not self.reason:
            return None
        lost = f"{counted(self.lost, 'span')} not sent to {_endpoint()}" if self.lost else "not all spans were sent"
        return f"--otel: {lost}: {self.reason}. OTEL_EXPORTER_OTLP_ENDPOINT says where to."


class _Exporter:
    """An exporter that tells what becomes of what it is given."""

    def __init__(self, sending: Sending, exporter: Any) -> None:
        self._sending = sending
        self._exporter = exporter

    def export(self, spans: Any) -> Any:
        """Send some spans."""
        result = self._exporter.export(spans)
        if result.name == "SUCCESS":
            self._sending.fails.clear()
            if not self._sending.lost:
                self._sending.reason = ""  # it went well in the end
        else:
            self._sending.lost += len(spans)
        return result

    def shutdown(self) -> None:
        """Make no more attempts."""
        self._exporter.shutdown()


class _Heard(logging.Handler):
    """Keeps the first thing that goes wrong."""

    def __init__(self, sending: Sending) -> None:
        super().__init__(logging.WARNING)
        self._sending = sending

    def emit(self, record: logging.LogRecord) -> None:
        """Keep it."""
        said = record.getMessage()
        if record.exc_info is not None:
            said += f" {record.exc_info[1]}"
        short = _REASON.search(said)
        self._sending.reason = self._sending.reason or (short[1] if short else said.rstrip("."))
        self._sending.fails.set()


def _endpoint() -> str:
    """Where spans are sent to, by OpenTelemetry's specification."""
    named = os.environ.get("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")
    base = os.environ.get("OTEL_EXPORTER_OTLP_ENDPOINT", "http://localhost:4318")
    return named or f"{base.rstrip('/')}/v1/traces"
