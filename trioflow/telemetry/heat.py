"""Heat: where the strands of a run are, looked at from time to time. It costs next to nothing, and misses much."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Mapping

import trio

from trioflow.runtime.host.run import Run


class Heat:
    """How often strands were seen at each node, of a run that goes on.

    `await heat.watch(run)` in a task of its own looks about every `every` seconds, at drawn moments, so that it never
    keeps step with a loop, until the run has ended.
    """

    def __init__(self, *, every: float = 0.032) -> None:
        if not every > 0:
            raise ValueError(f"Heat(every=...) must be more than 0 seconds, got {every!r}.")
        self._every = every
        self._seen: Counter[str] = Counter()
        self.looks = 0
        """How often it has looked."""

    async def watch(self, run: Run) -> None:
        """Look at a run until it has ended. Cancelling it ends the looking, not the run."""
        chance = random.Random()
        while run.statistics().status.value in {"not started", "running", "paused"}:
            await trio.sleep(chance.expovariate(1 / self._every))
            self.look(run)

    def look(self, run: Run) -> None:
        """Look once where the strands of a run are now. Nothing is awaited, and the run is not slowed down."""
        self.looks += 1
        self._seen.update(strand.node for strand in run.strands())

    @property
    def nodes(self) -> Mapping[str, float]:
        """By node, the hottest first: how many strands were there at a time, on average."""
        return {node: count / self.looks for node, count in self._seen.most_common()} if self.looks else {}
