"""The graph's mode of a stream goes before that which the run's options give."""

from trioflow.runtime.bodies import _settings

RULE = "S2"
EDITS = [
    (_settings, "return override.mode or stream.mode,", "return stream.mode or override.mode,"),
]
