"""Runs with a journal: begun, or resumed where they were, to their end (J1, J6, J18)."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from functools import partial
from types import TracebackType
from typing import TYPE_CHECKING, Any, Literal

import attrs
import trio

from trioflow.durable.activation import activation_class
from trioflow.durable.changes import changes, document_of_plan, types_of
from trioflow.durable.closing import Closing
from trioflow.durable.codec import decode, dump, encode, encode_failure, parse
from trioflow.durable.deeds import note
from trioflow.durable.ended import ended, left
from trioflow.durable.executing import JournalledExecution, JournalledRun
from trioflow.durable.kinds import kind_of
from trioflow.durable.observing import Held, Watcher
from trioflow.durable.recorder import Recorder
from trioflow.durable.recording import Recording, transaction_service
from trioflow.durable.records import NewRun
from trioflow.durable.remembering import remembered_by
from trioflow.durable.retrying import retry
from trioflow.errors import GraphChanged, JournalError, RunStuck
from trioflow.model.clock import SYSTEM_CLOCK, Clock
from trioflow.model.durability import Transaction
from trioflow.runtime.base.failure import is_cancellation, leaves, origin_node
from trioflow.runtime.host.execution import Alone, in_own_context
from trioflow.runtime.host.hosted import Hosted
from trioflow.runtime.host.run import HostedRun, OpenRun
from trioflow.semantics.address import node_names, show_path

if TYPE_CHECKING:
    from contextlib import AbstractAsyncContextManager

    from trioflow.durable.port import Session, Store
    from trioflow.durable.records import Status
    from trioflow.runtime.base.options import RunResult
    from trioflow.runtime.host.given import Given
    from trioflow.runtime.host.run import Run
    from trioflow.semantics.plan import Plan

_MOST_FRUITLESS = 3
"""How often a run is resumed whose process died before anything new was recorded (J4)."""


@attrs.frozen(kw_only=True)
class Resuming:
    """How to resume a run: what there is to say beyond `RunArguments`."""

    on_change: Literal["refuse", "compatible"] = "refuse"
    by: str | None = None
    retry: bool = False
    skip: Sequence[tuple[int, ...]] = ()
    observe_replay: bool = False
    suspend_after: float | None = None
    delay: float = 0.01


RESUMING = Resuming()


async def run(store: Store, plan: Plan, given: Given, resuming: Resuming = RESUMING) -> RunResult:
    """`trioflow.run` with a journal."""
    if given.options.stay_open:
        raise TypeError("RunOptions(stay_open=True) keeps a run waiting for events of the host. Use open_run.")
    session = await _take(store, plan, given, resuming)
    try:
        if session.info.status in {"completed", "failed"}:
            return ended(session.info)
        recorder, made = _prepare(store, session, plan, given, resuming)
        hosted = made.options.parallel_initiators or bool(recorder.published_so_far)
        control = Hosted() if hosted else Alone()
        execution = JournalledExecution(plan, made, control, recorder)
        if isinstance(control, Hosted):
            _publish_again(recorder, control)
        recorder.outcome = _outcome_of(execution)
        await in_own_context(execution.execute())
        failure, execution.failure = execution.failure, None
        if failure is not None:
            raise failure
        return execution.left_behind()
    finally:
        await _give_back(store, session)
        failure = None  # its traceback refers to this frame


class OpenJournalledRun(OpenRun):
    """The block of `open_run` with a journal."""

    __slots__ = ("_given", "_plan", "_resuming", "_session", "_store")

    def __init__(self, store: Store, plan: Plan, given: Given, resuming: Resuming) -> None:
        super().__init__(plan, {})
        self._store = store
        self._plan = plan
        self._given = given
        self._resuming = resuming
        self._session: Session | None = None

    async def __aenter__(self) -> Run:
        store = self._store
        session = self._session = await _take(store, self._plan, self._given, self._resuming)
        try:
            recorder, made = _prepare(store, session, self._plan, self._given, self._resuming)
            hosted = HostedRun(self._plan, made, partial(JournalledExecution, recorder=recorder), JournalledRun)
            execution = recorder.execution
            hosted.hosted.begins_early = bool(self._plan.listeners)
            _publish_again(recorder, hosted.hosted)
            recorder.outcome = _outcome_of(execution)
            if session.info.status in {"completed", "failed"}:
                execution.ended_before = session.info
            return await self.begin(hosted)
        except BaseException:
            await _give_back(store, session)
            raise

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        block_failure: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        try:
            await super().__aexit__(kind, block_failure, traceback)
        finally:
            assert self._session is not None
            await _give_back(self._store, self._session)


def open_run(store: Store, plan: Plan, given: Given, resuming: Resuming = RESUMING) -> AbstractAsyncContextManager[Run]:
    """`trioflow.open_run` with a journal."""
    return OpenJournalledRun(store, plan, given, resuming)


# --- before ----------------------------------------------------------------------------------------------------------


async def _take(store: Store, plan: Plan, given: Given, resuming: Resuming) -> Session:
    """Have the run of this name, begun or as it was left. Raises what is in the way."""
    assert given.run_id is not None
    _refuse_transactions(store, plan)
    clock = given.services.get(Clock, SYSTEM_CLOCK)
    document, digest = document_of_plan(plan)
    new = NewRun(
        id=given.run_id,
        graph=digest,
        document=document,
        types=json.dumps(types_of(plan)),
        variables=dump({name: encode(value, f"variable {name!r}") for name, value in given.variables.items()}),
        seed=given.options.seed,
        created=clock.now().timestamp(),
    )
    session: Session
    if store.blocking:
        session = await trio.to_thread.run_sync(store.take, given.run_id, new)
    else:
        await trio.lowlevel.checkpoint()
        session = store.take(given.run_id, new)
    try:
        await _look_at(store, session, plan, resuming)
        await _note_begun(store, session, new, resuming)
    except BaseException:
        await _give_back(store, session)
        raise
    return session


async def _look_at(store: Store, session: Session, plan: Plan, resuming: Resuming) -> None:
    """Whether the run can be resumed."""
    info = session.info
    if info.status == "pruned":
        raise JournalError(
            f"Run {info.id!r} has ended and was pruned: nothing is left of it. Give the run another name."
        )
    different = changes(info.new, plan) if resuming.on_change == "refuse" else []
    if different:
        raise GraphChanged(
            f"Run {info.id!r} was begun with something else. {' '.join(different)} Run it with what it was begun with; "
            "or say on_change='compatible' (--changed), then it goes on as long as it does what the journal says; or "
            "begin another run with what was recorded of this one: trioflow.fork_run, with migrate= for what has to be "
            "converted."
        )
    if info.status == "suspended":
        await _call(store, session.set_state, "running")
        session.info = attrs.evolve(info, state=attrs.evolve(info.state, status="running", waiting=None))
    if resuming.retry:
        await _call(store, retry, session, resuming.skip)
    elif info.status == "stuck" or info.state.fruitless >= _MOST_FRUITLESS:
        await _call(store, session.set_state, "stuck")
        await _call(store, note, store, info.id, "stuck")
        raise RunStuck(
            f"Run {info.id!r} was resumed {info.state.fruitless} times, and each time its process died before "
            "anything new was recorded: what it does next kills it. Mend that, then retry it."
        )


async def _note_begun(store: Store, session: Session, new: NewRun, resuming: Resuming) -> None:
    """J28: by whom it was started, resumed or retried; nothing, if it is only asked for what it came to."""
    info = session.info
    if session.noted or info.status in {"completed", "failed"}:
        return
    what = "retried" if resuming.retry else "started" if info.new == new and not info.state.entries else "resumed"
    details = [f"after {info.state.entries:,} records"] if info.state.entries else []
    details += ["its process had died"] if info.state.fruitless else []
    details += [f"without {show_path(path)}" for path in resuming.skip]
    details += ["another graph or code may count"] if resuming.on_change == "compatible" else []
    await _call(store, note, store, info.id, what, resuming.by, ", ".join(details))


def _prepare(store: Store, session: Session, plan: Plan, given: Given, resuming: Resuming) -> tuple[Recorder, Given]:
    """The recorder, and what the engine is given for it."""
    new = session.info.new
    recorder = Recorder(store, session, store.checkpoint, delay=resuming.delay)
    recorder.suspend_after = given.suspend_after if resuming.suspend_after is None else resuming.suspend_after
    middleware = [Closing(recorder), Recording(recorder, attempts=False), *given.middleware]
    if given.middleware:
        middleware.append(Recording(recorder, attempts=True))
    observers = given.observers if resuming.observe_replay else [Held(each, recorder) for each in given.observers]
    recorder.remembered = remembered_by(given)
    if recorder.remembered is not None:
        clock: Clock = given.services.get(Clock, SYSTEM_CLOCK)
        recorder.remembered.restore(session.entries, clock.now().timestamp())
    services = dict(given.services)
    if store.transactional:
        services[Transaction] = transaction_service()
    watcher = recorder.watcher = Watcher(recorder)
    return recorder, attrs.evolve(
        given,
        options=attrs.evolve(given.options, seed=new.seed),  # J11
        suspend_after=None,
        variables={name: decode(value) for name, value in parse(new.variables).items()},
        services=services,
        middleware=middleware,
        observers=[watcher, *observers],
        activation=activation_class(recorder),
        journal=None,
        run_id=None,
    )


def _publish_again(recorder: Recorder, hosted: Hosted) -> None:
    """What the host has published before is there from the beginning, in its order (J25)."""
    hosted.between = recorder.between_events
    hosted.begins_early = hosted.begins_early or bool(recorder.published_before)
    for entry in recorder.published:
        hosted.publish(recorder.execution.state, entry.node, decode(parse(entry.data)))


def _refuse_transactions(store: Store, plan: Plan) -> None:
    if store.transactional:
        return
    found = [
        name
        for name in node_names(plan)
        if (node := plan.node(name)) and kind_of(node.type, node.graph_node) == "transaction"
    ]
    if found:
        raise JournalError(  # J5
            f"{store!r} has no transactions, which nodes {', '.join(found)} need. Keep the run in a SqliteJournal."
        )


# --- after -----------------------------------------------------------------------------------------------------------


def _outcome_of(execution: JournalledExecution) -> Callable[[BaseException | None], tuple[Status, str] | None]:
    def outcome(failure: BaseException | None) -> tuple[Status, str] | None:
        recorder = execution.recorder
        if failure is None and execution.was_cancelled:
            return None
        if failure is None:
            return "completed", dump(left(execution.left_behind()))
        if is_cancellation(failure) or recorder.stopped or execution.cancelling:
            return None
        failures = [each for each in leaves(failure) if not isinstance(each, trio.Cancelled)]
        if not all(isinstance(each, Exception) for each in failures):
            return None  # SystemExit and the like end the process, and not the run
        watcher = recorder.watcher
        origins: list[Any] = []
        for each in failures:
            origin = origin_node(each)
            if origin is not None:
                path = origin[2].as_tuple()
                origins.append([list(path), origin[0], watcher.failed_after.get(path, recorder.count)])
        return "failed", dump({"e": encode_failure(failure, "the failure of the run"), "at": origins})

    return outcome


async def _call(store: Store, function: Callable[..., Any], *arguments: Any) -> Any:
    if store.blocking:
        return await trio.to_thread.run_sync(function, *arguments)
    return function(*arguments)


async def _give_back(store: Store, session: Session) -> None:
    with trio.CancelScope(shield=True):
        await _call(store, session.close)
