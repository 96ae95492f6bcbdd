"""`stream`: a run as an iterator of its events, for servers that pass them on.

A generator around `open_run` would hold a nursery open while it yields, which trio does not allow: whoever leaves the
loop early would leave the nursery open in a task that goes on. So the run has a task of its own, which the iterator
cancels when nobody iterates any more.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection
from contextvars import copy_context
from types import TracebackType
from typing import Unpack

import trio

from trioflow.model.graph import Graph
from trioflow.runtime.given import RunArguments, given
from trioflow.runtime.options import RunResult
from trioflow.runtime.run import Run
from trioflow.runtime.watch import Subscription
from trioflow.semantics.events import Event, Kind
from trioflow.semantics.plan import Plan


class EventStream(AsyncIterator[Event]):
    """The events of a run, which begins with the first `anext` and ends at the latest when nobody iterates any more.

    Ends by raising what the run failed with, as it is (R4), after the last event. Breaking out of the loop cancels the
    run, which then ends by itself; as an async context manager it waits for that where the block ends. Cancelling the
    task that iterates cancels the run, waits until it is torn down, and goes on with the cancellation.
    """

    def __init__(self, run: Run, subscription: Subscription) -> None:
        self._run = run
        self._events = subscription
        self._begun = False
        self._over = trio.Event()
        self._failure: BaseException | None = None

    @property
    def run(self) -> Run:
        """The run: to look at, to pause, to publish events in."""
        return self._run

    def __aiter__(self) -> EventStream:
        return self

    async def __anext__(self) -> Event:
        if not self._begun:
            self._begin()
        try:
            return await anext(self._events)
        except StopAsyncIteration:
            await self._end()
            failure = self._run.unseen_failure
            if failure is None:
                raise
            if isinstance(failure, StopAsyncIteration):
                raise RuntimeError("the graph failed with StopAsyncIteration, which would end the loop") from failure
            await self._run.result()
            raise AssertionError from None  # result has raised it
        except BaseException:
            self._run.cancel()
            with trio.CancelScope(shield=True, deadline=trio.current_time() + self._patience):
                await self._over.wait()
            raise

    async def result(self) -> RunResult:
        """Wait until the run has ended, and return what it left behind. Raises what it failed with, or `RunAborted`."""
        if not self._begun:
            self._begin()
        return await self._run.result()

    async def aclose(self) -> None:
        """Cancel the run if it goes on, and wait until everything is torn down. A cancellation point."""
        self._run.cancel()
        self._events.close()
        if self._begun:
            with trio.CancelScope(shield=True, deadline=trio.current_time() + self._patience):
                await self._over.wait()
        await trio.lowlevel.checkpoint_if_cancelled()

    async def __aenter__(self) -> EventStream:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.aclose()

    def __del__(self) -> None:
        # The loop was left by break or by an exception, and nobody has closed it: the run is cancelled, and ends.
        if self._begun and not self._over.is_set():
            _cancel(self._run, self._token)

    def __repr__(self) -> str:
        return f"<events of {self._run!r}>"

    @property
    def _patience(self) -> float:
        """Seconds that the end of the run may take: it has a limit for its clean-up itself."""
        return self._run.options.grace + 1.0

    def _begin(self) -> None:
        self._begun = True
        self._token = trio.lowlevel.current_trio_token()
        trio.lowlevel.spawn_system_task(_execute, self._run, self._over, name="trioflow.stream", context=copy_context())

    async def _end(self) -> None:
        await self._over.wait()


def _cancel(run: Run, token: trio.lowlevel.TrioToken) -> None:
    try:
        if trio.lowlevel.in_trio_run() and trio.lowlevel.current_trio_token() is token:
            run.cancel()
        else:
            token.run_sync_soon(run.cancel)
    except (RuntimeError, trio.RunFinishedError):
        pass  # trio has ended, and so has the run


async def _execute(run: Run, over: trio.Event) -> None:
    """The task of a run. What it fails with is kept in the run; nothing may come out of a system task."""
    try:
        await run.execute()
    except trio.Cancelled:
        raise
    except BaseException as error:  # what is no Exception, such as an interrupt: whoever iterates gets it
        run.failure = run.failure or error
    finally:
        over.set()


def stream(
    graph: Graph | Plan,
    *,
    buffer: int = 1000,
    kinds: Collection[Kind] | None = None,
    nodes: Collection[str] | None = None,
    keep: Collection[Kind] = ("failures",),
    values: bool = False,
    **arguments: Unpack[RunArguments],
) -> EventStream:
    """Run a graph and iterate over its events: `async for event in tf.stream(graph): ...`.

    Safe to break out of, and to be cancelled in, also inside a generator. `kinds`, `nodes`, `keep`, `values` and
    `buffer` are as for `Run.events`; `RunArguments` says what else a run may be given. Raises at once what `open_run`
    raises where it is entered; the loop ends by raising what the run fails with.
    """
    run = Run(*given(graph, arguments))
    return EventStream(run, run.events(buffer, kinds=kinds, nodes=nodes, keep=keep, values=values))
