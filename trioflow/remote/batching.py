"""Small bodies that wait for the same place, sent to it in one message.

Whoever comes while the place has room takes all that wait by then, its share at most, and sends them; the others wait
for what comes back. Nothing is waited for that is not there: one body alone goes alone.
"""

from __future__ import annotations

import math
import pickle
from collections import deque
from typing import TYPE_CHECKING

import attrs
import trio

from trioflow.remote.calling import packed_batch
from trioflow.remote.places import PlaceDied

if TYPE_CHECKING:
    from trioflow.model.policy import RunOnPolicy
    from trioflow.remote.places import Place

_KILL_WITHIN = 0.2


@attrs.define(eq=False)
class _Waiting:
    call: bytes = attrs.field(repr=False)
    ready: trio.Event = attrs.field(factory=trio.Event)
    answer: bytes | None = None
    error: BaseException | None = None
    batch: _Batch | None = attrs.field(default=None, repr=False)
    leads: bool = False

    @property
    def settled(self) -> bool:
        return self.answer is not None or self.error is not None


@attrs.define(eq=False)
class _Batch:
    calls: list[_Waiting]
    scope: trio.CancelScope = attrs.field(factory=trio.CancelScope)
    ended: trio.Event = attrs.field(factory=trio.Event)
    left: int = 0
    """How many of those who wait were cancelled."""


class Batches:
    """The batches of one run for one place."""

    def __init__(self, place: Place, asked: RunOnPolicy) -> None:
        self._place = place
        self._asked = asked
        self._most = asked.batch or 1
        self._waiting: deque[_Waiting] = deque()
        self._running = 0
        self.sent = 0
        """How many messages were sent."""

    async def call(self, call: bytes) -> bytes:
        """The answer to a call. Raises as `Place.call`; that also if another one of its batch was cancelled."""
        mine = _Waiting(call)
        if self._running < self._place.workers:
            self._running += 1
            mine.leads = True
        else:
            self._waiting.append(mine)
            await self._wait(mine)
        if mine.leads:
            await self._lead(mine)
        if mine.error is not None:
            raise mine.error
        assert mine.answer is not None
        return mine.answer

    async def _wait(self, mine: _Waiting) -> None:
        """Until it is to lead, or has its answer."""
        try:
            await mine.ready.wait()
        except trio.Cancelled:
            if mine.batch is None:
                self._waiting.remove(mine)
            else:
                await self._leave(mine.batch)
            raise

    async def _leave(self, batch: _Batch) -> None:
        """One of a batch was cancelled: the others may end, if they do in time; then all of it is ended."""
        batch.left += 1
        if batch.left < len(batch.calls):
            within = _KILL_WITHIN if self._asked.kill_within is None else self._asked.kill_within
            with trio.move_on_after(within, shield=True):
                await batch.ended.wait()
        batch.scope.cancel()

    async def _lead(self, mine: _Waiting) -> None:
        try:
            await trio.lowlevel.checkpoint()  # whoever comes at the same time comes along
            batch = self._next(mine)
            async with trio.open_nursery() as nursery:
                nursery.start_soon(self._send, batch)
                try:
                    await batch.ended.wait()
                except trio.Cancelled:
                    await self._leave(batch)
                    raise
        finally:
            self._hand_on()

    def _next(self, mine: _Waiting) -> _Batch:
        share = math.ceil((len(self._waiting) + 1) / self._place.workers)
        more = min(self._most, share) - 1
        batch = _Batch([mine, *(self._waiting.popleft() for _ in range(more))])
        for each in batch.calls:
            each.batch = batch
        return batch

    async def _send(self, batch: _Batch) -> None:
        batch.scope.shield = True  # the others' calls are not the leader's
        self.sent += 1
        try:
            with batch.scope:
                try:
                    if len(batch.calls) == 1:
                        answers = [await self._place.call(batch.calls[0].call, self._asked)]
                    else:
                        call = packed_batch([each.call for each in batch.calls])
                        answers = pickle.loads(await self._place.call(call, self._asked))  # noqa: S301 - ours
                    for each, answer in zip(batch.calls, answers, strict=True):
                        each.answer = answer
                except Exception as error:
                    for each in batch.calls:
                        each.error = error
        finally:
            for each in batch.calls:
                if not each.settled:
                    each.error = PlaceDied("another body of its batch was cancelled", started=True)
                each.ready.set()
            batch.ended.set()

    def _hand_on(self) -> None:
        """The place has room again: the next that waits leads."""
        if not self._waiting:
            self._running -= 1
            return
        following = self._waiting.popleft()
        following.leads = True
        following.ready.set()
