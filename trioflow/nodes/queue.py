"""Messages in the queues of the host: put, taken with a lease, given up. The journal that they are in is a service.

Workers and `trioflow serve` give their runs the journal that their jobs are in; other hosts pass it as
`services={trioflow.Journal: journal}`, and `trioflow run` the one of `--journal`.
"""

from __future__ import annotations

import math
from typing import Any, Literal

import trio

import trioflow as tf
from trioflow import jobs
from trioflow.jobs.errors import JobNotFound, LeaseLost
from trioflow.jobs.records import ATTEMPTS, LEASE, Lease
from trioflow.model.durability import seconds_of

_LOOK_AGAIN = 0.5
"""Seconds between two looks whether a message has come."""


def _journal(ctx: tf.Context) -> tf.Journal:
    try:
        journal: tf.Journal = ctx.services.get(tf.Journal)  # type: ignore[type-abstract]
    except tf.UnknownName as error:
        raise tf.NodeError(
            f"Node {ctx.node.id!r} needs a queue, and the host has given no journal that has any. Run the graph in a "
            "worker, with --journal, or with services={trioflow.Journal: trioflow.SqliteJournal('jobs.db')}."
        ) from error
    return journal


class PutMessage(tf.Node, id="queue.put", durable="recorded"):
    """Puts a message into a queue, for whoever takes it. It is durable when this goes on; in a full queue it waits.

    Of two messages with one `key` in a queue the second is none, and `id` is that of the first. Without one it is the
    key of this activation: a run that is kept puts it once, however often it is killed. Higher priorities come first,
    then messages of tenants of which the fewest are taken. `after` is how long it waits, such as `2h`; after so many
    `attempts` it is a dead letter.

    >>> journal = {"journal": tf.MemoryJournal()}
    >>> [(exit, _)] = fire("queue.put", queue="letters", value={"to": "Eve"}, services=journal, virtual=False)
    >>> fire("queue.take", queue="letters", services=journal, virtual=False)[0][1]["value"]
    {'to': 'Eve'}
    """

    enter = tf.ExecIn()
    queue = tf.DataIn(str, doc="its name")
    value = tf.DataIn(object, doc="the message")
    key = tf.DataIn(str, default="", doc="what it is known by")
    priority: tf.DataIn[Any] = tf.DataIn(
        Literal["low", "normal", "high", "critical"], default="normal", doc="which is first"
    )
    tenant = tf.DataIn(str, default="", doc="whose it is")
    after = tf.DataIn(str, default="0s", doc="how long it waits")
    attempts = tf.DataIn(int, default=ATTEMPTS, doc="how often it is taken at most")
    id = tf.DataOut(str, doc="its name")
    then = tf.ExecOut()

    async def execute(self, ctx: tf.Context) -> tf.ExecOut:
        queue = jobs.Queue(_journal(ctx), await ctx.get_input(self.queue))
        job = await queue.send(
            await ctx.get_input(self.value),
            key=await ctx.get_input(self.key) or ctx.key,
            priority=await ctx.get_input(self.priority),
            tenant=await ctx.get_input(self.tenant),
            not_before=await ctx.get_input(self.after),
            attempts=await ctx.get_input(self.attempts),
        )
        ctx.set_output(self.id, job.id)
        return self.then


class TakeMessage(tf.Node, id="queue.take", durable="replayed"):
    """Takes the next message of a queue and sends it down `body`; when that has ended it is done, and this goes on.

    Nobody else gets it meanwhile: its lease is extended as long as `body` runs, whose time limit is its own affair. If
    `body` fails, the message waits for its next attempt, a second at first, then twice as long each time, and is a dead
    letter after the last; the failure is that of this node. If nothing comes within `wait`, it goes on at `empty`. If
    the lease is lost all the same, as in a process that was paused for longer than that, `body` is cancelled, and the
    error is `LeaseLost`. A run that is kept and was killed goes on with the message that it had.

    >>> journal = {"journal": tf.MemoryJournal()}
    >>> fire("queue.take", queue="letters", services=journal, virtual=False)
    [('empty', {})]
    """

    enter = tf.ExecIn()
    queue = tf.DataIn(str, doc="its name")
    lease = tf.DataIn(str, default=f"{LEASE:g}s", doc="for how long it is held unless that is extended")
    wait = tf.DataIn(str, default="0s", doc="how long to wait for one")
    value = tf.DataOut(object, doc="the message")
    id = tf.DataOut(str, doc="its name")
    attempt = tf.DataOut(int, doc="how often it was taken, this time included")
    body = tf.ExecOut(doc="with the message")
    then = tf.ExecOut(doc="after it")
    empty = tf.ExecOut(doc="if there is none")

    async def execute(self, ctx: tf.Context) -> tf.ExecOut:
        queue = jobs.Queue(_journal(ctx), await ctx.get_input(self.queue))
        seconds = seconds_of(await ctx.get_input(self.lease))
        within = seconds_of(await ctx.get_input(self.wait))
        held: list[Lease] = []

        async def take() -> Any:
            with trio.move_on_after(within if within > 0 else math.inf):
                while True:
                    held.extend(await queue.lease(1, seconds, messages=True))
                    if held or within <= 0:
                        break
                    await trio.sleep(_LOOK_AGAIN)
            if not held:
                return None
            job = held[0].job
            return [job.id, job.fence, jobs.value_of(job), job.attempts]

        taken = await ctx.once(take)
        if taken is None:
            return self.empty
        message, fence, value, attempt = taken
        lease = held[0] if held else await _again(queue, message, fence, seconds)
        ctx.set_output(self.value, value)
        ctx.set_output(self.id, message)
        ctx.set_output(self.attempt, attempt)
        if lease is None:  # it was done, and this process did not come to say so
            await ctx.trigger(self.body)
        else:
            await _Holding(queue, lease, seconds).around(ctx, self.body)
        return self.then


async def _again(queue: jobs.Queue, message: str, fence: int, seconds: float) -> Lease | None:
    """The lease of a message that this run had before it was killed; None if it had settled it."""
    found = await trio.to_thread.run_sync(queue.store.lease_one, message, queue.holder, seconds)
    if found is not None:
        return found
    job = await queue.show(message)
    if job.status == "leased" or job.fence > fence:
        raise LeaseLost(
            f"Message {message!r}, which this run has taken, was taken by {job.worker} after its lease had expired."
        )
    return None


class _Holding:
    """The lease of a message while something is done with it."""

    def __init__(self, queue: jobs.Queue, lease: Lease, seconds: float) -> None:
        self._queue = queue
        self._lease = lease
        self._seconds = seconds
        self._lost: LeaseLost | None = None

    async def around(self, ctx: tf.Context, body: tf.ExecOut) -> None:
        queue, lease = self._queue, self._lease
        failure: BaseException | None = None
        try:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(self._extend, nursery.cancel_scope)
                try:
                    await ctx.trigger(body)
                except trio.Cancelled:
                    raise
                except BaseException as error:  # also a loop around it that is left: no group of one is made of that
                    failure = error
                nursery.cancel_scope.cancel()
        except BaseException:
            with trio.move_on_after(5, shield=True):
                await self._settled(queue.hand_back(lease))
            raise
        try:
            if self._lost is not None:
                raise self._lost
            if isinstance(failure, Exception):
                await self._settled(queue.retry(lease, f"{type(failure).__name__}: {failure}"))
            else:
                await self._settled(queue.done(lease))
            if failure is not None:
                raise failure
        finally:
            failure = None  # its traceback refers to this frame

    async def _extend(self, scope: trio.CancelScope) -> None:
        while True:
            await trio.sleep(self._seconds / 3)
            try:
                await self._queue.extend(self._lease, self._seconds)
            except LeaseLost as error:
                if await self._is_settled():
                    return  # by `queue.dead`
                self._lost = error
                scope.cancel()
                return

    async def _settled(self, settling: Any) -> None:
        try:
            await settling
        except LeaseLost:
            if not await self._is_settled():
                raise

    async def _is_settled(self) -> bool:
        job = await self._queue.show(self._lease.job.id)
        return job.fence == self._lease.job.fence and job.status != "leased"


class GiveUpMessage(tf.Node, id="queue.dead", durable="recorded"):
    """Makes a dead letter of a message that was taken and that nothing can be done with: it is kept for people.

    `trioflow jobs dead` lists dead letters with their reasons, `jobs retry` puts one back. It is for the `body` of
    `queue.take`, which then goes on as ever. An id that is of no message is an error; one that was dealt with already
    stays as it is.

    >>> journal = {"journal": tf.MemoryJournal()}
    >>> [(_, put)] = fire("queue.put", queue="letters", value="?", services=journal, virtual=False)
    >>> fire("queue.dead", id=put["id"], reason="nobody can read it", services=journal, virtual=False)
    [('then', {})]
    """

    enter = tf.ExecIn()
    id = tf.DataIn(str, doc="the name of the message")
    reason = tf.DataIn(str, default="", doc="why, for people")
    then = tf.ExecOut()

    async def execute(self, ctx: tf.Context) -> tf.ExecOut:
        from trioflow.jobs.store import jobs_of  # noqa: PLC0415 - few graphs need it

        message, reason = await ctx.get_input(self.id), await ctx.get_input(self.reason)
        store = jobs_of(_journal(ctx))
        try:
            await trio.to_thread.run_sync(store.give_up, message, reason or "given up")
        except JobNotFound as error:
            raise ValueError(f"queue.dead: {error}") from None
        return self.then
