"""A place that is in this process, as another one would do what it is sent."""

from __future__ import annotations

import trio

from trioflow.remote import Place, Placement
from trioflow.remote.calling import answered
from trioflow.remote.keeping import Keeper


class Near(Place):
    """All that is sent and comes back is as it would be, but for the process."""

    workers = 2

    def __init__(self, *deaths):
        self.deaths = [*deaths]
        self.calls = 0
        self.bytes = 0
        self.kept = None

    async def call(self, call, asked):
        self.calls += 1
        self.bytes += len(call)
        if self.deaths:
            raise self.deaths.pop(0)
        answer = await trio.to_thread.run_sync(answered, call)
        self.bytes += len(answer)
        return answer

    def keeper(self):
        if self.kept is None:
            self.kept = Keeper.made()
        return self.kept


def near(*deaths):
    place = Near(*deaths)
    return place, {Placement: Placement(processes=place)}
