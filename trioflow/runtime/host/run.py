"""Runs: executions of graphs, and what the host can do meanwhile (R5)."""

from __future__ import annotations

import datetime
import random
from collections.abc import Callable, Collection, Mapping
from contextlib import AbstractAsyncContextManager
from functools import partial
from types import TracebackType
from typing import TYPE_CHECKING, Any, Unpack

import trio

from trioflow.errors import RunAborted, RunFinished
from trioflow.model.clock import Clock
from trioflow.model.graph import Graph
from trioflow.model.properties import Properties
from trioflow.runtime.base.failure import is_cancellation, note
from trioflow.runtime.base.options import RunOptions, RunResult, RunStatistics, RunStatus
from trioflow.runtime.base.picture import picture
from trioflow.runtime.base.watch import Observer, Subscription, Watch
from trioflow.runtime.host.execution import Alone, Control, Execution, in_own_context
from trioflow.runtime.host.given import OUTSIDE, Given, RunArguments, given
from trioflow.runtime.host.hosted import Hosted, HostEvent
from trioflow.semantics.events import Kind
from trioflow.semantics.plan import Plan

if TYPE_CHECKING:
    from trioflow.runtime.host.gate import Gate
    from trioflow.runtime.host.inspect import Peek, StrandView
    from trioflow.runtime.host.tracking import ProgressStream, RunProgress
    from trioflow.semantics.tracking import NodeReport, RunReport, Tracker

# What most runs never need is imported where it is first asked for: it takes as long as all that runs a graph.
# ruff: noqa: PLC0415


class Run:
    """One execution of a graph, from `open_run`. It belongs to one trio event loop, and is for that loop's tasks."""

    def __init__(self, execution: Execution, hosted: Hosted) -> None:
        self._execution = execution
        self._hosted = hosted
        self._state = execution.state
        self._wall_start: datetime.datetime | None = None
        self._gate: Gate | None = None

    # --- for the host ---

    @property
    def id(self) -> str:
        """The id of this run, unique in this process; every event carries it."""
        return self._state.id

    @property
    def gate(self) -> Gate:
        """Pause, resume, step, breakpoints (G1-G4)."""
        if self._gate is None:
            from trioflow.runtime.host.gate import Gate

            self._gate = Gate(self._state)
        return self._gate

    @property
    def options(self) -> RunOptions:
        """The options that the run was begun with."""
        return self._state.options

    @property
    def plan(self) -> Plan:
        """The graph that is run, made ready."""
        return self._state.plan

    @property
    def status(self) -> RunStatus:
        """What the run is doing (R3)."""
        return self._state.status

    @property
    def failure(self) -> BaseException | None:
        """What the run has failed with; None while it goes on, and if it has not failed."""
        return self._execution.failure

    def variables(self) -> Mapping[str, Any]:
        """The variables by name as the first strand sees them now, or has left them, also in a run that has failed.

        What concurrent strands have written and not joined is not in them (F3).
        """
        return self._execution.variables()

    def statistics(self) -> RunStatistics:
        """Counts up to now: steps, evaluations, strands, and the seconds that have passed. A snapshot."""
        return self._execution.statistics()

    @property
    def started_at(self) -> datetime.datetime | None:
        """When the run began, by the host's clock; with `event.time` seconds added it is when an event was told."""
        state = self._state
        if self._wall_start is None and state.started_at is not None:
            clock: Clock = state.services.get(Clock)
            self._wall_start = clock.now() - datetime.timedelta(seconds=trio.current_time() - state.started_at)
        return self._wall_start

    def events(
        self,
        buffer: int = 1000,
        *,
        kinds: Collection[Kind] | None = None,
        nodes: Collection[str] | None = None,
        keep: Collection[Kind] = (),
        values: bool = False,
    ) -> Subscription:
        """Events from now on, for one consumer, with a buffer of its own (E3). Several may subscribe.

        Called before anything is awaited in the `open_run` block it misses nothing. `kinds`, `nodes` and `values` are
        as for `observe`: what nobody wants is not made. A consumer that falls behind by more than `buffer` events loses
        the oldest, and is told how many; those of the kinds `keep` are never lost. Raises `UnknownName` for kinds that
        do not exist.
        """
        subscription = Subscription(
            buffer, partial(self._hosted.unsubscribe, self._state), kinds=kinds, nodes=nodes, keep=keep, values=values
        )
        if self._hosted.finished.is_set():
            subscription.end()
            return subscription
        self.observe(subscription)
        self._hosted.subscriptions.append(subscription)
        return subscription

    def observe(self, observer: Observer) -> None:
        """Call this observer with events from now on, too (E3), until `unobserve` or the end of the run.

        Raises `UnknownName` if it wants kinds that do not exist.
        """
        state = self._state
        if self._hosted.finished.is_set():
            return
        watch = state.observed
        if watch is None:  # it stays, so that no number of an event is there twice
            watch = Watch(self.id, (), state.started_at or 0.0)
        watch.add(observer)
        state.watch_by(watch)

    def unobserve(self, observer: Observer) -> None:
        """Call this observer no more. Without effect if it does not observe the run."""
        self._hosted.unsubscribe(self._state, observer)

    async def glance(self, observer: Observer, *, window: float = 0.001, every: float = 0.032) -> None:
        """Let an observer watch for `window` seconds at a time, about `every` so many seconds, until the run has ended.

        So it sees what the run does, over time each node that takes part in it, and costs a few percent instead of a
        multiple. The pauses between windows are drawn, so that they never keep step with a loop. What it sees is a
        sample: count with `statistics()`, not with windows. Ends with the run, when cancelled, or if the observer
        fails (E4). Raises `ValueError` for times that are not more than 0, and `UnknownName` for kinds that do not
        exist.
        """
        if not (window > 0 and every > 0):
            raise ValueError(f"glance(window=..., every=...) must be more than 0, got {window} and {every}.")
        chance = random.Random()
        while True:
            with trio.move_on_after(chance.expovariate(1 / every)):
                await self._hosted.finished.wait()
            if self._hosted.finished.is_set():
                return
            self.observe(observer)
            try:
                with trio.move_on_after(window):
                    await self._hosted.finished.wait()
                watch = self._state.observed
                if watch is None or observer not in watch.observers:
                    return  # it has failed, or the run has ended
            finally:
                self.unobserve(observer)

    async def publish(self, event: str, payload: object = None) -> None:
        """Publish an event from outside, and wait until its listeners are done (B1).

        Handled in arrival order, in a strand of the host's own that is joined when the run ends. Cancelling the wait
        does not cancel the handling. Raises `UnknownName`, or `RunFinished` if the run ends, or has begun to, before.
        """
        await self._handled(self._hosted.publish(self._state, event, payload), event)

    async def _handled(self, published: HostEvent, event: str) -> None:
        await published.handled.wait()
        if published in self._hosted.events:
            raise RunFinished(f"The run ended ({self.status.value}) before event {event!r} was handled.")

    def publish_nowait(self, event: str, payload: object = None) -> None:
        """Like `publish`, without waiting. Raises `UnknownName` or `RunFinished`."""
        self._hosted.publish(self._state, event, payload)

    def close(self) -> None:
        """Let a run with `stay_open` end when it has nothing left to do. Leaving the `open_run` block does the same."""
        self._hosted.close()

    def cancel(self) -> None:
        """Cancel the run, and return at once. All in it is closed and torn down; then `result` raises `RunAborted`."""
        self._hosted.cancel()

    async def result(self) -> RunResult:
        """Wait until the run has ended, and return what it left behind. Cancelling the wait does not cancel the run.

        Raises what the run failed with, as it is (R4), or `RunAborted` if the host cancelled it.
        """
        await self._hosted.finished.wait()
        failure = self._execution.failure
        if failure is not None:
            self._hosted.failure_seen = True
            try:
                raise failure
            finally:
                failure = None  # its traceback refers to this frame
        if self.status is RunStatus.CANCELLED:
            raise RunAborted(f"Run {self.id} was cancelled, so it has no result.")
        return self._execution.left_behind()

    def __repr__(self) -> str:
        return f"<Run {self.id}: {self.status.value}, {self._state.steps} steps, {self._state.strands} strands>"

    # --- how far it is ---

    @property
    def properties(self) -> Properties:
        """Values by name that host and bodies share; bodies find them as the service `Properties`."""
        properties: Properties = self._state.services.get(Properties)
        return properties

    def track(self) -> Tracker:
        """Count what each node does from now on; the same tracker whenever it is asked for.

        It is an observer of steps and of what policies decide: a run that is not tracked pays nothing for it. For a
        glance at what runs just now `strands` and `statistics` will do, for which nothing is kept.
        """
        from trioflow.semantics.tracking import Tracker, tracker_among

        watch = self._state.observed
        known = self._execution.tracker or (None if watch is None else tracker_among(watch.observers))
        tracker = known or Tracker(self.plan.graph)
        if known is None:
            self._execution.tracker = tracker
            self.observe(tracker)
        return tracker

    def node(self, name: str) -> NodeReport:
        """What a node has done since the run is tracked: its state and since when, counts, times, its last error.

        One in a graph that is called is `call/node`, and known as soon as it has started. Raises `UnknownName` for
        others.
        """
        return self.track().node(name)

    def draw(self, format: str = "svg", *, fold: bool = False) -> str:
        """A picture of the graph with what each node has done since the run is tracked, and which wires were taken.

        `format`: `svg`, `mermaid`, `dot`, `text` or `json`; with `fold` graphs that it calls are only nodes. Raises
        `ValueError` for a format that there is not.
        """
        return picture(self.plan, self.track().report(self.statistics().elapsed), format, fold=fold)

    def snapshot(self, expected: RunReport | None = None) -> RunProgress:
        """How far the run is now. `expected`: the report of an earlier run, by which part and time left are told."""
        from trioflow.runtime.host.tracking import RunProgress

        statistics = self.statistics()
        return RunProgress(statistics, self.track().report(statistics.elapsed), expected)

    def progress(self, every: float = 0.5, expected: RunReport | None = None) -> ProgressStream:
        """How far the run is: at once, then every so many seconds, and at its end.

        `async for progress in run.progress(): ...` ends with the run. Nothing is kept for it in between, so whoever
        stops listening leaves nothing behind. `expected` is as for `snapshot`. Raises `ValueError` unless `every` is
        more than 0.
        """
        from trioflow.runtime.host.tracking import ProgressStream

        if not every > 0:
            raise ValueError(f"progress(every=...) must be more than 0, got {every!r}.")
        self.track()
        return ProgressStream(lambda: self.snapshot(expected), self._hosted.finished, every)

    # --- looking inside ---

    def strands(self) -> list[StrandView]:
        """Where all strands are now: path, node, state, and since when. Nothing is awaited, and nothing kept for it.

        The engine's own strands, such as the one that waits for events of the host, are nowhere and not listed.
        """
        from trioflow.runtime.host import inspect

        return inspect.strands(self._state)

    def peek(self, strand: int, node: str) -> Peek:
        """What the strand of this number sees at a node: inputs, outputs, variables. Nothing is run for it.

        `call/id` is a node in a graph that the strand is in. Raises `UnknownName` for a node or strand that is not
        there, `RunFinished` if the run has ended.
        """
        from trioflow.runtime.host import inspect

        return inspect.peek(self._state, strand, node)

    async def evaluate(self, strand: int, node: str, output: str) -> Any:
        """The value of an output, as the strand of this number would get it now.

        What is not current is evaluated, in a store that is dropped; its events have a path that ends in `host`. A
        checkpoint; cancelling it cancels the evaluation. Raises what the evaluation raises, `MissingInput` if the
        output was not written, `UnknownName` and `UnknownSocket` for what is not there, `RunFinished`.
        """
        from trioflow.runtime.host import inspect

        return await inspect.evaluate(self._state, strand, node, output)

    def set_variable(self, strand: int, name: str, value: object) -> None:
        """Write a variable in a strand that is parked at the gate, as it would itself; told as `VariableSet`.

        `call/name` is one of a graph that the strand is in. Raises `RuntimeError` unless the strand is parked,
        `CoercionError` for a value of another type, `UnknownName` for a strand or variable that is not there,
        `RunFinished` if the run has ended.
        """
        from trioflow.runtime.host import inspect

        inspect.set_variable(self._state, strand, name, value)


class HostedRun:
    """A run and what executes it, for those who open one."""

    __slots__ = ("execution", "hosted", "run")

    def __init__(
        self,
        plan: Plan,
        given: Given,
        execution: Callable[[Plan, Given, Control], Execution] = Execution,
        run: Callable[[Execution, Hosted], Run] = Run,
    ) -> None:
        self.hosted = Hosted()
        self.execution = execution(plan, given, self.hosted)
        self.run = run(self.execution, self.hosted)

    @property
    def unseen_failure(self) -> BaseException | None:
        """The failure, if the host has not got it from `result`."""
        return None if self.hosted.failure_seen else self.execution.failure


def open_run(graph: Graph | Plan, **arguments: Unpack[RunArguments]) -> AbstractAsyncContextManager[Run]:
    """Run a graph in the background of an `async with` block, which gets the `Run`.

    The run starts at the block's first checkpoint. Where the block ends well, the run is waited for, and what it
    failed with is raised, unless `run.result()` has raised it already. If the block raises, or a scope around it is
    cancelled, the run is cancelled and torn down first; what it fails with then takes the place of a cancellation, and
    is noted on what the block raised. A graph may be planned beforehand with `make_plan`; `RunArguments` says what else
    a run may be given. Don't yield inside the block, as generators do: `stream` is for that.

    Raises where the block is entered, before anything runs: `InvalidGraph` if the graph has errors (M5), `UnknownName`
    for variables that it does not declare, `CoercionError` for values that do not fit them; `UnknownName` if there are
    both, and it lists all. Also `UnknownName` for middlewares and settings of streams of nodes that are not there,
    `TypeError` for arguments of other types.
    """
    if arguments.get("journal") is not None:
        plan, made = given(graph, arguments)
        assert made.journal is not None
        return made.journal.open_run(plan, made)
    return OpenRun(graph, arguments)


class OpenRun:
    """The block of `open_run`.

    A class and no generator: whatever a run fails with, be it StopAsyncIteration, comes out as itself (R4).
    """

    __slots__ = ("_arguments", "_graph", "_made", "_nursery")

    _made: HostedRun

    def __init__(self, graph: Graph | Plan, arguments: RunArguments) -> None:
        self._graph = graph
        self._arguments = arguments
        self._nursery = trio.open_nursery(strict_exception_groups=True)

    async def __aenter__(self) -> Run:
        if not trio.lowlevel.in_trio_run():
            raise RuntimeError(OUTSIDE)
        return await self.begin(HostedRun(*given(self._graph, self._arguments)))

    async def begin(self, made: HostedRun) -> Run:
        """Let a run go on in the background of the block."""
        self._made = made
        nursery = await self._nursery.__aenter__()
        made.execution.state.nursery = nursery
        nursery.start_soon(made.execution.execute)
        return made.run

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        block_failure: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        made = self._made
        if block_failure is None:
            made.run.close()
        else:
            made.run.cancel()
        failure: BaseException | None = None
        try:
            await self._nursery.__aexit__(None, None, None)
        except BaseExceptionGroup as group:
            failure = group
        unseen = made.unseen_failure
        try:
            if block_failure is not None and not is_cancellation(block_failure):
                if unseen is not None:
                    note(block_failure, f"the run has failed, too: {unseen!r}")  # R1
                return
            if unseen is not None:
                raise unseen
            if block_failure is None and failure is not None:
                raise failure
        finally:
            failure = unseen = block_failure = None  # their tracebacks refer to this frame


async def run(graph: Graph | Plan, **arguments: Unpack[RunArguments]) -> RunResult:
    """Run a graph to its end and return what it left behind.

    `RunArguments` says what a run may be given. The graph runs in the task that awaits this, with a copy of its context
    variables. Raises what a body raised, as it is, with a note that tells where (R4); `InvalidGraph` before anything
    runs, and `TypeError`, also for `RunOptions(stay_open=True)`, with which it would never end: use `open_run`. Any
    cancel scope around it cancels it (R5).
    """
    plan, made = given(graph, arguments)
    if made.journal is not None:
        return await made.journal.run(plan, made)
    options = made.options
    if options.stay_open:
        raise TypeError(
            "RunOptions(stay_open=True) keeps a run waiting for events of the host, which `run` gives no way to "
            "publish. Use `async with trioflow.open_run(...) as run`."
        )
    execution = Execution(plan, made, Hosted() if options.parallel_initiators else Alone())
    await in_own_context(execution.execute())
    failure, execution.failure = execution.failure, None
    if failure is None:
        return execution.left_behind()
    try:
        raise failure
    finally:
        del failure, execution  # its traceback refers to this frame
