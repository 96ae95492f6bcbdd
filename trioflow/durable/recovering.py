"""`recover`: at the start of a program, resume all runs that its predecessor has left, and those that are due."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import trio

from trioflow.durable.resuming import resume_run
from trioflow.errors import RunOwned
from trioflow.model.clock import SYSTEM_CLOCK, Clock

if TYPE_CHECKING:
    from trioflow.durable.journal import Journal
    from trioflow.durable.records import RunInfo
    from trioflow.model.graph import Graph
    from trioflow.model.registry import Registry
    from trioflow.runtime.base.options import RunOptions, RunResult
    from trioflow.runtime.base.watch import Observer
    from trioflow.runtime.wrapping.middleware import Middleware
    from trioflow.semantics.plan import Plan


async def recover(
    journal: Journal,
    *,
    graph: Callable[[RunInfo], Graph | Plan | None] = lambda _: None,
    limit: int | None = None,
    suspend_after: float | None = None,
    registry: Registry | None = None,
    services: Mapping[type | str, Any] | None = None,
    secrets: Mapping[str, str] | None = None,
    options: RunOptions | None = None,
    observers: Sequence[Observer] = (),
    middleware: Sequence[Middleware] = (),
) -> dict[str, RunResult | Exception]:
    """Go on with all runs of a journal that have not ended, each to its end; gives what each came to, or failed with.

    Of those that were put away only the ones whose timer is due, or that got a signal (J22); so a program that calls
    this every so often needs nothing else to wake them. `graph` tells the graph of a run, or None for the one in the
    journal. At most `limit` go on at the same time; a run that waits for a signal is one of them, so give
    `suspend_after`, too, or a limit only where none waits. Runs that another process has are left to it. The rest is as
    for `resume_run`. A cancellation point; cancelling it puts all of them away, to be resumed once more. What one
    run fails with does not touch the others.
    """
    came: dict[str, RunResult | Exception] = {}
    slots = trio.Semaphore(limit) if limit is not None else None

    async def go_on(info: RunInfo) -> None:
        try:
            async with resume_run(
                journal,
                info.id,
                graph(info),
                suspend_after=suspend_after,
                registry=registry,
                services=services,
                secrets=secrets,
                options=options,
                observers=observers,
                middleware=middleware,
            ) as run:
                came[info.id] = await run.result()
        except RunOwned:
            pass  # another process was faster
        except Exception as error:
            came[info.id] = error
        finally:
            if slots is not None:
                slots.release()

    clock: Clock = (services or {}).get(Clock, SYSTEM_CLOCK)
    found = await trio.to_thread.run_sync(journal.runs, "running")
    found += await trio.to_thread.run_sync(journal.ready, clock.now().timestamp())
    async with trio.open_nursery() as nursery:
        for info in found:
            if slots is not None:
                await slots.acquire()
            nursery.start_soon(go_on, info)
    return {info.id: came[info.id] for info in found if info.id in came}
