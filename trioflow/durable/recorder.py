"""What a journalled run asks: has this been recorded before, and is it durable now (J2, J3, J6, J8).

The recorder has what was recorded when the run was taken, hands it out once to whoever comes to the same place, and
writes what is new. It is the shell around `records`: it waits for the disk, and knows when the run is being stopped.
"""

from __future__ import annotations

import datetime
import math
from bisect import bisect_left
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import asynccontextmanager, contextmanager, suppress
from functools import partial
from typing import TYPE_CHECKING, Any, NoReturn

import attrs
import trio

from trioflow.durable.checkpoint import Checkpoint
from trioflow.durable.codec import dump, parse
from trioflow.durable.deeds import note
from trioflow.durable.elapsed import ELAPSED, Elapsed
from trioflow.durable.events import RunContinued
from trioflow.durable.going import HOST, Going
from trioflow.durable.keys import ancestors, part_key, path_of, path_part, show_key
from trioflow.durable.moment import MOMENTS, ROUND, SUPERSEDED, WHOLE, Compacted, compacted, moments_among, numbers_in
from trioflow.durable.moments import Moments
from trioflow.durable.outbox import Outbox, kept_events
from trioflow.durable.owner import LEASE
from trioflow.durable.records import PUBLISHED, TOLD, Entry, Waiting
from trioflow.durable.waiting import Waits, suspended
from trioflow.errors import Diverged, JournalError
from trioflow.model.clock import Clock
from trioflow.semantics.address import is_attempt

if TYPE_CHECKING:
    from collections.abc import Generator

    from trioflow.durable.executing import JournalledExecution
    from trioflow.durable.observing import Watcher
    from trioflow.durable.port import Session, Store, Work
    from trioflow.durable.records import Signal, Status
    from trioflow.durable.remembering import Remembered
    from trioflow.durable.scopes import KeptScope
    from trioflow.runtime.base.records import Line, Strand

DONE, RAN, VALUE, CLOSED, EXPIRED = "done", "ran", "value", "closed", "expired"
"""Kinds of entries: the end of an activation; that one ended which has dispatched, and so is run again; the end of an
evaluation; what ended badly and starts nothing more; the children of an activation that a time limit has cut off."""
OVER = "over"
"""Kind of the entry that the time limit of a policy has cut off all attempts of an activation, or one of them."""

UNDONE = "undone"
"""Kind of the entry that what an activation did is undone, and why."""

_LOOK_AGAIN = 0.5
"""Seconds after which a strand that waits for a signal looks whether another process has sent one."""
_BETWEEN = b"bcf"
"""The parts of an activation that are in none of its attempts: pauses between them, and refusals."""
_DELAY = 0.01
"""Seconds after which a record is durable, whatever follows (J3)."""


@attrs.define(eq=False)
class Cutoff:
    """A time limit that is known to have expired: what is new inside of it waits, and it is cancelled when all wait."""

    path: bytes
    first: int
    end: int
    scope: trio.CancelScope | None = None
    """Where it is open again."""

    def holds(self, child: int | None) -> bool:
        """Whether it had cut off what its body dispatched by this number, or now waits for by itself."""
        if child is None:
            return self.scope is not None
        return self.first <= child and (child < self.end or self.scope is not None)


class Recorder:
    """One run with its journal, while this process has it."""

    watcher: Watcher
    """Who notices what ends badly."""

    def __init__(
        self, store: Store, session: Session, checkpoint: Checkpoint | None = None, *, delay: float = _DELAY
    ) -> None:
        self.store = store
        self.session = session
        self.run_id = session.info.id
        self.execution: JournalledExecution
        # Of what the run has come to: how it is kept; None if that is no end.
        self.outcome: Callable[[BaseException | None], tuple[Status, str] | None] = lambda _: None
        # What was recorded before, and nobody has asked for yet.
        self.known: dict[bytes, Entry] = {}
        # Below these nothing new starts (J8): what they had written, or that they had dispatched something, so that
        # they are run again to be cut off. By activation, the time limits that have cut off some of its children.
        self.closed: dict[bytes, dict[str, Any]] = {}
        self.cutoffs: dict[bytes, list[Cutoff]] = {}
        # Activations that undo something: what was cut off around them does not cut them off (W22).
        self.undoing: set[bytes] = set()
        # Activations that had ended, and whose bodies are run again now.
        self._rerun: set[bytes] = set()
        self._rerun_ended = trio.Event()
        # By activation or attempt: whether all attempts of it were cut off by a policy, or this one.
        self.over: dict[bytes, bool] = {}
        self.moments = Moments(self, checkpoint, session.entries)
        # The activations that are known to have something behind them, until they go on from there (J26).
        self.behind: set[bytes] = set()
        entries = compacted(session.entries).keep
        for entry in entries:
            if entry.kind in {TOLD, ELAPSED}:
                continue
            if entry.kind in MOMENTS:
                self.behind.add(path_part(entry.key))
            if entry.kind == CLOSED:
                self.closed[entry.key] = parse(entry.data)
            elif entry.kind == OVER:
                path = path_part(entry.key)
                self.over[path] = self.over.get(path, False) or parse(entry.data)
                self.known[entry.key] = entry
            elif entry.kind == EXPIRED:
                first, end = parse(entry.data)
                self.cutoffs.setdefault(path_part(entry.key), []).append(Cutoff(path_part(entry.key), first, end))
                self.known[entry.key] = entry
            else:
                self.known[entry.key] = entry
        # What the host has published, in order (J25).
        self.published = [entry for entry in entries if entry.kind == PUBLISHED]
        self.published_before = max((moment.published for moment in moments_among(entries)), default=0)
        """How many of them were handled before a moment of their strand, which is `host` once it has begun."""
        self.host: Going | None = None
        # The scopes of workflows that are open.
        self.scopes: dict[Any, KeptScope] = {}
        for entry in self.published:
            del self.known[entry.key]
        self.elapsed = Elapsed(self, entries)
        # The places of what was recorded; of what may remain the keys, the last first; where failures wait (J8).
        self._order = {key: place for place, key in enumerate(self.known)}
        self._remaining = [*reversed(self._order)]
        self._failing: set[int] = set()
        # The keys of all that was recorded, in their order, once somebody looks for what is below a path.
        self._places: list[bytes] | None = None
        self.replaying = bool(session.entries)
        # Whether events are kept, or were once: whoever reads them needs all of their records (J29).
        self.tells_events = any(entry.kind == TOLD for entry in session.entries)
        self.replayed = 0
        self.recorded = 0
        # The signals that nobody has taken yet, and the number of the last one that was looked at (J21).
        self.signals: list[Signal] = []
        self._last_signal = -1
        self.taken: set[int] = {parse(each.data)["n"] for each in entries if each.kind == "signal"} - {None}
        for moment in moments_among(entries):
            self.taken |= numbers_in(moment.signals)
        # How often volatile nodes were asked for, by activation and node.
        self.volatile: dict[bytes, int] = {}
        self._signalled = trio.Event()
        # The activations whose ends were handed out: nobody asks for what is below them.
        self._handed: set[bytes] = set()
        # The last line below which something was recorded, with its key: the next one is mostly there, too.
        self.above: dict[Line, bytes] = {}
        self._delay = delay
        self._pending: list[Entry] = []
        # Of what was cut off: recorded only with what comes after, for then the run has gone on (J8).
        self._late: dict[bytes, Entry] = {}
        self._made = self._durable = 0
        # How many of those that were made a moment has superseded.
        self._superseded = 0
        self._writing = False
        self._written = trio.Event()
        self._something = trio.Event()
        self.stopped = False
        self._nursery: trio.Nursery | None = None
        self.waits = Waits(self)
        # What its policies remember, if it has any (J23).
        self.remembered: Remembered | None = None
        # After how many seconds in which all of the run waits it is put away (J22).
        self.suspend_after: float | None = None
        # Because of which the run ends, and nothing is written any more (J12).
        self.broken: BaseException | None = None
        self._broke = trio.Event()
        # The events that are kept, if somebody wants that (J29).
        self.outbox: Outbox | None = None
        # Who has cancelled it, if they said so.
        self.cancelled_by: str | None = None

    # --- asking ---

    def find(self, key: bytes, node: str, kinds: Sequence[str], doing: str) -> Entry | None:
        """What was recorded at this place, once. Raises, and ends the run, if that is something else (J12)."""
        if not self.known:
            return None
        entry = self.known.pop(key, None)
        if entry is None:
            return None
        if entry.node != node or entry.kind not in kinds:
            self.diverge(
                f"At {show_key(key)} the journal has {_say(entry)}, but the run comes to {doing} of node {node!r} "
                "there."
            )
        self.replayed += 1
        if entry.kind == DONE or entry.kind in MOMENTS:
            self._found(entry)
        return entry

    async def in_turn(self, entry: Entry) -> None:
        """Come back when all that was recorded before this failure has been replayed, or nothing else goes on.

        For a failure cuts off what is beside it, and there should be by then what was there.
        """
        if not self._is_ahead(entry):
            return
        place = self._order[entry.key]
        self._failing.add(place)
        try:
            while self._is_ahead(entry):
                await all_blocked()
                if min(self._failing) == place:
                    return
        finally:
            self._failing.discard(place)

    def _is_ahead(self, entry: Entry) -> bool:
        """Whether something that was recorded before this has not been replayed yet."""
        if not self.known:
            return False
        while self._remaining and self._remaining[-1] not in self.known:
            self._remaining.pop()
        return bool(self._remaining) and self._order[self._remaining[-1]] < self._order.get(entry.key, 0)

    def _found(self, entry: Entry) -> None:
        path = path_part(entry.key)
        if entry.kind != ROUND:
            self._handed.add(path)
        if entry.kind in MOMENTS:
            self.behind.discard(path)

    def knows(self, path: bytes) -> bool:
        """Whether something was recorded of this activation, or below it, that nobody has asked for yet."""
        if not self.known:
            return False
        if self._places is None:
            self._places = sorted(self.known)
        for place in range(bisect_left(self._places, path), len(self._places)):
            if not self._places[place].startswith(path):
                break
            if self._places[place] in self.known:
                return True
        return False

    def diverge(self, what: str) -> NoReturn:
        """End the run because it does something else than the journal says (J12)."""
        error = Diverged(
            f"Run {self.run_id!r} does not do what its journal says. {what} Either the graph, a node's code, or an "
            "input has changed, or a replayed body decides by something that its context did not tell it: the time, "
            "the order of a set, a global. Nothing was written; put back what was changed, or fork the run before that "
            "place."
        )
        self.break_off(error)
        raise error

    def break_off(self, error: BaseException) -> None:
        """The run can't be resumed here: nobody can catch that. Nothing is written any more."""
        if self.broken is None:
            self.broken = error
            self._broke.set()

    async def suspend(self, waiting: Waiting, why: str = "", by: str | None = None) -> None:
        """Put the run away (J22). Nothing is written after this, so whoever wakes meanwhile does nothing."""
        self.broken = suspended(self.run_id, waiting, why)
        try:
            with trio.CancelScope(shield=True):  # either it is told that it was put away, or it was not
                while self._writing:
                    await self._written.wait()
                if self._time_limit is not None:
                    await self.call(self.session.append, [self.elapsed.entry()])
                await self.call(partial(self.session.set_state, "suspended", waiting=waiting))
                await self.call(note, self.store, self.run_id, "put away", by, why)
        except Exception as error:
            self.broken = error
        self._broke.set()

    @property
    def _time_limit(self) -> float | None:
        """Of the whole run."""
        return self.execution.state.options.timeout

    @property
    def last_signal(self) -> int:
        """The number of the last signal that was looked at."""
        return self._last_signal

    def starts(self) -> None:
        """Something new begins, which nothing was recorded of: the replay is over."""
        if self.replaying:
            self.replaying = False
            state = self.execution.state
            state.tell(RunContinued, None, None, self.session.info.state.entries, self.replayed)

    def is_cut_off(self, key: bytes, *, activation: bool = False) -> bool:
        """Whether something below of which this is was cut off, so that nothing new starts there (J8).

        An activation that was itself cut off after it had dispatched something is run again.
        """
        if self.behind:
            self._must_have_gone_on(key)
        if not (self.closed or self.cutoffs or self.over):
            return False
        found = self._cut_off(key)
        return found is not None and not (activation and found == key and "d" in self.closed.get(key, {}))

    def _must_have_gone_on(self, key: bytes) -> None:
        """J12: nothing new starts below an activation that has something behind it, and does not go on from there."""
        for path in ancestors(key):
            if path in self.behind and path != path_part(key):
                self.diverge(f"It has a moment of {show_key(path)}, and the body there does not go on from that.")

    async def wait_to_be_cancelled(self, key: bytes) -> NoReturn:
        """Stay until whoever cut this off before does it again (J8)."""
        found = self._cut_off(key)
        if isinstance(found, Cutoff) and self._nursery is not None:  # those of policies expire by themselves
            self._nursery.start_soon(self._expire, found)
        await trio.sleep_forever()
        raise AssertionError

    async def _expire(self, cutoff: Cutoff) -> None:
        """Let a time limit expire as soon as all that was done inside of it has been replayed."""
        await all_blocked()
        while self._is_run_again_inside(cutoff):  # that had ended in time, whatever it waits for now
            await self._rerun_ended.wait()
            await all_blocked()
        if cutoff.scope is not None:
            cutoff.scope.deadline = trio.current_time()  # it was a time limit that cut off what is in there (W22)

    def _is_run_again_inside(self, cutoff: Cutoff) -> bool:
        return any(path_part(key) != cutoff.path and self._cut_off(key) is cutoff for key in self._rerun)

    @contextmanager
    def running_again(self, key: bytes) -> Generator[None]:
        """The body of an activation that had ended is run again, since what it dispatched is recorded."""
        self._rerun.add(key)
        try:
            yield
        finally:
            self._rerun.discard(key)
            self._rerun_ended.set()
            self._rerun_ended = trio.Event()

    def expire_soon(self, cutoff: Cutoff) -> None:
        """The same, for what waits inside and starts nothing new."""
        assert self._nursery is not None
        self._nursery.start_soon(self._expire, cutoff)

    def expire_in(self, seconds: float, scope: trio.CancelScope) -> None:
        """Cancel what is in a scope after so long, but not before all that was done inside has been replayed."""
        assert self._nursery is not None
        self._nursery.start_soon(self._expire_at, trio.current_time() + seconds, scope)

    async def _expire_at(self, deadline: float, scope: trio.CancelScope) -> None:
        await all_blocked()
        while self.waits.looking:  # noqa: ASYNC110 - a signal may have arrived in time
            await trio.sleep(_DELAY)
        scope.deadline = deadline

    def _cut_off(self, key: bytes) -> Cutoff | bytes | None:
        below: bytes | None = None
        for each in ancestors(key):
            if each in self.closed:
                return each
            if each in self.undoing:
                return None  # what is cut off around it is what it undoes
            if each in self.over and self._is_over(each, below, key):
                return each
            if each in self.cutoffs:
                child = None if below is None else path_of(below)[-1]
                for cutoff in self.cutoffs[each]:
                    if cutoff.holds(child):
                        return cutoff
            below = each
        return None

    def _is_over(self, path: bytes, below: bytes | None, key: bytes) -> bool:
        """Whether a limit of a policy has cut off what is there: all of an activation but its end, or an attempt."""
        if below is not None:
            return self.over[path] or not is_attempt(path_of(below)[-1])
        part = key[len(path) + 1 : len(path) + 2]
        return part != b"" and (self.over[path] or part not in _BETWEEN)

    @contextmanager
    def _holding(self) -> Generator[None]:
        self._writing = True
        try:
            yield
        finally:
            self._writing = False
            self._written.set()
            self._written = trio.Event()

    # --- recording ---

    async def before_effect(self) -> None:
        """Something is about to be done to the world: everything before is durable when this comes back (J3).

        What was cut off before is recorded, too: the run has gone on (J8).
        """
        self._keep_late()
        if self._durable < self._made or self.broken is not None:
            await self.barrier()

    def _keep_late(self) -> None:
        if self._late:
            if not self.stopping:
                self._pending.extend(self._late.values())
                self._made += len(self._late)
            self._late = {}

    def put(self, key: bytes, node: str, kind: str, data: Any) -> None:
        """Record something. It is durable after the next `barrier`, or soon."""
        if self.broken is not None:
            return
        self._keep_late()
        self._add(Entry(key, node, kind, dump(data)))
        self.recorded += 1
        self.moments.noted(node)

    def put_entry(self, entry: Entry) -> None:
        """The same for a moment, which is not counted among what was recorded."""
        if self.broken is None:
            self._add(entry)

    def tell(self, key: bytes, node: str, data: Any) -> int:
        """Record that an event was told, which does not mean that the run goes on (J8); gives how much was made."""
        self._add(Entry(key, node, TOLD, dump(data)))
        return self._made

    def _add(self, entry: Entry) -> None:
        self._pending.append(entry)
        self._made += 1
        if not self._something.is_set():
            self._something.set()

    def policies(self) -> list[Any] | None:
        """What policies remember, if that has changed since it was recorded last (J23)."""
        return None if self.remembered is None else self.remembered.news(self.now().timestamp())

    def put_late(self, key: bytes, node: str, said: dict[str, Any]) -> None:
        """Record that something was cut off, unless the whole run is (J8)."""
        if self.broken is not None or self.stopping or key in self.closed:
            return
        if key not in self._late:  # else who told first knows more
            self._late[key] = Entry(key, node, CLOSED, dump(said))

    @property
    def count(self) -> int:
        """How many entries there are, from all processes."""
        return len(self.session.entries) + self._made - self._superseded

    @property
    def stopping(self) -> bool:
        """Whether the run as a whole is being cancelled."""
        return self.stopped or self.execution.stopping

    @property
    def published_so_far(self) -> int:
        """How many events the host has published."""
        return self.published_before + len(self.published)

    async def between_events(self, strand: Strand, line: Line) -> None:
        """The strand of the host's events begins, or has handled one: it may have a moment here (J26)."""
        if self.host is None:
            self.host = Going(recorder=self, strand=strand, line=line, name=HOST)
            self.host.begin()
        await self.host.handled()

    def put_published(self, event: str, payload: Any) -> None:
        """Record that the host has published an event (J25)."""
        entry = Entry(part_key(b"", "h", self.published_so_far), event, PUBLISHED, dump(payload))
        self.published.append(entry)
        self.put(entry.key, event, PUBLISHED, payload)

    async def compact(self, work: Callable[[Sequence[Entry]], Compacted], history: bool | int) -> int:
        """Take away what is superseded by moments, as `work` says, in one transaction (J26); says how much is left.

        `history`: whether that is kept there, or what so many of the last moments have superseded.
        """
        while self._writing:
            await self._written.wait()
        try:
            with self._holding():
                before, found = await self.call(self._compact, work, history)
        except JournalError as error:
            self.break_off(error)
            await self._end_here()
        self._superseded += before - len(found.keep) - len(self.session.entries)
        self.session.entries.clear()
        self.watcher.moved(found.places)
        return len(found.keep)

    def _compact(self, work: Callable[[Sequence[Entry]], Compacted], history: bool | int) -> tuple[int, Compacted]:
        entries = self.store.entries(self.run_id)
        found = work(entries)
        if found.superseded:
            kept = found.settled("history" if history else "gone")
            self.session.rewrite(kept, found.history if history else ())
            if history is not True and history:
                self._forget(history)
        return len(entries), found

    def _forget(self, last: int) -> None:
        """Let go of the history but for what the last moments have superseded."""
        history = self.store.history(self.run_id)
        ends = [place for place, entry in enumerate(history) if entry.kind == SUPERSEDED]
        if len(ends) > last:
            self.session.forget(ends[-last - 1] + 1)

    async def barrier(self) -> None:
        """Come back when all that was recorded so far is durable: before anything is done to the world (J3).

        A cancellation point only if there is something to wait for.
        """
        want = self._made
        while self._durable < want:
            if self.broken is not None:
                await self._end_here()
            if self._writing:
                await self._written.wait()
                continue
            if not self.store.blocking:
                self._write_now()
                continue
            with self._holding():
                await self._write()
        if self.broken is not None:
            await self._end_here()

    def _write_now(self) -> None:
        entries, self._pending = self._pending, []
        try:
            self.session.append(entries)
        except BaseException as error:
            self.break_off(error)
            return
        self._is_durable(len(entries))

    async def _write(self) -> None:
        entries, self._pending = self._pending, []
        try:
            await trio.to_thread.run_sync(self.session.append, entries)
        except BaseException as error:
            self.break_off(error)
            return
        self._is_durable(len(entries))

    def _is_durable(self, more: int) -> None:
        self._durable += more
        if self.outbox is not None:
            self.outbox.durable(self._durable)

    async def transact(self, work: Work) -> None:
        """Everything before is durable; then do this in a transaction, with its own entries (J5)."""
        await self.before_effect()
        while self._writing:
            await self._written.wait()
        try:
            self.session.transact(work)
        except JournalError as error:
            self.break_off(error)
            await self._end_here()

    async def _end_here(self) -> NoReturn:
        """The run is being ended with what it is broken by: wait for that, as no body may catch it."""
        with trio.move_on_after(self.execution.state.options.grace, shield=False):
            await trio.sleep_forever()
        assert self.broken is not None
        raise self.broken

    async def call(self, function: Callable[..., Any], *arguments: Any) -> Any:
        """Ask the session something, in a thread if it may block."""
        if self.store.blocking:
            return await trio.to_thread.run_sync(function, *arguments)
        return function(*arguments)

    async def wait_for_signal(self, name: str, seconds: float) -> Signal | None:
        """The next signal of that name, which is taken with this; None after so long."""
        with trio.move_on_after(seconds):
            while True:
                self.waits.looking += 1
                try:
                    self._look(await self.call(self.store.signals, self.run_id, self._last_signal))
                finally:
                    self.waits.looking -= 1
                found = next((each for each in self.signals if each.name == name), None)
                if found is not None:
                    self.signals.remove(found)
                    self.taken.add(found.number)
                    return found
                with trio.move_on_after(_LOOK_AGAIN):
                    await self._signalled.wait()
        return None

    def _look(self, arrived: Sequence[Signal]) -> None:
        for signal in arrived:
            if signal.number > self._last_signal:
                self._last_signal = signal.number
                if signal.number not in self.taken:
                    self.signals.append(signal)

    def signalled(self) -> None:
        """Somebody in this process has sent one: whoever waits looks at once."""
        self._signalled.set()
        self._signalled = trio.Event()

    def now(self) -> datetime.datetime:
        """The time on the host's clock."""
        clock: Clock = self.execution.state.services.get(Clock)
        return clock.now()

    # --- the life of the run ---

    @asynccontextmanager
    async def life(self, nursery: trio.Nursery) -> AsyncGenerator[None]:
        """Around the run: what writes in the background, keeps the lease, and notices that all is being cancelled."""
        self._nursery = nursery
        nursery.start_soon(self._notice_stop)
        nursery.start_soon(self._notice_break)
        nursery.start_soon(self._keep_lease)
        if self._time_limit is not None:
            nursery.start_soon(self.elapsed.watch, self._time_limit)
        if self._delay < math.inf:
            nursery.start_soon(self._write_soon)
        if self.suspend_after is not None:
            nursery.start_soon(self.waits.put_away, self.suspend_after)
        try:
            yield
        except BaseException as error:
            await self._ended(error)
            raise
        else:
            await self._ended(None)
        finally:
            if self.outbox is not None:
                self.outbox.end()

    def keep_events(self) -> Outbox:
        """Keep what is told from now on, and know what was kept before. Blocks, if the journal does."""
        if self.outbox is None:
            before = [entry for entry in self.session.entries if entry.kind == TOLD]
            gone = kept_events(self.store.history(self.run_id))
            last = max((each.number for each in [*gone, *kept_events(before)]), default=0)
            self.outbox = Outbox(self, before, last)
            self.tells_events = True
        return self.outbox

    async def _ended(self, failure: BaseException | None) -> None:
        """Make durable what is not yet, and keep what has become of the run; not what was cut off by its end."""
        self._late = {}
        if self.broken is not None:
            return
        if failure is None and not self.execution.was_cancelled:
            self._nothing_left()
        elif self._time_limit is not None:
            self.put_entry(self.elapsed.entry())
        while self._writing:
            await self._written.wait()
        if self.broken is None:
            await self._keep_outcome(failure)
        if self.broken is not None:
            raise self.broken

    async def _keep_outcome(self, failure: BaseException | None) -> None:
        """The last records, with what the run has come to, if it has come to its end and was not put away."""
        said = self.outcome(failure)
        if said is None:
            await self._settle_all()
            if self.broken is None:
                await self._note_cancelled()
            return
        status, outcome = said
        entries, self._pending = self._pending, []
        with self._holding():
            try:
                await self.call(self.session.end, entries, status, self.now().timestamp(), outcome)
            except BaseException as error:
                self.break_off(error)
                return
        self._is_durable(len(entries))

    async def _note_cancelled(self) -> None:
        """That the host has cancelled it, and who says so (J28); of a process that is stopped nothing is told."""
        if self.execution.cancelling:
            with trio.CancelScope(shield=True), suppress(JournalError):
                await self.call(note, self.store, self.run_id, "cancelled", self.cancelled_by)

    async def _settle_all(self) -> None:
        while self._durable < self._made and self.broken is None:
            if self._writing:
                await self._written.wait()
            elif self.store.blocking:
                with self._holding():
                    await self._write()
            else:
                self._write_now()

    def _nothing_left(self) -> None:
        """J12: a run that has come to its end has asked for all that was recorded, and begun where it was."""
        for key, entry in self.known.items():
            if entry.kind in {CLOSED, EXPIRED, OVER, RAN} or self._cut_off(key) is not None:
                continue
            if any(each in self._handed or each in self.watcher.ended_badly for each in ancestors(key)):
                continue  # below what was answered from the journal, and beside what failed again, nobody asks
            self.diverge(f"The journal has {_say(entry)} at {show_key(key)}, and the run ended without coming there.")

    async def _notice_stop(self) -> None:
        def abort(_: object) -> trio.lowlevel.Abort:
            self.stopped = True  # at once, before any body gets to know
            return trio.lowlevel.Abort.SUCCEEDED

        await trio.lowlevel.wait_task_rescheduled(abort)

    async def _notice_break(self) -> None:
        await self._broke.wait()
        assert self.broken is not None
        raise self.broken

    async def _keep_lease(self) -> None:
        while True:
            await trio.sleep(LEASE / 3)
            try:
                await self.call(self.session.renew)
            except BaseException as error:
                self.break_off(error)

    async def _write_soon(self) -> None:
        while True:
            await self._something.wait()
            self._something = trio.Event()
            await trio.sleep(self._delay)
            await self.barrier()

    def close(self) -> None:
        """Give the run back."""
        with suppress(JournalError):
            self.session.close()


def is_cancelled() -> bool:
    """Whether this task is being cancelled, so that it will be told at the next checkpoint."""
    return trio.lowlevel.current_task()._cancel_status.effectively_cancelled


async def all_blocked() -> None:
    """Wait until all tasks wait."""
    from trio.testing import wait_all_tasks_blocked  # noqa: PLC0415 - it imports pytest where that is installed

    await wait_all_tasks_blocked()


def _say(entry: Entry) -> str:
    what = {DONE: "the end of", VALUE: "a value of", CLOSED: "what was cut off at", EXPIRED: "a time limit of",
            ROUND: "a moment of", WHOLE: "a moment of"}  # fmt: skip
    return f"{what.get(entry.kind, f'a {entry.kind!r} of')} node {entry.node!r}"
