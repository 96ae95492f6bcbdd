"""The graph's mode of a stream goes before that which the run's options give."""

RULE = "S2"
EDITS = [
    ("_settings", "return override.mode or stream.mode,", "return stream.mode or override.mode,"),
]
