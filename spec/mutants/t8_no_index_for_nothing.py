"""A sequential emit takes no index if nothing is connected."""

RULE = "T8"
EDITS = [
    (
        "BodyContext.emit",
        (
            "line = Line(self)\n            targets = stream.targets\n            if not targets:\n                await pass_by(strand.run)\n                return"
        ),
        (
            "targets = stream.targets\n            if not targets:\n                await pass_by(strand.run)\n                return\n            line = Line(self)"
        ),
    ),
]
