"""If nothing is connected to the fired output, a sequential emit does not write the item."""

RULE = "S2"
EDITS = [
    (
        "BodyContext.emit",
        ('if stream.mode == "sequential":\n            self._write_item(item, value, also)'),
        (
            'if stream.mode == "sequential":\n            if targets:\n                self._write_item(item, value, also)'
        ),
    ),
]
