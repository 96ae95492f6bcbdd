"""`stream`: a run as an iterator of its events, for servers that pass them on.

A generator around `open_run` would hold a nursery open while it yields, which trio does not allow: whoever leaves the
loop early would leave the nursery open in a task that goes on. So the run has a task of its own, which the iterator
cancels when nobody iterates any more.
"""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Collection
from contextlib import suppress
from contextvars import copy_context
from types import TracebackType
from typing import Unpack

import trio

from trioflow.errors import RunAborted
from trioflow.model.graph import Graph
from trioflow.runtime.base.failure import is_cancellation, note
from trioflow.runtime.base.options import RunResult
from trioflow.runtime.base.watch import Subscription
from trioflow.runtime.host.given import OUTSIDE, RunArguments, given
from trioflow.runtime.host.run import HostedRun, Run
from trioflow.semantics.events import Event, Kind
from trioflow.semantics.plan import Plan

_log = logging.getLogger("trioflow")


class EventStream(AsyncIterator[Event]):
    """The events of a run, which begins with the first `anext` and ends at the latest when nobody iterates any more.

    Ends by raising what the run failed with, as it is (R4), after the last event; after that of a run that was
    cancelled it just ends. Cancelling the task that iterates cancels the run, waits until it is torn down, and goes on
    with the cancellation. Breaking out of the loop cancels the run, which then ends by itself, and what it fails with
    meanwhile is logged; as an async context manager it waits for that where the block ends, and raises it.
    """

    def __init__(self, made: HostedRun, subscription: Subscription) -> None:
        self._made = made
        self._run = made.run
        self._events = subscription
        self._task: _Task | None = None
        self._closed = False

    @property
    def run(self) -> Run:
        """The run: to look at, to pause, to publish events in."""
        return self._run

    def __aiter__(self) -> EventStream:
        return self

    async def __anext__(self) -> Event:
        task = self._begun()
        if task is None:
            raise StopAsyncIteration
        try:
            return await anext(self._events)
        except StopAsyncIteration:
            await task.over.wait()
            failure = self._made.unseen_failure
            if failure is None:
                raise
            if isinstance(failure, StopAsyncIteration):
                raise RuntimeError("the graph failed with StopAsyncIteration, which would end the loop") from failure
        except BaseException:
            self._run.cancel()
            with trio.CancelScope(shield=True):
                await task.over.wait()
            raise
        await self._run.result()
        raise AssertionError  # result has raised

    async def result(self) -> RunResult:
        """Wait until the run has ended, and return what it left behind. Raises what it failed with, or `RunAborted`."""
        if self._begun() is None:
            raise RunAborted(f"Run {self._run.id} was closed before it began, so it has no result.")
        return await self._run.result()

    async def aclose(self) -> None:
        """Cancel the run if it goes on, and wait until everything is torn down, also when cancelled meanwhile.

        Raises what the run has failed with, if nobody has seen that yet. A cancellation point.
        """
        self._closed = True
        self._run.cancel()
        self._events.close()
        if self._task is not None:
            with trio.CancelScope(shield=True):
                await self._task.over.wait()
            if self._made.unseen_failure is not None:
                await self._run.result()
        await trio.lowlevel.checkpoint()

    async def __aenter__(self) -> EventStream:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        try:
            await self.aclose()
        except BaseException as failure:
            if error is None or is_cancellation(error):
                raise
            if not is_cancellation(failure):
                note(error, f"the run has failed, too: {failure!r}")  # R1

    def __del__(self) -> None:
        # The loop was left by break or by an exception, and nobody has closed it: the run is cancelled, and ends.
        if self._task is not None and not self._task.over.is_set():
            self._task.abandon()

    def __repr__(self) -> str:
        return f"<events of {self._run!r}>"

    def _begun(self) -> _Task | None:
        """The task of the run, which begins now if it has not yet; None if it was closed before."""
        if self._task is None and not self._closed:
            self._task = _Task(self._made)
        return self._task


class _Task:
    """The task of a run: it knows nothing of who iterates, who may go away."""

    def __init__(self, made: HostedRun) -> None:
        self._made = made
        self._abandoned = False
        self._token = trio.lowlevel.current_trio_token()
        self.over = trio.Event()
        trio.lowlevel.spawn_system_task(self._execute, name="trioflow.stream", context=copy_context())

    def abandon(self) -> None:
        """Nobody iterates any more. May be called by the garbage collector: at any place, in any thread."""
        self._abandoned = True
        with suppress(trio.RunFinishedError):  # and so has the run
            self._token.run_sync_soon(self._made.run.cancel, idempotent=True)

    async def _execute(self) -> None:
        execution = self._made.execution
        try:
            await execution.execute()
        except trio.Cancelled:
            raise
        except BaseException as error:  # what is no Exception, such as an interrupt: whoever iterates gets it
            execution.failure = execution.failure or error
        finally:
            self.over.set()
        if self._abandoned and self._made.unseen_failure is not None:
            _log.error(
                "Run %s failed after nobody iterated over its events any more",
                self._made.run.id,
                exc_info=execution.failure,
            )


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

    Safe to break out of, unless it is kept, and to be cancelled in, also inside a generator. `kinds`, `nodes`, `keep`,
    `values` and `buffer` are as for `Run.events`; `RunArguments` says what else a run may be given. To be called in a
    trio task. Raises at once what `open_run` raises where it is entered; the loop ends by raising what the run fails
    with. `async with tf.stream(graph) as events:` waits, where the block ends, until everything is torn down.
    """
    if not trio.lowlevel.in_trio_run():
        raise RuntimeError(OUTSIDE)
    made = HostedRun(*given(graph, arguments))
    return EventStream(made, made.run.events(buffer, kinds=kinds, nodes=nodes, keep=keep, values=values))
