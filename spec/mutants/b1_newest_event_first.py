"""Of the host's events that wait, the newest is handled first."""

RULE = "B1"
EDITS = [
    (
        "Hosted._handle_events",
        (
            "event = self._host_events[0]\n"
            "            await drive(strand, line, event.targets)\n"
            "            self._host_events.popleft()"
        ),
        ("event = self._host_events.pop()\n            await drive(strand, line, event.targets)"),
    ),
]
