"""Activations of journalled runs: what their context tells a body is recorded, or answered from the record (J2).

What a context is asked is numbered in each activation, in the order in which it is asked.
"""

from __future__ import annotations

import datetime
import inspect
import math
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, AbstractContextManager
from functools import partial
from types import TracebackType
from typing import TYPE_CHECKING, Any, ClassVar, Literal, NoReturn, Self, TypeVar

import trio
from trio.lowlevel import checkpoint_if_cancelled

from trioflow.durable.agenda import JournalledAgenda
from trioflow.durable.codec import decode, decode_failure, encode, encode_failure, parse
from trioflow.durable.items import KeptItems
from trioflow.durable.keys import part_key, path_key
from trioflow.durable.kinds import kind_of
from trioflow.durable.moment import ROUND, Moment
from trioflow.durable.recorder import EXPIRED, OVER, UNDONE, Cutoff, Recorder, all_blocked
from trioflow.durable.scopes import KeptScope
from trioflow.errors import InDoubt, Unwind
from trioflow.model.context import Branches, Fork, TimeLimitScope
from trioflow.model.durability import Duration, seconds_of
from trioflow.model.values import NO_VALUES
from trioflow.runtime.base.failure import origin_node
from trioflow.runtime.base.writes import write_outputs
from trioflow.runtime.context import BodyContext
from trioflow.runtime.strands.branches import BranchesBlock, ForkedBranches
from trioflow.semantics.address import attempt_mark

if TYPE_CHECKING:
    from trioflow.durable.moments import Counted
    from trioflow.runtime.base.agenda import Agenda
    from trioflow.runtime.base.records import Line, Strand
    from trioflow.runtime.strands.forks import ForkSet, StrandFork
    from trioflow.runtime.workflow.scope import ScopeRun

T = TypeVar("T")

ONCE, NOW, TIMER, SLEPT, WINNER, ITEM, END = "once", "now", "timer", "slept", "winner", "item", "end"
SIGNAL, REFUSED = "signal", "refused"

_NOTHING: Any = object()


class _SourceEnded(Unwind):
    """Out of the body of a source that has emitted all that it had emitted when it ended."""


class JournalledActivation(BodyContext):
    """An activation of a run that is kept. Each such run has a subclass of its own, which knows the recorder."""

    __slots__ = (
        "_asked", "_blocks", "_emitted", "_failed_before", "_forks", "_mark", "_marked", "_resumes", "_since", "_steps",
    )  # fmt: skip

    recorder: ClassVar[Recorder]

    # Unset until they are needed: how often its context was asked, the items emitted so far, what the body has marked,
    # what it had marked when it emitted last, and the mark that it begins with.
    _asked: int
    _emitted: int
    _mark: Any
    _marked: Any
    _resumes: Any
    # Of one that may have moments: a number before all that was written below it, the keys of what had failed when it
    # began, what was counted below it so far, and how many blocks of branches and time limits are open in it.
    _since: int
    _failed_before: Sequence[str]
    _steps: int
    _forks: int
    _blocks: int

    __init__ = object.__init__  # pyright: ignore[reportAssignmentType] - as that of the base

    # --- who it is ---

    @property
    def name(self) -> str:
        """The node as seen from the outermost graph."""
        return self.strand.frame.prefix + self.plan.id

    @property
    def run_name(self) -> str:
        return self.recorder.run_id

    @property
    def cancelled_is_over(self) -> bool:
        return not self.recorder.stopping  # else it is cut off inside of a run that goes on

    # --- asking the world ---

    def now(self) -> datetime.datetime:
        recorder = self.recorder
        key = self._next()
        known = recorder.find(key, self.name, (NOW,), "the time")
        if known is not None:
            found: datetime.datetime = decode(parse(known.data))
            return found
        recorder.starts()
        now = recorder.now()
        recorder.put(key, self.name, NOW, encode(now, "the time"))
        return now

    async def once(self, function: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Any:
        recorder, name = self.recorder, self.name
        key = self._next()
        await checkpoint_if_cancelled()
        known = recorder.find(key, name, (ONCE,), "ctx.once")
        if known is not None:
            said = parse(known.data)
            if "e" in said:
                await recorder.in_turn(known)
                raise decode_failure(said["e"])
            return decode(said["r"])
        if recorder.is_cut_off(key):
            await recorder.wait_to_be_cancelled(key)
        recorder.starts()
        await recorder.before_effect()  # J3
        where = f"what ctx.once got in node {name!r}, activation {self.where.short}"
        try:
            result = function(*args, **kwargs)
            if inspect.isawaitable(result):
                result = await result
            written = encode(result, where)
        except Exception as error:
            recorder.put(key, name, ONCE, {"e": encode_failure(error, where)})  # J7
            raise
        recorder.put(key, name, ONCE, {"r": written})
        return decode(written)  # J6

    async def sleep(self, duration: Duration) -> None:
        number = self._number()
        path = path_key(self.path)
        await self._sleep(part_key(path, "o", number), part_key(path, "p", number), seconds_of(duration), "ctx.sleep")

    async def sleep_between(self, attempt: int, seconds: float) -> None:
        path = path_key(self.path)
        told = self.recorder.policies()
        await self._sleep(
            part_key(path, "b", attempt), part_key(path, "c", attempt), seconds, "a pause between attempts", told
        )

    def policy_limit(self, of: Literal["attempt", "total"], seconds: float) -> PolicyLimit:
        return PolicyLimit(self, of, seconds)

    def slept_between(self, attempt: int) -> bool:
        return part_key(path_key(self.path), "b", attempt) in self.recorder.known

    def knows_attempt(self, attempt: int) -> bool:
        known = self.recorder.known
        if not known:
            return False
        path = path_key(self.path if attempt == 1 else (*self.path, attempt_mark(attempt)))
        return part_key(path, "a") in known or (
            kind_of(self.plan.type, self.node) != "recorded" and self.recorder.knows(path)
        )

    def is_run_again(self) -> bool:
        return kind_of(self.plan.type, self.node) != "recorded" and self.recorder.knows(path_key(self.path))

    def refusal(self, by: str) -> Any:
        known = self.recorder.find(part_key(path_key(self.path), "f", by), self.name, (REFUSED,), "a refusal")
        return None if known is None else decode(parse(known.data))

    def refuse(self, by: str, why: Any) -> None:
        self.recorder.put(part_key(path_key(self.path), "f", by), self.name, REFUSED, encode(why, "a refusal"))

    async def _sleep(self, timer: bytes, slept: bytes, seconds: float, what: str, policies: Any = None) -> None:
        """Wait until a timer is due, which is recorded, with what policies remember by then (J10, J23)."""
        recorder, name = self.recorder, self.name
        await checkpoint_if_cancelled()
        known = recorder.find(timer, name, (TIMER,), what)
        if known is None:
            if recorder.is_cut_off(timer):
                await recorder.wait_to_be_cancelled(timer)
            recorder.starts()
            due = recorder.now() + datetime.timedelta(seconds=seconds)
            written = encode(due, "a timer")
            recorder.put(timer, name, TIMER, written if policies is None else {"t": written, "p": policies})
            await recorder.barrier()  # J3
        else:
            said = parse(known.data)
            due = decode(said.get("t", said))
            if recorder.find(slept, name, (SLEPT,), what) is not None:
                return
            if recorder.is_cut_off(timer):
                await recorder.wait_to_be_cancelled(timer)
            recorder.starts()
        remaining = (due - recorder.now()).total_seconds()
        with recorder.waits.waiting(self.strand, due):
            await trio.sleep(min(max(remaining, 0.0), seconds))  # J10
        recorder.put(slept, name, SLEPT, None)

    async def signal(self, name: str, *, timeout: Duration | None = None, otherwise: Any = None) -> Any:
        recorder, node = self.recorder, self.name
        number = self._number()
        path = path_key(self.path)
        key, timer = part_key(path, "o", number), part_key(path, "t", number)
        await checkpoint_if_cancelled()
        due_at = recorder.find(timer, node, (TIMER,), "the time limit of a signal")
        known = recorder.find(key, node, (SIGNAL,), "ctx.signal")
        if known is not None:
            said = parse(known.data)
            return otherwise if said["n"] is None else decode(said["v"])
        if recorder.is_cut_off(key):
            await recorder.wait_to_be_cancelled(key)
        recorder.starts()
        seconds = math.inf if timeout is None else seconds_of(timeout)
        due: datetime.datetime | None = None
        if due_at is None and timeout is not None:
            due = recorder.now() + datetime.timedelta(seconds=seconds)
            recorder.put(timer, node, TIMER, encode(due, "a timer"))
        elif due_at is not None:
            due = decode(parse(due_at.data))
            assert due is not None
            remaining = (due - recorder.now()).total_seconds()
            seconds = min(max(remaining, 0.0), seconds)  # J10
        await recorder.barrier()  # J3
        with recorder.waits.waiting(self.strand, due, name):
            signal = await recorder.wait_for_signal(name, seconds)
        if signal is None:
            recorder.put(key, node, SIGNAL, {"n": None})
            return otherwise
        recorder.put(key, node, SIGNAL, {"n": signal.number, "v": parse(signal.payload)})
        return decode(parse(signal.payload))

    @classmethod
    def agenda(cls) -> Agenda:
        return JournalledAgenda(cls.recorder)

    def drop_later(self, handle: str | None = None) -> int:
        agenda: JournalledAgenda | None = self.strand.run.agenda
        return 0 if agenda is None else agenda.take_back(self.path, self.plan.id, handle)

    def due_in(self, seconds: float) -> datetime.datetime:
        recorder, name = self.recorder, self.name
        key = self._next()
        known = recorder.find(key, name, (TIMER,), "what is put off")
        if known is not None:
            found: datetime.datetime = decode(parse(known.data))
            return found
        due = recorder.now() + datetime.timedelta(seconds=seconds)
        recorder.put(key, name, TIMER, encode(due, "a timer"))
        return due

    def time_limit(self, duration: Duration) -> AbstractContextManager[TimeLimitScope]:
        return JournalledTimeLimit(self, seconds_of(duration), self._next())

    def branches(self) -> AbstractAsyncContextManager[Branches]:
        return _JournalledBlock(self, self.strand)

    # --- sources ---

    def mark(self, value: object) -> None:
        self.strand  # noqa: B018 - raises if it has closed
        self._mark = encode(value, f"what node {self.name!r} marks")

    def resumed(self, default: T) -> T:
        self.strand  # noqa: B018 - as above
        if self.plan.type.durable != "source":
            moment = self._begin()
            if moment is not None:
                self._resumes = decode(moment.mark)
        found: T = getattr(self, "_resumes", default)
        return found

    def emitted(self) -> AsyncIterator[Callable[[], Awaitable[None]]]:
        self.strand  # noqa: B018 - as above
        moment = self._begin()
        if moment is not None:
            self._emitted = moment.emitted
            self._resumes = moment.mark
        return _Emitted(self)

    async def next_emitted(self) -> Callable[[], Awaitable[None]] | None:
        """How to emit the next item that was emitted before; None if there is none left, and the source goes on."""
        recorder, name = self.recorder, self.name
        path = path_key(self.path)
        known = recorder.find(part_key(path, "i", self._emitted), name, (ITEM,), "an item")
        if known is not None:
            said = parse(known.data)
            self._resumes = said.get("m", _NOTHING)
            self._emitted += 1
            self._marked = self._resumes
            return partial(self._emit_counted, said["s"], decode(said["v"]), decode(said.get("a")))
        if part_key(path, "z") in recorder.known:
            raise _SourceEnded
        if self._emitted:
            if recorder.is_cut_off(path):
                await recorder.wait_to_be_cancelled(path)
            if self._resumes is _NOTHING:
                self._lost_its_place()
            self._resumes = decode(self._resumes)
        return None

    async def as_source(self, body: Callable[[BodyContext], Awaitable[Any]]) -> Any:
        """J1: what was emitted is emitted again, then the body goes on from the last mark, unless it had ended."""
        recorder, name = self.recorder, self.name
        key = part_key(path_key(self.path), "z")
        where = f"the end of node {name!r}, activation {self.where.short}"
        self._emitted = 0
        self._mark = self._marked = _NOTHING
        since = self.run.next_serial()
        left: Any = None
        failure: Exception | None = None
        try:
            left = await body(self)
        except _SourceEnded:
            pass
        except Exception as error:
            if origin_below(error, self):
                raise
            failure = error
        ended = recorder.find(key, name, (END,), "the end of a source")
        if ended is not None:
            said = parse(ended.data)
            if "e" in said:
                await recorder.in_turn(ended)
                raise decode_failure(said["e"])
            write_outputs(self, {place: decode(value) for place, value in said["o"].items()})
            return said.get("x")
        if failure is not None:
            recorder.put(key, name, END, {"e": encode_failure(failure, where)})
            raise failure
        exit_name = left if left is None or isinstance(left, str) else left.name
        recorder.put(key, name, END, {"o": self._own_outputs(since, where), "x": exit_name})
        return left

    def _lost_its_place(self) -> NoReturn:
        error = InDoubt(
            f"Node {self.name!r} has emitted {self._emitted} items, and can't tell where it was: nobody knows which "
            "come next. Its body should begin with `ctx.emitted()`, say `ctx.mark(...)` before each emit, and go on "
            "from `ctx.resumed(...)`. To go on without what comes next, settle the activation as ended "
            "(trioflow.settle, `trioflow runs settle`)."
        )
        self.recorder.break_off(error)
        raise error

    def _own_outputs(self, since: int, where: str) -> dict[str, Any]:
        """What the body has written besides its items."""
        items = {socket for stream in self.plan.type.streams for socket in stream.items}
        cells = self.strand.store.cells
        written: dict[str, Any] = {}
        for slot, socket in enumerate(self.plan.type.outputs, self.plan.first_output):
            cell = cells[slot]
            if cell is not None and cell.serial > since and socket not in items:
                written[socket.name] = encode(cell.value, f"{where}: output {socket.name!r}")
        return written

    async def trigger(self, output: Any, values: Mapping[Any, object] = NO_VALUES) -> None:  # type: ignore[override]
        if self.recorder.cutoffs:
            await self._within_limits()
        await BodyContext.trigger(self, output, values)

    async def _within_limits(self) -> None:
        """Inside of a time limit that has expired before, nothing begins but what had begun by then (J9)."""
        path = path_key(self.path)
        for cutoff in self.recorder.cutoffs.get(path, ()):
            if cutoff.scope is not None and self.count >= cutoff.end:
                await self.recorder.wait_to_be_cancelled(path)

    async def emit(self, item: Any, value: Any, also: Mapping[Any, object] | None = None) -> None:
        if self.recorder.cutoffs:
            await self._within_limits()
        self._keep_items(item)
        if self.plan.type.durable != "source":
            await BodyContext.emit(self, item, value, also)
            return
        recorder, name = self.recorder, self.name
        where = f"an item of node {name!r}, activation {self.where.short}"
        socket = item if isinstance(item, str) else item.name
        said: dict[str, Any] = {"s": socket, "v": encode(value, where)}
        named = None
        if also:
            named = {each if isinstance(each, str) else each.name: given for each, given in also.items()}
            said["a"] = encode(named, where)
        if self._mark is not _NOTHING:
            said["m"] = self._mark
        key = part_key(path_key(self.path), "i", self._emitted)
        if key in recorder.known:  # it has not asked for what it has emitted
            if part_key(path_key(self.path), "z") not in recorder.known:
                self._lost_its_place()
            while (again := await self.next_emitted()) is not None:
                await again()
        elif not hasattr(self, "_since") and path_key(self.path) in recorder.behind:
            self._lost_its_place()
        if self._marked is not _NOTHING and self._comes_one_by_one(socket) and recorder.moments.wants(self):
            await recorder.moments.take(self, self._marked, encoded=True)
        self._emitted += 1
        self._marked = self._mark
        await checkpoint_if_cancelled()
        recorder.starts()
        recorder.put(key, name, ITEM, said)
        await self._emit_counted(socket, decode(said["v"]), decode(said["a"]) if also else None)  # J6

    async def _emit_counted(self, item: Any, value: Any, also: Mapping[Any, object] | None) -> None:
        """Emit an item, behind which a moment may be if items come one by one."""
        if not hasattr(self, "_since") or not self._comes_one_by_one(item):
            await BodyContext.emit(self, item, value, also)
            return
        own = self._open()
        try:
            await BodyContext.emit(self, item, value, also)
        finally:
            self._close(own)

    # --- loops ---

    is_kept = True

    async def in_scope(self, scope: ScopeRun, forks: ForkSet) -> None:
        kept = self.recorder.scopes[scope] = KeptScope(recorder=self.recorder, activation=self, scope=scope)
        try:
            await kept.run(forks)
        finally:
            del self.recorder.scopes[scope]

    def undoes(self, done: tuple[int, ...], at: tuple[int, ...], *, on_the_way: bool) -> None:
        """What was done at a path is about to be undone at another, because of this, which may be on the way (W17).

        A retry has to know that (J18), and so has a fork before it (J16).
        """
        path = path_key(at)
        self.recorder.undoing.add(path)
        key = part_key(path, "u")
        if self.recorder.find(key, self.name, (UNDONE,), "undoing") is None:
            self.recorder.put(key, self.name, UNDONE, [done, self.path, on_the_way])

    async def checkpoint(self) -> None:
        self.strand  # noqa: B018 - raises if it has closed
        await checkpoint_if_cancelled()
        await self.recorder.barrier()
        self.recorder.moments.by_hand()

    @property
    def line(self) -> Line:
        """Itself, which is what it dispatches on."""
        return self

    @property
    def since(self) -> int:
        """A number before all that was written below it."""
        return self._since

    @property
    def failed_before(self) -> Sequence[str]:
        """The keys of what had failed when it began, as hexadecimal digits."""
        return self._failed_before

    @property
    def asked(self) -> int:
        """How often its context was asked."""
        return getattr(self, "_asked", 0)

    @property
    def came_back(self) -> int:
        """How often something that it began had come back (D6)."""
        return self.rarely.moments

    @property
    def emitted_so_far(self) -> int:
        """How many items it has emitted."""
        streams = self.rarely.streams
        return streams[0].emits if streams else 0

    @property
    def put_off_so_far(self) -> int:
        """How often it has put something off (B3)."""
        return self.rarely.put_off

    @property
    def steps(self) -> int:
        """Dispatches below it so far."""
        return self._steps

    @property
    def forks(self) -> int:
        """Strands that were forked below it so far."""
        return self._forks

    @property
    def has_blocks(self) -> bool:
        """Whether it has strands beside its own, which may still be running, or is in a time limit of its own."""
        return bool(getattr(self, "_blocks", 0)) or self.rarely.forks is not None

    async def trigger_at(self, mark: object, output: Any, values: Mapping[Any, object] = NO_VALUES) -> None:
        if not hasattr(self, "_since"):  # it has not asked whether it goes on somewhere
            await self.trigger(output, values)
            return
        if self.recorder.moments.wants(self):
            await self.recorder.moments.take(self, mark)
        own = self._open()
        try:
            await self.trigger(output, values)
        finally:
            self._close(own)

    async def emit_at(self, mark: object, item: Any, value: Any, also: Mapping[Any, object] | None = None) -> None:
        if not hasattr(self, "_since") or not self._comes_one_by_one(item):
            await self.emit(item, value, also)
            return
        if self.recorder.moments.wants(self):
            await self.recorder.moments.take(self, mark)
        await self._emit_counted(item, value, also)

    def _keep_items(self, item: Any) -> None:
        """Items beside each other have moments when they have ended."""
        streams = self.rarely.streams
        place = self.plan.type.stream_index.get(item)
        if streams and place is not None:
            stream: Any = streams[place]
            if stream.mode == "concurrent" and isinstance(stream.targets, tuple) and stream.targets:
                stream.targets = KeptItems(self.recorder, self.name, stream.targets)

    def _comes_one_by_one(self, item: Any) -> bool:
        """Whether there is nothing of a stream's items but what the last of them has left in the store."""
        stream = self._stream_of(item)
        return stream.mode == "sequential" and stream.on_error != "collect" and len(self.plan.streams) == 1

    def opens_block(self, more: int) -> None:
        """A block of branches or a time limit is opened in it, or closed."""
        self._blocks = getattr(self, "_blocks", 0) + more

    def _begin(self) -> Moment | None:
        """From here on it may have moments; what it had behind it at the last one is there, and is returned."""
        if hasattr(self, "_since"):
            return None
        recorder = self.recorder
        self._since = self.run.next_serial()
        self._failed_before = recorder.moments.before(self)
        self._steps = self._forks = 0
        known = recorder.find(part_key(path_key(self.path), "r"), self.name, (ROUND,), "a round")
        if known is None:
            return None
        moment = Moment.of(known)
        recorder.moments.go_on(self, moment)
        self._failed_before = moment.failures
        self._steps, self._forks = moment.steps, moment.forks
        self._asked = moment.asked
        self.count = moment.count
        if moment.came_back:
            self.rarely.moments = moment.came_back
        if moment.emitted:
            self.rarely.streams[0].emits = moment.emitted
        if moment.put_off:
            self.rarely.put_off = moment.put_off
        return moment

    def _open(self) -> Counted:
        moments = self.recorder.moments
        moments.open.add(self)
        return moments.begin(self)

    def _close(self, own: Counted) -> None:
        moments = self.recorder.moments
        moments.open.discard(self)
        moments.end(self, own)
        self._steps += own.steps
        self._forks += own.forks

    # --- those beside it, which are no dispatches ---

    def attempt(self, strand: Strand) -> Self:
        return self._not_counted(super().attempt(strand))

    def alias(self, strand: Strand) -> Self:
        return self._not_counted(super().alias(strand))

    def _not_counted(self, other: Self) -> Self:
        resumed = self.recorder.execution.state.resumed
        self.recorder.moments.counting_of(0 if resumed is None else resumed.number).steps -= 1
        return other

    # --- inside ---

    def _number(self) -> int:
        self.strand  # noqa: B018 - raises if it has closed
        number: int = getattr(self, "_asked", 0)
        self._asked = number + 1
        return number

    def _next(self) -> bytes:
        """The key of the next thing that the context is asked."""
        return part_key(path_key(self.path), "o", self._number())


class _Emitted(AsyncIterator[Callable[[], Awaitable[None]]]):
    """No generator, which would have to be closed where a break leaves it."""

    def __init__(self, activation: JournalledActivation) -> None:
        self._activation = activation

    async def __anext__(self) -> Callable[[], Awaitable[None]]:
        again = await self._activation.next_emitted()
        if again is None:
            raise StopAsyncIteration
        return again


def origin_below(error: Exception, activation: BodyContext) -> bool:
    """Whether a failure arose in something that the activation has dispatched."""
    origin = origin_node(error)
    return origin is not None and len(origin[2].as_tuple()) > len(activation.path)


class JournalledTimeLimit(TimeLimitScope):
    """J9: whether it expired is recorded; then it expires again when all that was done inside has been replayed."""

    __slots__ = ("_activation", "_first", "_key", "_known", "_name", "_scope", "_seconds")

    def __init__(self, activation: JournalledActivation, seconds: float, key: bytes) -> None:
        self._activation = activation
        self._seconds = seconds
        self._key = key
        self._name = activation.name
        self._known: Cutoff | None = None

    def __enter__(self) -> JournalledTimeLimit:
        activation = self._activation
        recorder = activation.recorder
        self._first = activation.count
        known = recorder.find(self._key, self._name, (EXPIRED,), "a time limit")
        if known is None:
            self._scope = trio.CancelScope(deadline=trio.current_time() + self._seconds)
        else:
            self._scope = trio.CancelScope()
            first, end = parse(known.data)
            cutoffs = recorder.cutoffs[path_key(activation.path)]
            self._known = next(each for each in cutoffs if (each.first, each.end) == (first, end))
            self._known.scope = self._scope
            recorder.expire_soon(self._known)
        recorder.waits.limits += 1
        activation.opens_block(1)
        self._scope.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> bool | None:
        suppressed = self._scope.__exit__(kind, error, traceback)
        activation = self._activation
        activation.recorder.waits.limits -= 1
        activation.opens_block(-1)
        if self._scope.cancelled_caught and self._known is None:
            activation.recorder.put(self._key, self._name, EXPIRED, [self._first, activation.count])
        if self._known is not None:
            self._known.scope = None
        return suppressed

    @property
    def expired(self) -> bool:
        return self._scope.cancelled_caught


class PolicyLimit(AbstractContextManager[trio.CancelScope]):
    """A time limit of a policy: a timer as soon as anything inside waits, or it is over (J10, J22)."""

    __slots__ = ("_name", "_of", "_path", "_recorder", "_scope", "_was_over", "due", "is_over", "recorded")

    def __init__(self, activation: JournalledActivation, of: Literal["attempt", "total"], seconds: float) -> None:
        self._recorder = recorder = activation.recorder
        self._name = name = activation.name
        self._path = path = path_key(activation.path)
        self._of = of
        known = recorder.find(part_key(path, "l", of), name, (TIMER,), "a time limit of a policy")
        over = recorder.find(part_key(path, "m", of), name, (OVER,), "the end of a time limit of a policy")
        self.recorded = known is not None
        self._was_over = over is not None
        self.is_over = False
        if known is None:
            self.due: datetime.datetime = recorder.now() + datetime.timedelta(seconds=seconds)
        else:
            self.due = decode(parse(known.data))
        if known is None and over is None:
            self._scope = trio.move_on_after(seconds)
        else:  # when all that was done inside has been replayed
            remaining = 0.0 if over is not None else (self.due - recorder.now()).total_seconds()
            self._scope = trio.CancelScope()
            self.is_over = remaining <= 0
            recorder.expire_in(min(max(remaining, 0.0), seconds), self._scope)

    def record(self) -> None:
        """Let it go on while no process has the run."""
        if not self.recorded:
            self.recorded = True
            key = part_key(self._path, "l", self._of)
            self._recorder.put(key, self._name, TIMER, encode(self.due, "a time limit"))

    def __enter__(self) -> trio.CancelScope:
        self._recorder.waits.open_limits[self] = None
        return self._scope.__enter__()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> bool | None:
        del self._recorder.waits.open_limits[self]
        suppressed = self._scope.__exit__(kind, error, traceback)
        if self._scope.cancelled_caught and not self._was_over:
            self._recorder.put(part_key(self._path, "m", self._of), self._name, OVER, self._of == "total")
        return suppressed


class _JournalledBlock(BranchesBlock):
    async def __aenter__(self) -> Branches:
        branches = await super().__aenter__()
        activation = self._activation
        assert isinstance(branches, ForkedBranches)
        assert isinstance(activation, JournalledActivation)
        activation.opens_block(1)
        return JournalledBranches(activation, branches._forks)

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        try:
            await super().__aexit__(kind, error, traceback)
        finally:
            assert isinstance(self._activation, JournalledActivation)
            self._activation.opens_block(-1)


class JournalledBranches(ForkedBranches):
    """Branches of which it is recorded which one was first (J2), and which were cancelled (J8)."""

    __slots__ = ()

    _activation: JournalledActivation  # pyright: ignore[reportIncompatibleVariableOverride] - what it was made with

    def __init__(self, activation: JournalledActivation, forks: ForkSet) -> None:
        super().__init__(activation, forks)

    async def wait_first(self) -> Fork:
        activation = self._activation
        recorder, name = activation.recorder, activation.name
        key = activation._next()
        known = recorder.find(key, name, (WINNER,), "wait_first")
        if known is None:
            first = await super().wait_first()
            recorder.put(key, name, WINNER, self._started.index(first))  # type: ignore[arg-type]
            return first
        winner: StrandFork = self._started[parse(known.data)]

        def ended() -> bool:
            return winner.done

        await self._forks.wait_until(ended)
        await all_blocked()  # the others, which may be cancelled now, have come as far as they had
        return winner

    def cancel(self) -> None:
        activation = self._activation
        for fork in self._started:
            if not fork.done:
                activation.recorder.put_late(path_key(fork.line.where.as_tuple()), activation.name, {"d": 1})
        super().cancel()


def activation_class(recorder: Recorder) -> type[JournalledActivation]:
    """What the activations of this run are made of."""
    moments = recorder.moments

    def made(cls: type[JournalledActivation]) -> JournalledActivation:
        resumed = recorder.execution.state.resumed
        moments.counting_of(0 if resumed is None else resumed.number).steps += 1
        return object.__new__(cls)

    return type(
        "JournalledActivation", (JournalledActivation,), {"recorder": recorder, "__slots__": (), "__new__": made}
    )
