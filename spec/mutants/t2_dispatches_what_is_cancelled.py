"""A dispatch does not look whether its strand was cancelled."""

RULE = "T2"
EDITS = [
    ("dispatch", "if scopes.effectively_cancelled:  # T2", "if False:"),
    (
        "pass_dispatch",
        'await self.schedule.turn(f"d {Path(line.where, line.count)} {node.id}")',
        (
            "with trio.CancelScope(shield=True):\n"
            '            await self.schedule.turn(f"d {Path(line.where, line.count)} {node.id}")'
        ),
    ),
]
