"""What a run did, for tools: recordings, profiles, metrics, traces for Perfetto and OpenTelemetry, logs.

Each is an observer of its own, usable alone; the engine knows none of them. `Heat` looks at a run from time to time
instead, and costs next to nothing.
"""

from trioflow.telemetry.heat import Heat
from trioflow.telemetry.linking import keep_traced, traced_before
from trioflow.telemetry.logs import Logs
from trioflow.telemetry.metrics import Metrics, serve_metrics
from trioflow.telemetry.perfetto import perfetto_trace
from trioflow.telemetry.profile import NodeTimes, Profile
from trioflow.telemetry.recorder import Recorder
from trioflow.telemetry.recording import Moment, Recording, RecordingError, Row, Stretch
from trioflow.telemetry.recording_file import RecordingFile
from trioflow.telemetry.spans import Spans

__all__ = [
    "Heat",
    "Logs",
    "Metrics",
    "Moment",
    "NodeTimes",
    "Profile",
    "Recorder",
    "Recording",
    "RecordingError",
    "RecordingFile",
    "Row",
    "Spans",
    "Stretch",
    "keep_traced",
    "perfetto_trace",
    "serve_metrics",
    "traced_before",
]
