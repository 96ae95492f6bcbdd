"""Executions of journalled runs, and the run that a host sees."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING, Literal, overload

import trio

from trioflow.durable.agenda import JournalledAgenda
from trioflow.durable.codec import decode, encode
from trioflow.durable.ended import ended
from trioflow.durable.outbox import EventLog, kept_events, observing
from trioflow.durable.records import Waiting
from trioflow.durable.signals import make_signal
from trioflow.errors import RunFinished, RunSuspended
from trioflow.runtime.host.execution import Control, Execution
from trioflow.runtime.host.hosted import Hosted
from trioflow.runtime.host.run import Run

if TYPE_CHECKING:
    from trioflow.durable.recorder import Recorder
    from trioflow.durable.records import RunInfo
    from trioflow.runtime.base.options import RunResult
    from trioflow.runtime.base.watch import Subscription
    from trioflow.runtime.host.given import Given
    from trioflow.runtime.host.hosted import HostEvent
    from trioflow.semantics.events import Kind
    from trioflow.semantics.plan import Plan
    from trioflow.semantics.store import Store


class JournalledExecution(Execution):
    """An execution that fails with what its journal says, if that says anything."""

    def __init__(self, plan: Plan, given: Given, control: Control, recorder: Recorder) -> None:
        super().__init__(plan, given, control)
        self.recorder = recorder
        # What it came to in another process, if it had ended before.
        self.ended_before: RunInfo | None = None
        recorder.execution = self
        if isinstance(control, Hosted):
            self.state.agenda = JournalledAgenda(recorder, is_hosted=True)
        self.time_before = recorder.elapsed.before  # J9

    @property
    def store(self) -> Store:
        """Of its first strand."""
        return self._store

    @property
    def cancelling(self) -> bool:
        """Whether the host has cancelled it."""
        scope = self._control.scope
        return scope is not None and scope.cancel_called

    @property
    def was_cancelled(self) -> bool:
        """Whether that has taken effect."""
        scope = self._control.scope
        return scope is not None and scope.cancelled_caught

    @property
    def stopping(self) -> bool:
        """Whether all of it is being cancelled: by the host, or because its budget is used up."""
        budget = self.state.budget
        return self.cancelling or (budget is not None and budget.cancel_called)

    async def execute(self) -> None:
        if self.ended_before is None:
            await super().execute()
            return
        await trio.lowlevel.checkpoint()
        self.state.started_at = trio.current_time()
        try:
            ended(self.ended_before)
        except Exception as error:
            self._settle(error, cancelled=False)
        else:
            self._settle(None, cancelled=False)

    def left_behind(self) -> RunResult:
        return super().left_behind() if self.ended_before is None else ended(self.ended_before)

    def _settle(self, failure: BaseException | None, *, cancelled: bool) -> None:
        broken = self.recorder.broken
        if isinstance(broken, RunSuspended):  # which is no end of the run, so it has not failed
            super()._settle(None, cancelled=True)
            self.failure = broken
        else:
            super()._settle(failure if broken is None else broken, cancelled=cancelled)


class JournalledRun(Run):
    """A `Run` that is kept in a journal."""

    _execution: JournalledExecution

    @property
    def recorder(self) -> Recorder:
        """What asks and writes for it."""
        return self._execution.recorder

    @property
    def run_id(self) -> str:
        """The name of the run in its journal."""
        return self.recorder.run_id

    async def publish(self, event: str, payload: object = None) -> None:
        """As for any run, and kept: it is durable before anything is done because of it (J25)."""
        published = self._publish(event, payload)
        await self.recorder.barrier()
        await self._handled(published, event)

    def publish_nowait(self, event: str, payload: object = None) -> None:
        """The same without waiting. Raises `UnknownName`, `RunFinished`, `Unrecordable`."""
        self._publish(event, payload)

    def _publish(self, event: str, payload: object) -> HostEvent:
        written = encode(payload, f"the payload of event {event!r}")
        published = self._hosted.publish(self._state, event, decode(written))  # J6
        self.recorder.put_published(event, written)
        return published

    async def signal(self, name: str, payload: object = None, *, key: str | None = None, by: str | None = None) -> bool:
        """Send the run a signal, as `send_signal` does, and let it look at once."""
        recorder = self.recorder
        sent = make_signal(name, payload, key=key, by=by or recorder.store.by, at=recorder.now().timestamp())
        new: bool = await recorder.call(recorder.store.send, self.run_id, sent)
        recorder.signalled()
        return new

    @overload
    def events(
        self,
        buffer: int = ...,
        *,
        kinds: Collection[Kind] | None = ...,
        nodes: Collection[str] | None = ...,
        keep: Collection[Kind] = ...,
        values: bool = ...,
        durable: Literal[False] = ...,
    ) -> Subscription: ...
    @overload
    def events(
        self,
        *,
        kinds: Collection[Kind] | None = ...,
        nodes: Collection[str] | None = ...,
        durable: Literal[True],
        after: int | None = ...,
    ) -> EventLog: ...
    def events(
        self,
        buffer: int = 1000,
        *,
        kinds: Collection[Kind] | None = None,
        nodes: Collection[str] | None = None,
        keep: Collection[Kind] = (),
        values: bool = False,
        durable: bool = False,
        after: int | None = None,
    ) -> Subscription | EventLog:
        """As for any run; or with `durable` events that are kept with it, and go on after a resume (J29).

        These come when they are durable, as `KeptEvent`, in the order of their numbers, each once, whatever dies in
        between: those after the number `after`, without which they are those that were not told before this process.
        For that they must be asked for in the same way in each process that has the run, before anything is awaited in
        the `open_run` block. What moments stand for is not told to those who ask for the first time after them. Of a
        run that has ended they are read.
        """
        if not durable:
            return super().events(buffer, kinds=kinds, nodes=nodes, keep=keep, values=values)
        recorder = self.recorder
        before = kept_events(recorder.session.entries)
        log = EventLog(before, after if after is not None else before[-1].number if before else 0)
        if self.ended_before is not None:
            log.end()
            return log
        known = recorder.outbox
        outbox = recorder.keep_events()
        if known is None:
            self.observe(observing(outbox, kinds, nodes))
        outbox.add(log)
        return log

    def cancel(self, *, by: str | None = None) -> None:
        """As for any run; it has not ended by this, and can be resumed. `by`: who does it (J28)."""
        self.recorder.cancelled_by = by
        super().cancel()

    async def suspend(self, why: str = "", *, by: str | None = None) -> None:
        """Put the run away until somebody resumes it; `result` raises `RunSuspended` then (J22).

        `by`: who does it, for those who look later (J28).

        What it is doing is cancelled, and is in flight. Comes back when that is kept.
        """
        await self.recorder.suspend(Waiting(), why, by)

    async def checkpoint(self) -> None:
        """Take a moment by hand (J26): what is superseded is taken away, in one transaction, when this comes back.

        Loops that are in the middle of a round say where they are when they come to the next one. Raises
        `RunFinished`, and `JournalError` if nothing can be written.
        """
        recorder = self.recorder
        if self._hosted.finished.is_set():
            raise RunFinished(f"Run {self.run_id!r} has ended: there is nothing to go on from.")
        await recorder.barrier()
        await recorder.moments.sweep(all_of_it=True)

    @property
    def ended_before(self) -> RunInfo | None:
        """What it came to in another process, if it had ended before."""
        return self._execution.ended_before

    @property
    def is_replaying(self) -> bool:
        """Whether all that happens now has happened before."""
        return self.recorder.replaying
