"""What a page is open on: a graph and its file, the run that is shown, its recording; and what makes frames of that."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager
from functools import partial
from pathlib import Path
from time import perf_counter
from typing import Any, Literal, TypeVar

import attrs
import trio

from trioflow.durable.journal import Journal
from trioflow.durable.memory import MemoryJournal
from trioflow.durable.resuming import resume_run
from trioflow.errors import RunAborted, RunFinished, UnknownName
from trioflow.model.graph import Graph
from trioflow.model.registry import Registry
from trioflow.model.secret import hide
from trioflow.model.types import NAMED_TYPES
from trioflow.nodes._askers import Asker
from trioflow.runtime.base.failure import leaves, origin_inputs, origin_node
from trioflow.runtime.base.options import RunOptions
from trioflow.runtime.host.breakpoints import Breakpoint
from trioflow.runtime.host.run import Run, open_run
from trioflow.semantics.events import Event, NodeCompleted, VariableSet
from trioflow.semantics.merge import POLICIES
from trioflow.semantics.plan import Plan
from trioflow.semantics.planning import make_plan
from trioflow.studio import asking
from trioflow.studio.backlog import Backlog
from trioflow.studio.bench import Bench
from trioflow.studio.edits import EditError
from trioflow.studio.files import GraphFile
from trioflow.studio.frames import State, difference, first_state
from trioflow.studio.keeping import Kept, fork, fresh_id
from trioflow.studio.places import Places
from trioflow.studio.scene import Scene
from trioflow.studio.shelf import Opened, Shelf
from trioflow.studio.shown import shown
from trioflow.studio.watching import Watcher
from trioflow.studio.watchlist import Found, Watched, in_variables, look_up, unknown
from trioflow.telemetry import Heat, Recorder, Recording, RecordingFile

T = TypeVar("T")
Watching = Literal["follow", "glance"]
Recorded = Recording | RecordingFile

_HERTZ = 30
_LOOKS = 5
"""How many frames go by between two looks at where the strands are: that is the dear part of a frame."""
_MOST_STRANDS = 200
_MOST_RECORDED = 5_000_000
_HEAT_EVERY = 0.1
_LOOKS_AT_FILE = 0.7


class Session:
    """A graph that is shown and edited, and at most one run of it at a time.

    `file` is where it is saved; without one it can be saved to a new file in `folder`. `shelf` is what else can be
    opened. `recording` is one to look back on. With `read_only` the page can start, set, evaluate and cancel nothing.
    `values=False` keeps values of variables, inputs and outputs from it.
    """

    def __init__(
        self,
        graph: Graph,
        registry: Registry | None = None,
        *,
        name: str = "graph",
        file: GraphFile | None = None,
        folder: Path | None = None,
        shelf: Shelf | None = None,
        options: RunOptions | None = None,
        recording: Recorded | None = None,
        kept: Kept | None = None,
        read_only: bool = False,
        values: bool = True,
    ) -> None:
        self.registry = registry if registry is not None else Registry.standard()
        self.bench = Bench(graph, self.registry, file)
        self._shown = graph
        self._scenes: dict[bool, Scene] = {}
        self._all_sockets = False
        self.name = name
        self.folder = Path.cwd() if folder is None else folder
        self.shelf = shelf
        self.options = options
        self.read_only = read_only
        self.values = values
        self.run: Run | None = None
        self.nursery: trio.Nursery | None = None
        self.watching: Watching = "follow"
        self._given = recording
        self._kept = kept
        self._memory = MemoryJournal()
        self._recorder: _Recorder | None = None
        self._recorded: tuple[_Recorder, Recording] | None = None
        self._plan: Plan | None = None
        self.is_attached = False
        self._heat = Heat()
        self._watcher = Watcher(self.scene)
        self._watched: trio.CancelScope | None = None
        self._epoch = 0
        self._ticks = 0
        self._where: tuple[int, ...] = ()
        self._failure: dict[str, Any] | None = None
        self._stops: list[_Stop] = []
        self._made = 0
        self._watches: dict[str, Watched] = {}
        self._asker = asking.PageAsker()
        self._signals: asking.Signals | None = None
        self.state = first_state(0)
        self.backlog = Backlog(lambda: self.state)

    def document(self, *, all_sockets: bool = False) -> str:
        """What the page shows of the graph, as JSON; for editing with all sockets of all nodes."""
        told = {
            "name": self.name, "revision": self.bench.revision,
            "readOnly": self.read_only, "attached": self.is_attached,
            "types": [*NAMED_TYPES], "merges": [*dict.fromkeys([*POLICIES, *self.registry.merges])],
            "kept": None if self._kept is None else self._kept.run_id,
            "hasRecording": self._given is not None, "shelf": None if self.shelf is None else self.shelf.holds,
            "file": None if self.bench.file is None else self.bench.file.name,
        }  # fmt: skip
        self._all_sockets = all_sockets
        return f"{self._drawn(all_sockets=all_sockets).text[:-1]},{json.dumps(told)[1:]}"

    @property
    def scene(self) -> Scene:
        """What is drawn of the graph. Each node and wire has the same place with all sockets and without."""
        if not self._scenes:
            # Drawing a large one takes a while, so it is drawn as it will be asked for.
            self._drawn(all_sockets=self._all_sockets)
        return next(iter(self._scenes.values()))

    def places(self) -> Places | None:
        """Where the nodes are, if the graph is drawn for editing."""
        drawn = self._scenes.get(True) if self._shown is self.bench.graph else None
        return None if drawn is None else drawn.places()

    def _drawn(self, *, all_sockets: bool) -> Scene:
        if all_sockets not in self._scenes:
            self._scenes[all_sockets] = Scene(self._shown, self.registry, all_sockets=all_sockets)
        return self._scenes[all_sockets]

    def _show(self, graph: Graph) -> None:
        self._shown, self._scenes, self._plan = graph, {}, None

    @property
    def is_running(self) -> bool:
        """Whether a run is going on."""
        return self.run is not None and self.run.status.value in ("not started", "running", "paused")

    def live(self) -> Run:
        """The run that is going on. Raises `RunFinished`."""
        if self.run is None or not self.is_running:
            raise RunFinished("Nothing is running. Start a run first.")
        return self.run

    def say(self, kind: str, text: str) -> None:
        """Tell the page something."""
        self._watcher.say(kind, text)

    # --- the graph ---

    def may_edit(self) -> None:
        """Raise `EditError` if the graph can't be edited now."""
        if self.is_attached:
            raise EditError("This is the run of another program, which has made the graph.")
        if self.is_running:
            raise EditError("A run is going on. Cancel it, or wait until it has ended.")

    def show_graph(self) -> None:
        """Show the graph as it is on the bench now. What the last run has counted is about another one."""
        graph = self.bench.graph
        if graph is self._shown:
            return
        self._show(graph)
        messages = self._watcher.messages
        self.run = None
        self._anew()
        self._watcher.take_over(messages)

    def open(self, opened: Opened) -> None:
        """Show another graph. Raises `EditError` if this one is not saved, or runs."""
        if self.is_running:
            raise EditError("A run is going on. Cancel it, or wait until it has ended.")
        if not self.bench.history.is_saved:
            raise EditError("The graph has changes that are not saved. Save them, or undo them.")
        revision = self.bench.revision
        self.name, self.registry = opened.name, opened.registry
        self.bench = Bench(opened.graph, opened.registry, opened.file, revision=revision + 1)
        self._recorder, self._given, self._stops, self._watches = None, opened.recording, [], {}
        self._kept = opened.kept
        self._show(opened.graph)
        self.run = None
        self._anew()

    async def watch_file(self) -> None:
        """Look again and again whether somebody else has written the file; until cancelled."""
        while True:
            await trio.sleep(_LOOKS_AT_FILE)
            bench = self.bench
            if bench.file is None:
                continue
            state = await trio.to_thread.run_sync(bench.file.look)
            if bench is self.bench and (state != "same" or bench.file_state != "same"):
                said = await trio.to_thread.run_sync(partial(bench.noticed, state, busy=self.is_running))
                self.show_graph()
                if said:
                    self.say("File", said)

    # --- runs ---

    def attach(self, run: Run) -> None:
        """Show this run, from now on."""
        self.run = run
        self._anew()

    def _anew(self) -> None:
        self._epoch += 1
        self._watcher = Watcher(self.scene)
        self._heat = Heat()
        self._failure = None
        self._signals = None if self.run is None else asking.Signals(self.run)
        self._where = ()
        self.state = first_state(self._epoch)
        self.backlog.begin_anew()

    def watch(self, how: Watching) -> None:
        """Follow each event, or look from time to time, which costs the run a few percent instead of a multiple."""
        self.watching = how
        if self._watched is not None:
            self._watched.cancel()

    @property
    def kept(self) -> Kept | None:
        """Where a journal keeps the run that is shown, or was; None if none does."""
        return self._kept

    async def start(
        self, variables: Mapping[str, Any], *, paused: bool = False, record: bool = True, keep: bool = False
    ) -> None:
        """Start a run in the session's own nursery; returns once it has begun.

        With `keep` a journal keeps it, so that one can go back in it: that which is open, or one in memory. Raises
        `RuntimeError` if one is going on, and what the graph or the variables are refused with.
        """
        plan = self._planned()
        kept = None
        if keep:
            journal: Journal = self._memory if self._kept is None else self._kept.journal
            kept = Kept(journal, await _calling(journal, fresh_id, journal, "run"))
        self._kept, self._recorder = kept, _Recorder(plan.graph, values=self.values) if record else None
        options = self.options or RunOptions()
        observers = [] if self._recorder is None else [self._recorder]
        # Whoever looks into a journal may answer there: a run that it keeps waits for signals.
        where: dict[str, Any] = {"services": {Asker: self._asker}}
        if kept is not None:
            where = {"journal": kept.journal, "run_id": kept.run_id}
        opening = open_run(plan, variables=variables, options=options, observers=observers, **where)
        await self._begin(opening, "before the first node" if paused else None)

    async def go_back(self, event: int) -> Kept:
        """Begin another run with all that was before an event of the recording, and stop it there.

        The graph may have been changed since, as long as it does what was recorded. Raises `RuntimeError` if a run is
        going on or no journal has the one that is looked back on, and what the journal refuses.
        """
        plan, recording, kept = self._planned(), self.recording(), self._kept
        if kept is None or not isinstance(recording, Recording):
            raise RuntimeError("No journal keeps this run, so nobody can go back in it. Run it with “Keep”.")
        forked, node, path = await _calling(kept.journal, fork, kept, recording, event)
        self._kept, self._recorder = forked, _Recorder(plan.graph, values=self.values)
        opening = resume_run(forked.journal, forked.run_id, plan, on_change="compatible", observe_replay=True,
                             options=self.options or RunOptions(), observers=[self._recorder])  # fmt: skip
        here = _Stop("", {"node": node, "condition": f'path == "{path}"'})
        await self._begin(opening, None, here)
        self.say("Back", f"run {forked.run_id} goes on from {kept.run_id} before {node} at {path}")
        return forked

    async def go_on(self) -> Kept:
        """Go on with the run that a journal keeps, where it was put away or its process died, or try again what failed.

        Raises `RuntimeError` if a run is going on, none is kept or it has ended, and what the journal refuses.
        """
        plan, kept = self._planned(), self._kept
        if kept is None:
            raise RuntimeError("No journal keeps this run, so nobody can go on with it.")
        info = await _calling(kept.journal, kept.journal.show, kept.run_id)
        if info.status in ("completed", "pruned"):
            raise RuntimeError(f"Run {kept.run_id} is {info.status}: there is nothing to go on with. One can go back.")
        self._recorder = _Recorder(plan.graph, values=self.values)
        opening = resume_run(kept.journal, kept.run_id, plan, on_change="compatible", observe_replay=True, by="studio",
                             retry=info.status in ("failed", "stuck"), options=self.options or RunOptions(),
                             observers=[self._recorder])  # fmt: skip
        await self._begin(opening, None)
        return kept

    def _planned(self) -> Plan:
        if self.is_running:
            raise RuntimeError("A run is going on. Cancel it, or wait until it has ended.")
        if self._plan is None:
            self._plan = make_plan(self._shown, self.registry)
        return self._plan

    async def _begin(
        self, opening: AbstractAsyncContextManager[Run], pause: str | None, here: _Stop | None = None
    ) -> None:
        assert self.nursery is not None
        await self.nursery.start(partial(self._run, opening, pause, here))

    async def _run(
        self,
        opening: AbstractAsyncContextManager[Run],
        pause: str | None,
        here: _Stop | None,
        *,
        task_status: trio.TaskStatus[None],
    ) -> None:
        begun = False
        try:
            async with opening as run:
                if pause is not None:
                    run.gate.pause(pause)
                if here is not None:
                    here.set_in(run)
                self.attach(run)
                for stop in self._stops:
                    stop.set_in(run)
                begun = True
                task_status.started()
                await self.show(run)
        except RunAborted:
            pass
        except Exception:
            if not begun:
                raise
            # What the run has failed with is in `run.failure`, and told from there.

    async def show(self, run: Run) -> None:
        """Watch a run until it has ended, as the page wants it watched."""
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._take_heat, run)
            while run.status.value in ("not started", "running", "paused"):
                watcher = self._watcher
                with trio.CancelScope() as self._watched:
                    if self.watching == "glance":
                        await run.glance(watcher)
                    else:
                        run.observe(watcher)
                        try:
                            await _ended(run)
                        finally:
                            run.unobserve(watcher)
            nursery.cancel_scope.cancel()
        await _ended(run)
        if run.failure is not None:
            self._failure = self._told_failure(run.failure)
        self.tick(look=True)

    # --- breakpoints ---

    def add_breakpoint(self, **given: Any) -> str:
        """Set a breakpoint, in the run that goes on and in those to come; gives its id.

        Raises what `gate.add_breakpoint` raises, if a run goes on; else the next run tells it.
        """
        self._made += 1
        stop = _Stop(f"b{self._made}", given)
        if self.is_running:
            stop.set_in(self.live())
        self._stops.append(stop)
        return stop.id

    def remove_breakpoint(self, which: str) -> None:
        """Take a breakpoint away. Raises `UnknownName`."""
        stop = self._stop(which)
        if self.is_running and stop.made is not None:
            self.live().gate.remove_breakpoint(stop.made.id)
        self._stops.remove(stop)

    def enable_breakpoint(self, which: str, *, on: bool) -> None:
        """Let a breakpoint count, or rest. Raises `UnknownName`."""
        stop = self._stop(which)
        stop.enabled = on
        if self.is_running and stop.made is not None:
            gate = self.live().gate
            (gate.enable_breakpoint if on else gate.disable_breakpoint)(stop.made.id)

    def _stop(self, which: str) -> _Stop:
        for each in self._stops:
            if each.id == which:
                return each
        known = ", ".join(each.id for each in self._stops) or "none"
        raise UnknownName(f"There is no breakpoint {which!r}. There is: {known}.")

    # --- questions ---

    def _asks(self) -> list[asking.Ask]:
        if self._signals is None or not self.is_running:
            return []
        return [*self._asker.asks(), *self._signals.asks(self._watcher.questions)]

    async def answer(self, which: str, text: str) -> None:
        """Answer what is asked. Raises `UnknownName` if nobody asks that now, `ValueError` if it does not count."""
        self.live()
        if self._signals is not None and which.startswith("signal "):
            await self._signals.send(which.removeprefix("signal "), text)
        else:
            self._asker.answer(which, text)

    # --- the watch list ---

    def add_watch(self, text: str, *, evaluates: bool = False) -> str:
        """Keep something in view; gives its id."""
        self._made += 1
        watched = Watched(f"w{self._made}", text, evaluates)
        self._watches[watched.id] = watched
        return watched.id

    def change_watch(self, which: str, *, evaluates: bool) -> None:
        """Let outputs be computed for it where the strand stands, or not. Raises `UnknownName`."""
        self._watches[which] = attrs.evolve(self._watched_as(which), evaluates=evaluates)

    def remove_watch(self, which: str) -> None:
        """Take it from the watch list. Raises `UnknownName`."""
        del self._watches[self._watched_as(which).id]

    def _watched_as(self, which: str) -> Watched:
        if which not in self._watches:
            raise unknown(which, self._watches)
        return self._watches[which]

    async def look_at_watches(self, strand: int) -> dict[str, Found]:
        """By id, what all on the watch list is for a strand; where none is, what it is after the run."""
        run = self.run
        if run is None:
            return {}
        if not self.is_running:
            variables = run.variables()
            watches = self._watches.values()
            return {each.id: in_variables(each.text, variables, names_only=self.read_only) for each in watches}
        at = next((each for each in run.strands() if each.number == strand), None)
        if at is None:
            return {}
        return await look_up(run, at, [*self._watches.values()], names_only=self.read_only)

    async def _take_heat(self, run: Run) -> None:
        chance = random.Random()
        while True:
            await trio.sleep(chance.expovariate(1 / _HEAT_EVERY))
            if run.status.value == "running":
                self._heat.look(run)

    # --- frames ---

    async def make_frames(self) -> None:
        """Make a frame as often as a screen shows one, if anything has changed; until cancelled.

        Large frames are made less often, so that they take a fifth of the time at most.
        """
        spent = 0.0
        while True:
            await trio.sleep(max(1 / _HERTZ, 4 * spent))
            began = perf_counter()
            self.tick()
            spent = perf_counter() - began

    def tick(self, *, look: bool = False) -> None:
        """Make a frame now."""
        self._ticks += 1
        new = self._now(look=look, came=self._watcher.drain())
        delta = difference(self.state, new)
        if delta:
            self.state = new
            self.backlog.add(delta)

    def _now(self, *, look: bool, came: bool) -> State:
        run = self.run
        watcher = self._watcher
        state: State = dict(self.state)
        if came:
            state["counts"], state["failed"] = dict(watcher.counts), dict(watcher.failed)
            state["flow"] = dict(watcher.flow)
        state["outcomes"] = {node: dict(each) for node, each in watcher.outcomes.items()}
        state["policies"], state["dead"] = dict(watcher.policies), watcher.dead
        state["progress"] = dict(watcher.progress)
        state["messages"] = list(watcher.messages)
        state["looked"], state["watching"] = watcher.looked, self.watching
        state["breakpoints"] = [each.told() for each in self._stops]
        state["asks"] = [asking.told(each, self.scene.place(each.node)) for each in self._asks()]
        state["watches"] = [each.told() for each in self._watches.values()]
        state["document"] = self.bench.told()
        if run is None:
            return state
        statistics = run.statistics()
        state |= {
            "status": statistics.status.value, "steps": statistics.steps, "evaluations": statistics.evaluations,
            "forks": statistics.forks, "alive": statistics.strands, "failure": self._failure,
            "recorded": 0 if self._recorder is None else self._recorder.events,
            "kept": None if self._kept is None else self._kept.run_id,
        }  # fmt: skip
        if not self.is_running:
            final = {name: shown(value) for name, value in run.variables().items()} if self.values else {}
            return state | {"strands": [], "parked": [], "reason": None, "variables": final,
                            "elapsed": statistics.elapsed}  # fmt: skip
        gate = run.gate
        where = (statistics.steps, statistics.strands, gate.parked)
        state["reason"] = gate.reason
        due = gate.closed or not self._where or self._ticks % _LOOKS == 0
        if look or (due and where != self._where):
            self._where = where
            state["elapsed"] = statistics.elapsed
            state |= self._whereabouts(run)
        return state

    def _whereabouts(self, run: Run) -> State:
        strands = [
            {"number": each.number, "path": str(each.path), "name": each.node, "node": self.scene.place(each.node),
             "state": each.state}
            for each in run.strands()[:_MOST_STRANDS]
        ]  # fmt: skip
        parked = [
            {"strand": each.strand, "path": str(each.path), "name": each.node, "node": self.scene.place(each.node),
             "wire": each.wire, "error": None if each.error is None else f"{type(each.error).__name__}: {each.error}"}
            for each in run.gate.parked_at()[:_MOST_STRANDS]
        ]  # fmt: skip
        heat: dict[str, float] = {}
        for name, share in self._heat.nodes.items():
            place = self.scene.place(name)
            if place is not None:
                heat[str(place)] = round(heat.get(str(place), 0.0) + share, 4)
        return {"strands": strands, "parked": parked, "heat": heat}

    def _told_failure(self, error: BaseException) -> dict[str, Any]:
        origin = origin_node(error)
        lines = [
            hide(f"{type(each).__name__}: {each}") for each in leaves(error) if not isinstance(each, trio.Cancelled)
        ]
        cause = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
        if cause is not None and not isinstance(cause, trio.Cancelled):
            lines.append(hide(f"because of {type(cause).__name__}: {cause}"))
        given = hide(origin_inputs(error)) if self.values else ""
        name, kind, path = (None, None, "") if origin is None else (origin[0], origin[1], origin[2].short)
        return {"lines": lines[:20], "name": name, "type": kind, "path": path, "inputs": given,
                "node": self.scene.place(name)}  # fmt: skip

    # --- looking back ---

    @property
    def written(self) -> Mapping[str, tuple[list[int], list[str]]]:
        """By variable what it was when, as far as that was recorded here."""
        return {} if self._recorder is None else self._recorder.written

    def recording(self) -> Recorded | None:
        """What there is to look back on: of the last run that was recorded, else what was given."""
        recorder = self._recorder
        if recorder is None:
            return self._given
        if self._recorded is None or self._recorded[0] is not recorder or len(self._recorded[1]) != recorder.events:
            self._recorded = (recorder, recorder.recording())
        return self._recorded[1]


@attrs.define(eq=False)
class _Stop:
    """A breakpoint that the page has set; each run gets one of its own for it."""

    id: str
    given: dict[str, Any]
    enabled: bool = True
    made: Breakpoint | None = None

    def set_in(self, run: Run) -> None:
        self.made = run.gate.add_breakpoint(**self.given)
        if not self.enabled:
            run.gate.disable_breakpoint(self.made.id)

    def told(self) -> dict[str, Any]:
        given = self.given
        kind = next(each for each in ("node", "wire", "value", "failure") if given.get(each))
        return {"id": self.id, "kind": kind, "on": "failure" if kind == "failure" else given[kind],
                "condition": given.get("condition"), "log": bool(given.get("log")), "enabled": self.enabled,
                "hits": 0 if self.made is None else self.made.hits}  # fmt: skip


class _Recorder(Recorder):
    """A recorder that ends before memory does, and keeps what variables were then."""

    def __init__(self, graph: Graph, *, values: bool) -> None:
        super().__init__(values=values, graph=graph, most=_MOST_RECORDED)
        self.written: dict[str, tuple[list[int], list[str]]] = {}
        """By variable: the numbers of the events that told a value, and the values as texts."""

    def _note(self, event: Event, number: int) -> None:
        if self.values:
            if isinstance(event, NodeCompleted):
                for name, value in (event.variables or {}).items():
                    self._write(event.path.graph + name, value, number)
            elif isinstance(event, VariableSet):
                self._write(event.variable, event.value, number)
        super()._note(event, number)

    def _write(self, name: str, value: object, number: int) -> None:
        numbers, texts = self.written.setdefault(name, ([], []))
        text = shown(value)
        if not texts or texts[-1] != text:
            numbers.append(number)
            texts.append(text)


async def _calling(journal: Journal, function: Callable[..., T], *arguments: Any) -> T:
    """Call something that blocks if the journal does."""
    if journal.blocking:
        return await trio.to_thread.run_sync(partial(function, *arguments))
    await trio.lowlevel.checkpoint()
    return function(*arguments)


async def _ended(run: Run) -> None:
    """Wait until a run has ended, however."""
    try:
        await run.result()
    except RunAborted:
        pass
    except Exception:  # noqa: S110 - it is told from `run.failure`
        pass
