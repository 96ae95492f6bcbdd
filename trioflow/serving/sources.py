"""What triggers wait for, each in a task of its own: a time, a file that has landed, a message in a queue."""

from __future__ import annotations

import datetime
import glob
import os
import stat
from collections.abc import Awaitable, Callable, Mapping
from contextlib import aclosing, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import trio

from trioflow.jobs.queue import Queue, value_of
from trioflow.serving.due import due_between, next_due

if TYPE_CHECKING:
    from trioflow.durable.journal import Journal
    from trioflow.jobs.store import JobStore
    from trioflow.model.clock import Clock
    from trioflow.serving.triggers import Trigger

Fire = Callable[["Trigger", Any, str], Awaitable[Any]]
"""Put a job of a trigger: with what happened, and a key that says which time that was."""

_LOOK = 5.0
"""Seconds between two looks at the clock, which may be set."""
_LOOK_AT_FILES = 1.0
_SETTLED = 1.0
"""Seconds for which a file does not change, so that it has landed."""
_LEASE = 30.0


async def at_times(trigger: Trigger, store: JobStore, clock: Clock, fire: Fire, *, look: float = _LOOK) -> None:
    """Fire whenever a cron line is due. What was fired last is kept, so that what was missed is known."""
    last = await trio.to_thread.run_sync(store.fired, trigger.name)
    if last is None:
        last = clock.now().timestamp()
        await trio.to_thread.run_sync(store.set_fired, trigger.name, last)
    since = datetime.datetime.fromtimestamp(last, datetime.UTC)
    while True:
        now = clock.now()
        for due in due_between(trigger.what, trigger.zone, since, now, trigger.missed):
            local = due.astimezone(trigger.zone).isoformat()
            await fire(trigger, local, due.isoformat())
        if now > since:  # a clock that was set back fires nothing again
            since = now
            await trio.to_thread.run_sync(store.set_fired, trigger.name, since.timestamp())
        wait = (next_due(trigger.what, trigger.zone, max(since, now)) - clock.now()).total_seconds()
        await trio.sleep(min(max(wait, 0.01), look))


async def at_files(
    trigger: Trigger, folder: Path, fire: Fire, *, look: float = _LOOK_AT_FILES, settled: float = _SETTLED
) -> None:
    """Fire for each file that matches, once it is there as a whole; also for those that are there at the start.

    Notices of the system only hurry it: not every file system gives them. Raises `OSError` for a folder that is gone.
    """
    from watchfiles import awatch  # noqa: PLC0415 - an extra, which the server has asked for

    pattern = str(folder / trigger.what)
    top = Path(pattern).parent
    while glob.has_magic(str(top)):
        top = top.parent
    seen: dict[str, tuple[int, int]] = {}

    async def landed() -> None:
        before = await trio.to_thread.run_sync(_states, pattern, seen)
        while before:
            await trio.sleep(settled)
            now = await trio.to_thread.run_sync(_states, pattern, seen)
            for path, state in sorted(now.items()):
                if before.get(path) == state:
                    seen[path] = state
                    await fire(trigger, path, f"{path} {state[0]} {state[1]}")
            before = {path: state for path, state in now.items() if seen.get(path) != state}

    await landed()
    watching = awatch(top, step=50, debounce=200, rust_timeout=int(look * 1000), yield_on_timeout=True)
    async with aclosing(watching) as notices:
        async for _ in notices:
            await landed()


def _states(pattern: str, seen: Mapping[str, tuple[int, int]]) -> dict[str, tuple[int, int]]:
    """The files that match, with when they were changed and how large they are, unless they were seen like that."""
    found: dict[str, tuple[int, int]] = {}
    for path in glob.iglob(pattern, recursive=True):  # noqa: PTH207 - the pattern may be absolute
        with suppress(OSError):
            of = os.stat(path)  # noqa: PTH116 - of many
            state = (of.st_mtime_ns, of.st_size)
            if stat.S_ISREG(of.st_mode) and seen.get(path) != state:
                found[path] = state
    return found


async def at_messages(trigger: Trigger, journal: Journal, fire: Fire, *, poll: float = 0.5) -> None:
    """Fire for each message of a queue. Its job is put before the message is done, under a key of its own."""
    queue = Queue(journal, trigger.what)
    while True:
        leases = await queue.lease(10, _LEASE, messages=True)
        for lease in leases:
            await fire(trigger, value_of(lease.job), lease.job.id)
            await queue.done(lease)
        if not leases:
            await trio.sleep(poll)
