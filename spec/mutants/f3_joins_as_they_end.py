"""Forks are joined in the order in which they ended, not in which they were made."""

RULE = "F3"
EDITS = [
    (
        "ForkSet.ended",
        "self.in_flight -= 1",
        (
            "self.in_flight -= 1\n"
            "    if fork in self._outstanding:\n"
            "        self._outstanding.remove(fork)\n"
            "        self._outstanding.append(fork)"
        ),
    ),
]
