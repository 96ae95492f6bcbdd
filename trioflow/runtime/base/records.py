"""What lives in a run, with its slots: lines, activations, strands, frames, and the run itself.

They refer to each other, so they are together here, below everything that moves them. What is here reads, counts and
tells; it starts nothing and awaits nothing.
"""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Container, Mapping, Sequence
from contextlib import suppress
from itertools import count
from random import Random
from typing import TYPE_CHECKING, Any, Protocol, Self, TypeAlias, cast
from weakref import WeakKeyDictionary

import trio

from trioflow.errors import ConcurrentTrigger, LimitExceeded, UnknownName, did_you_mean
from trioflow.model.clock import SYSTEM_CLOCK, Clock
from trioflow.model.context import Services
from trioflow.model.properties import Properties
from trioflow.model.sockets import ErrorMode, StreamMode
from trioflow.model.values import own_copy
from trioflow.runtime.base.cells import first_store
from trioflow.runtime.base.names import closed, exit_place
from trioflow.runtime.base.options import RunOptions, RunStatus
from trioflow.runtime.base.pending import Pending
from trioflow.runtime.base.schedule import Schedule, current_schedule
from trioflow.runtime.base.task import HotTask
from trioflow.semantics.address import DEEPEST, HOST_MARK, attempt_mark, fired_mark
from trioflow.semantics.events import ROOT, Event, Path, Told, path_of
from trioflow.semantics.identity import Origin
from trioflow.semantics.plan import Plan, PlanInput, PlanNode, PlanStream, Target
from trioflow.semantics.store import Cell, Store, new_cell

if TYPE_CHECKING:
    from trioflow.model.node_type import Node
    from trioflow.runtime.base.watch import Watch
    from trioflow.runtime.base.wraps import Wraps

# --- lines -----------------------------------------------------------------------------------------------------------


class Line:
    """A place on whose behalf nodes are dispatched, one after the other: an activation, a fork, an initiator (T8).

    `count` is the number of dispatches so far; the k-th appends k to the line's path.
    """

    __slots__ = ("_where", "count", "depth", "index", "parent")

    asker: Any = None
    """In whose place it is, if it only looks: events keep that one, and not what is looked at."""

    def __init__(self, parent: Line | None) -> None:
        self.parent = parent
        self.count = 0
        self._where: Path | None = None
        self.depth: int = 0
        if parent is not None:  # the path of the first line is the root, which has no index
            self.index = parent.count
            parent.count += 1
            self.depth = parent.depth + 1

    @property
    def graph(self) -> str | None:
        """What comes before the ids of nodes here, as in a path; None for the same as in the line above."""
        return None

    @property
    def where(self) -> Path:
        """The path, made when somebody asks; as deep as it may be, without recursion."""
        path = self._where
        if path is not None:
            return path
        parent = self.parent
        if parent is not None and parent._where is not None:  # as it is where every step is watched
            path = self._where = Path(parent._where, self.index, self.graph)
            return path
        chain: list[Line] = []
        line: Line | None = self
        while line is not None and line._where is None:
            chain.append(line)
            line = line.parent
        path = line._where if line is not None else None
        for unmade in reversed(chain):
            path = ROOT if path is None else unmade.below(path)
            unmade._where = path
        assert path is not None
        return path

    def below(self, path: Path) -> Path:
        """Its path below that of its parent."""
        return Path(path, self.index, self.graph)


# --- activations -----------------------------------------------------------------------------------------------------


class StreamRun:
    """How one stream runs in one activation."""

    __slots__ = ("emits", "failures", "fired", "limit", "mode", "on_error", "plan", "targets")

    def __init__(
        self, plan: PlanStream, targets: Sequence[Target], settings: tuple[StreamMode, int | None, ErrorMode]
    ) -> None:
        self.plan = plan
        self.targets = targets
        self.mode, self.limit, self.on_error = settings
        self.emits = 0
        self.fired = False
        # Of sequential items; those of concurrent ones are with their forks.
        self.failures: list[tuple[int, Exception]] = []


class Forks(Protocol):
    """The forks of a body with concurrent streams."""

    in_flight: int
    failures: list[tuple[int, Exception]]

    async def join(self) -> None: ...
    async def wait_until(self, condition: Callable[[], bool]) -> None: ...
    def start(self, work: Any, collected: bool = ..., discard: bool = ...) -> Any: ...


class Rarely:
    """What most activations never need."""

    __slots__ = (
        "attempts", "fired", "forks", "kept", "moment", "moments", "put_off", "random", "skipped", "streams", "writes",
    )  # fmt: skip

    def __init__(self) -> None:
        self.forks: Forks | None = None
        self.moment: Cell | None = None
        # How often something that it began has come back (D6).
        self.moments = 0
        self.random: Random | None = None
        self.skipped: tuple[BaseException, Path] | None = None
        self.streams: tuple[StreamRun, ...] = ()
        self.writes = 0
        # The cells of its eager inputs, where several attempts are to get the same (A5). Empty until they are resolved.
        self.kept: list[Cell] | None = None
        # How often its body was run, and how many nodes were fired below it, by middlewares (A2, A4).
        self.attempts = 1
        self.fired = 0
        # How often it has put something off (B3).
        self.put_off = 0


class Activation(Line):
    """One execution of one exec node (T3). It is a line itself: what it triggers is numbered by it (T8).

    Its body sees it as a context, which `activation.py` makes of it. Once it has closed it has no `strand` any more, so
    that everything that could act or look raises `NodeError`.
    """

    __slots__ = ("_rarely", "_target", "plan", "strand", "triggering")

    plan: PlanNode
    strand: Strand
    triggering: bool
    _target: Target
    _rarely: Rarely | None

    # `dispatch` sets everything: this runs once per step, and a call of __init__ would take a tenth of it.
    __init__ = object.__init__  # pyright: ignore[reportAssignmentType] - it takes no line above

    def __repr__(self) -> str:
        return f"<activation {self.where} of {self.plan.id!r}>"

    def __getattr__(self, name: str) -> Any:
        if name == "strand":
            raise closed(self.plan.id, self.where, "activation")
        raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")

    @property
    def path(self) -> tuple[int, ...]:
        """Its path as numbers."""
        return self.where.as_tuple()

    @property
    def graph(self) -> str | None:
        try:
            strand: Strand = _strand_of(self)
        except AttributeError:
            return None  # it has closed: what is left of its path are the numbers
        return strand.frame.prefix

    @property
    def run(self) -> RunState:
        """The run."""
        return self.strand.run

    @property
    def is_open(self) -> bool:
        """Whether it has not closed yet."""
        try:
            return _strand_of(self) is not None
        except AttributeError:
            return False

    @property
    def rarely(self) -> Rarely:
        """What is made only when needed."""
        if self._rarely is None:
            self._rarely = Rarely()
        return self._rarely

    @property
    def kept(self) -> list[Cell] | None:
        """The cells of its eager inputs, if they are resolved for all attempts (A5)."""
        if not self.plan.inputs:
            return []
        return (self._rarely and self._rarely.kept) or None

    @property
    def skipped(self) -> tuple[BaseException, Path] | None:
        """The error and its origin, if a middleware skipped this activation."""
        return self._rarely.skipped if self._rarely is not None else None

    @property
    def cancelled_is_over(self) -> bool:
        """Whether what is cancelled now has ended; a run that is kept in a journal has not, and is resumed."""
        return True

    @property
    def random_key(self) -> str:
        """What its random numbers are made of (R6)."""
        return f"{self.run.options.seed}/{self.where}"

    @property
    def moment(self) -> Cell:
        """The cell that volatile data nodes depend on now in this activation (D6)."""
        rarely = self.rarely
        if rarely.moment is None:
            number = f"#{rarely.moments}" if rarely.moments else ""
            rarely.moment = new_cell(None, self.run.next_serial(), f"@{self.where}{number}")
        return rarely.moment

    def come_back(self) -> None:
        """Something that it began has ended: what it asks volatile data nodes from now on, it asks afresh (D6)."""
        if self.plan.moments:
            self.rarely.moments += 1
            self.rarely.moment = None

    def targets_of(self, socket: Any) -> tuple[Target, ...]:
        """What is wired to an exec output. Raises `UnknownSocket` (T4)."""
        return self.plan.targets[exit_place(self.plan, socket)]

    def origin(self, name: str) -> Origin:
        """Where the next write of this name comes from, for observers that ask for keys."""
        watch = self.strand.run.data_watch
        if watch is not None and not watch.keys:
            return "?"
        rarely = self._rarely or self.rarely
        rarely.writes += 1
        return self, self.plan.id, name, rarely.writes

    def concurrent(self, verb: str, socket: Any) -> ConcurrentTrigger:
        """The error that an activation runs one trigger at a time (T7)."""
        name = socket if isinstance(socket, str) else socket.name
        return ConcurrentTrigger(
            f"Node {self.plan.id!r}: {verb}({name!r}) while another trigger of the same activation is running. An "
            "activation runs one at a time. For concurrent work write\n"
            "    async with ctx.branches() as branches:\n"
            f"        branches.start({name!r})\n"
            "instead of starting ctx.trigger in a nursery."
        )

    # --- those beside it ---

    def attempt(self, strand: Strand) -> Self:
        """Another attempt of this activation, at a path of its own below this one (A2). It gets the same inputs (A5).

        It is no deeper than this one, for it takes its place.
        """
        rarely = self.rarely
        rarely.attempts += 1
        other: Self = below(self, attempt_mark(rarely.attempts), self._target, strand)
        other.depth = self.depth
        if rarely.kept is None:
            rarely.kept = []
        other.rarely.kept = rarely.kept
        return other

    def fires(self, target: Target) -> Self:
        """An activation below this one of a node that a middleware fires (A4)."""
        rarely = self.rarely
        rarely.fired += 1
        fired: Self = below(self, fired_mark(rarely.fired - 1), target, self.strand)
        return fired

    def alias(self, strand: Strand) -> Self:
        """This very activation in another strand: at the same path, with the same random numbers and moment (A3)."""
        other: Self = below(self, self.index, self._target, strand)
        other.parent = self.parent
        other.depth = self.depth
        other.count = self.count
        other._where = self.where
        other._rarely = self.rarely
        return other


_strand_of: Any = vars(Activation)["strand"].__get__


def below(line: Line, mark: int, target: Target, strand: Strand) -> Any:
    """An activation at a marked path below a line."""
    made: Activation = strand.run.activate()
    made.parent = line
    made.index = mark
    made.depth = line.depth + 1
    made.count = 0
    made._where = None
    made.strand = strand
    made.plan = target.node
    made.triggering = False
    made._target = target
    made._rarely = None
    return made


def activation_at(strand: Strand, target: Target, path: tuple[int, ...], depth: int) -> Activation:
    """An activation at a path that begins elsewhere: in a run that carries out a part of another one (A9)."""
    line = Line(None)
    line._where = path_of(path[:-1])
    line.depth = depth - 1
    made: Activation = below(line, path[-1], target, strand)
    return made


def as_host(strand: Strand, line: Line, node: PlanNode, path: Path) -> Activation:
    """Who asks for values on behalf of the host: in a store that is dropped, at a path of its own."""
    asking: Activation = below(line, HOST_MARK, Target(node, None), strand.fork())
    asking._where = Path(path, HOST_MARK)
    return asking


class View(Line):
    """An activation that asks for values in another graph than its own: what it is a part of, or what it calls."""

    __slots__ = ("asker", "strand")

    def __init__(self, activation: Activation | View, strand: Strand) -> None:
        asker = activation.asker if isinstance(activation, View) else activation
        self.asker: Activation = asker
        self.strand = strand
        # It dispatches nothing and has the path of who asks: what else a line is made of stays unset.

    @property
    def where(self) -> Path:
        return self.asker.where.within(self.strand.frame.prefix)

    @property
    def moment(self) -> Cell:
        """The cell that volatile data nodes depend on: that of the activation (D6)."""
        return self.asker.moment


Asking: TypeAlias = Activation | View
"""Who asks for values: an activation in its own graph, or looking into another one."""


# --- strands ---------------------------------------------------------------------------------------------------------


class _Outputs:
    """Cells of which only those of exec nodes are there, whose slots are counted from the end (`PlanInput.there`)."""

    __slots__ = ("_cells",)

    def __init__(self, cells: list[Any]) -> None:
        self._cells = cells

    def __getitem__(self, slot: int) -> Any:
        return self._cells[slot] if slot < 0 else None


class Dependent(Protocol):
    """An evaluation, as far as the graph that it calls has to tell it what was asked for."""

    pulled: list[tuple[PlanInput | int, Cell]]

    def note_failure(self) -> None: ...


class Caller:
    """The node that calls a graph, and the strand in which its inputs are resolved (C4).

    One evaluation of a data graph asks for each input once: `cells` holds what came, and what was asked for is part of
    what the evaluation `context` depends on. A call of an exec graph asks for lazy inputs again and again, and what is
    computed of them must end with the call: so `inside` has a cell of its own for each that came in and still lives.
    """

    __slots__ = ("cells", "context", "inside", "node", "strand")

    def __init__(self, node: PlanNode, strand: Strand, context: Dependent | None = None) -> None:
        self.node = node
        self.strand = strand
        self.context = context
        self.cells: dict[int, Cell] = {}
        self.inside: dict[int, WeakKeyDictionary[Cell, Cell]] = {}

    def seen_from(self, strand: Strand) -> Caller:
        """The same, as a fork sees it. A call that forks is no evaluation: it has no context."""
        caller = Caller(self.node, strand)
        caller.inside = self.inside
        return caller


class Strand:
    """One sequential line of control. `nurseries` counts the engine's nurseries that enclose it (F8).

    `counted` is the number of nurseries in its task when all that enclose it were counted last.

    `task` is the task of a dispatch loop of this strand exactly while a body runs directly under it; a body that
    triggers from a task of its own finds none, and brings a loop of its own. `waits` counts its tasks that wait for the
    gate or for other strands: one, unless bodies wait in tasks of their own.

    `there` is what a body's demand looks at first: the cells of the store, or while somebody watches data nodes only
    those of exec nodes, for then there is more to do than to read. It is set wherever `task` is set, and asked for no
    longer than that is. `told` is what all events in this strand have in common, once somebody watches.

    While a strand executes a graph that it calls, there is another object for that: its `frame` is the execution of
    that graph, its `caller` where the graph's inputs come from, and its `outermost` the strand that both are (C3).
    """

    __slots__ = (
        "_outermost", "caller", "counted", "frame", "number", "nurseries", "run", "store", "task", "there", "told",
        "waits",
    )  # fmt: skip

    run: RunState
    store: Store
    nurseries: int
    frame: GraphFrame
    caller: Caller | None
    _outermost: Strand | None  # None for itself: a strand that held itself would only go with the garbage
    task: HotTask | None
    number: int
    told: Told | None
    there: Any
    waits: int
    counted: int

    # `new_strand` sets everything, and so does `fork`: it runs once per item of a stream, and `__init__` would cost as
    # much as the rest.

    @property
    def outermost(self) -> Strand:
        """The strand of the outermost graph: itself, unless it is in a graph that is called."""
        return self if self._outermost is None else self._outermost

    def resume(self, task: HotTask) -> None:
        """A dispatch of it goes on, directly under the loop of this task."""
        run = self.run
        self.task = task
        self.there = self.store.cells if run.data_watch is None else _Outputs(self.store.cells)
        run.resumed = self

    def look_again(self) -> None:
        """Somebody begins or ends to watch while it runs."""
        self.there = self.store.cells if self.run.data_watch is None else _Outputs(self.store.cells)

    def tell_as(self, run: str) -> Told:
        """What events in this strand have in common, made for the first of them."""
        told = self.told = Told(run, self.frame.prefix, self.number)
        return told

    def fork(self, store: Store | None = None) -> Strand:
        """A strand of its own that starts with what is here now (F1), or with this store (F9)."""
        strand = Strand()
        strand.run = self.run
        strand.store = self.store.fork() if store is None else store
        strand.nurseries = self.nurseries
        strand.frame = self.frame
        strand.caller = None if self.caller is None else self._caller_now()
        strand._outermost = None
        strand.task = None
        strand.told = None
        strand.number = self.number
        strand.waits = strand.counted = 0
        return strand

    def isolated(self) -> Strand:
        """A fork for an attempt, which runs in the place of this strand (A3)."""
        strand = self.fork()
        strand._outermost = self.outermost
        return strand

    def _caller_now(self) -> Caller | None:
        """The inputs of the graphs as they are now, as far as they are asked for whenever they are needed (C4)."""
        inside: list[Strand] = []
        strand = self
        while strand.caller is not None and strand.frame.plan.has_ports:
            inside.append(strand)
            strand = strand.caller.strand
        caller = strand.caller
        for each in reversed(inside):
            assert each.caller is not None
            outside = each.caller.strand
            now = new_strand(outside.run, outside.store.fork(), outside.nurseries, outside.frame, caller)
            caller = each.caller.seen_from(now)
        return caller


def new_strand(
    run: RunState,
    store: Store,
    nurseries: int,
    frame: GraphFrame | None = None,
    caller: Caller | None = None,
    outermost: Strand | None = None,
) -> Strand:
    """A strand that has just begun."""
    strand = Strand()
    strand.run = run
    strand.store = store
    strand.nurseries = nurseries
    strand.frame = run.frame if frame is None else frame
    strand.caller = caller
    strand._outermost = outermost
    strand.number = 0 if outermost is None else outermost.number
    strand.told = None
    strand.task = None
    strand.waits = strand.counted = 0
    return strand


# --- frames ----------------------------------------------------------------------------------------------------------


class Bodies(Protocol):
    """Makes the bodies of a graph's nodes, when each is first needed."""

    living: Sequence[PlanNode]
    bodies: list[Any]

    def body(self, node: PlanNode, instance: Node | None) -> Any: ...
    def alone(self, node: PlanNode, frame: GraphFrame) -> Any: ...
    def start(self, frame: GraphFrame, run: RunState) -> None: ...


class GraphFrame:
    """One execution of a graph: its plan, the bodies of its nodes, and what is remembered of nodes without inputs.

    `base` and the index of a node make a number that no other node of the run has. `prefix` comes before the ids of
    nodes: `outer/inner/` (C8). `set_up` are the nodes that are to be torn down. `calls` are the frames of the data
    graphs that nodes here call: they live as long as this one.
    """

    __slots__ = ("base", "bodies", "calls", "instances", "nesting", "plan", "prefix", "root_cell", "set_up", "template")

    def __init__(self, plan: Plan, base: int, outer: GraphFrame | None = None, node: str = "") -> None:
        self.plan = plan
        self.base = base
        # As soon as it starts.
        self.template: Bodies
        self.bodies: list[Any]
        # Of classes, by node, as far as their bodies do not hold them.
        self.instances: list[Any]
        self.calls: dict[str, DataFrame] = {}
        self.nesting: int = 0 if outer is None else outer.nesting + 1
        self.prefix: str = "" if outer is None else _prefix(outer, node)
        # Evaluations without any input that could change hang here.
        self.root_cell = new_cell(None, -1)
        self.set_up: list[tuple[str, Node]] = []


class ExecFrame(GraphFrame):
    """One call of an exec graph: the activation that calls, and the strand in which the graph runs."""

    __slots__ = ("caller", "strand")

    def __init__(self, plan: Plan, base: int, caller: Activation) -> None:
        super().__init__(plan, base, caller.strand.frame, caller.plan.id)
        self.caller = caller
        self.strand: Strand  # it is made for this frame


class DataFrame(GraphFrame):
    """What the evaluations of one data graph have in common, as long as the graph that calls it is executed."""

    __slots__ = ("lock", "ready", "store", "waiting")

    def __init__(self, plan: Plan, base: int, outer: GraphFrame, node: str, run: RunState) -> None:
        super().__init__(plan, base, outer, node)
        self.store = first_store(plan, run.next_serial, run.secrets, self.prefix)
        # As soon as it starts: whether all nodes are set up, those that are not, and who sets them up.
        self.ready: bool
        self.waiting: list[PlanNode]
        self.lock = trio.Lock()


def _prefix(outer: GraphFrame, node: str) -> str:
    if outer.nesting < DEEPEST:
        return f"{outer.prefix}{node}/"
    # Whole paths in deep recursion would take as much memory as its depth squared.
    names = outer.prefix.split("/")
    return "/".join([*names[:3], "...", *names[-(DEEPEST - 4) : -1], node, ""])


# --- the run ---------------------------------------------------------------------------------------------------------


class RunServices(Services):
    """The services that the host passed, and how it has said that the graph is to be run: `RunOptions`."""

    __slots__ = ("_options", "_properties", "_services")

    _properties: Properties

    def __init__(self, services: Mapping[type | str, Any], options: RunOptions) -> None:
        self._services = services
        self._options = options

    @property
    def properties(self) -> Properties:
        """Those of the run, made when somebody asks; every body finds them."""
        with suppress(AttributeError):
            return self._properties
        self._properties = Properties()
        return self._properties

    def get(self, key: type[Any] | str) -> Any:
        if key in self._services:
            return self._services[key]
        if isinstance(key, type):
            for service in self._services.values():
                if isinstance(service, key):
                    return service
        if key is Clock:
            return SYSTEM_CLOCK
        if key is RunOptions:
            return self._options
        if key is Properties:
            return self.properties
        every = [known if isinstance(known, str) else known.__qualname__ for known in self._services]
        names = [name for name in every if not name.startswith("_")]  # a private one is none of the node's business
        wanted = key if isinstance(key, str) else key.__qualname__
        raise UnknownName(
            f"This run has no service {wanted!r}.{did_you_mean(wanted, names)} It has: {', '.join(names) or 'none'}. "
            f"Pass it to whoever runs the graph: services={{{wanted!r}: ...}}."
        )


class Checkpoint(Protocol):
    """The gate, as the engine sees it: who comes by waits there while it is closed."""

    @property
    def closed(self) -> bool: ...
    @property
    def parked(self) -> int: ...
    async def wait(self, strand: Strand, line: Line, target: Target) -> None: ...
    async def see_failure(self, error: BaseException, strand: Strand, activation: Activation) -> None: ...
    def all_quiet(self) -> None: ...
    def end(self) -> None: ...


class RunState:
    """The parts of a run that its strands touch. `frame` is that of its outermost graph.

    `fuel` is the one number that a dispatch looks at: it counts down to the next moment at which something else must
    be looked at, be it the scheduler's turn, a limit or the gate. There were `granted - fuel - evaluations` steps.
    """

    __slots__ = (
        "_number", "activate", "agenda", "ahead", "ahead_running", "barrier", "bases", "budget",
        "data_watch", "defaults",
        "demand", "ended",
        "ended_forks", "evaluations", "exhausted", "forks", "frame", "fuel", "granted", "in_progress", "max_depth",
        "max_steps", "next_serial", "nursery", "observed", "options", "plan", "resting", "resumed", "root_task",
        "schedule", "secrets", "services", "settled_status", "started_at", "steps_alone", "stops", "templates",
        "turn_after",
        "turn_due", "waits", "watch", "wraps",
    )  # fmt: skip

    def __init__(
        self,
        number: int,
        plan: Plan,
        options: RunOptions,
        activate: Callable[[], Any],
        demand: Callable[..., Any],
        services: Mapping[type | str, Any],
        secrets: Mapping[str, str],
        wraps: Wraps[Any] | None = None,
    ) -> None:
        self._number = number
        self.plan = plan
        self.frame = GraphFrame(plan, 0)
        self.options = options
        self.services = RunServices(services, options)
        self.secrets = secrets
        # Makes an activation with nothing in its slots, as a body sees it.
        self.activate = activate
        # Evaluates a data node, in the task that awaits it: `demand.loop.demand`.
        self.demand = demand
        self.wraps = wraps
        self.templates: dict[tuple[Plan, str | None], Bodies] = {}
        # Of the inputs of the outermost graph, which nobody calls.
        self.defaults = [
            each if each is None else new_cell(own_copy(each.value), each.serial, each.origin) for each in plan.defaults
        ]
        # How many nodes the frames so far have (C3).
        self.bases = len(plan.nodes)
        # Who watches, or has done; the same while steps have to be looked at; and while data nodes have to be.
        self.observed: Watch | None = None
        self.watch: Watch | None = None
        self.data_watch: Watch | None = None
        # Whether a plain function may be called without anything around it: nobody watches, and no middleware is there.
        self.steps_alone = wraps is None
        # The strand that came last to run. It alone may be in the middle of a body when somebody begins to watch.
        self.resumed: Strand | None = None
        self.fuel = 0
        self.granted = 0
        self.evaluations = 0
        self.max_depth = options.max_depth
        self.max_steps: float = math.inf if options.max_steps is None else options.max_steps
        # Data nodes that are being evaluated, by node and inputs (D5).
        self.in_progress: dict[tuple[int, ...], Pending] = {}
        # Those that were begun before their turn, likewise, each a `demand.context.Begun`; how many of them run (D12).
        self.ahead: dict[tuple[int, ...], Any] = {}
        self.ahead_running = 0
        self.schedule: Schedule | None = current_schedule.get()
        self.turn_after = options.turn_after
        # When the scheduler gets its next turn at the latest (T2), on the clock of perf_counter.
        self.turn_due = 0.0
        self.next_serial: Callable[[], int] = count().__next__
        self.forks = 0
        self.ended_forks = 0
        # Strands that wait at the gate, or for other strands (G2).
        self.resting = 0
        self.waits: dict[trio.Event, Strand] = {}
        self.started_at: float | None = None
        self.ended = False
        # What is cancelled when the host's budget is used up, and what the run then fails with (R8).
        self.budget: trio.CancelScope | None = None
        self.exhausted: LimitExceeded | None = None
        self.settled_status: RunStatus | None = None
        # What is due later, an `agenda.Agenda`, if anything was ever put off (B3).
        self.agenda: Any = None
        # The gate, if somebody has asked for it, and the nodes whose dispatches must look at it though it is open.
        self.barrier: Checkpoint | None = None
        self.stops: Container[PlanNode] | None = None
        # Around the run, for what the host asks to happen later.
        self.nursery: trio.Nursery | None = None
        # The task under which all strands are, for those who look where they are.
        self.root_task: trio.lowlevel.Task | None = None

    @property
    def id(self) -> str:
        """Unique in this process, and unlikely to be met in another one."""
        return f"{os.getpid():x}-{self._number:x}"

    @property
    def gated(self) -> bool:
        """Whether all dispatches must look at the gate."""
        return self.barrier is not None and self.barrier.closed

    @property
    def strands(self) -> int:
        """Strands that are there now."""
        return self.forks - self.ended_forks + (self.started_at is not None and not self.ended)

    @property
    def busy(self) -> int:
        """Strands that neither wait at the gate nor for others (G2). The first is on its way from the beginning."""
        return self.forks - self.ended_forks + (not self.ended) - self.resting

    @property
    def parked(self) -> int:
        """Strands that wait at the gate."""
        return 0 if self.barrier is None else self.barrier.parked

    @property
    def steps(self) -> int:
        """Dispatches so far."""
        return self.granted - self.fuel - self.evaluations

    @property
    def status(self) -> RunStatus:
        """What the run is doing (R3)."""
        if self.settled_status is not None:
            return self.settled_status
        if self.started_at is None:
            return RunStatus.NOT_STARTED
        return RunStatus.PAUSED if self.gated else RunStatus.RUNNING

    def watch_by(self, watch: Watch) -> None:
        """From now on this watches, also when its observers have changed."""
        self.observed = watch
        self.watch = watch if watch.steps else None
        self.data_watch = watch if watch.data else None
        self.steps_alone = self.wraps is None and self.watch is None and self.data_watch is None
        if self.resumed is not None and self.resumed.task is not None:
            self.resumed.look_again()

    def new_store(self) -> Store:
        """The store that the run starts with: variables at their defaults; so are inputs, for nobody calls."""
        store = first_store(self.plan, self.next_serial, self.secrets)
        if self.plan.enter is not None and self.plan.enter.first_output >= 0:
            for place, default in enumerate(self.defaults):
                store.cells[self.plan.enter.first_output + place] = default
        return store

    def new_base(self, plan: Plan) -> int:
        """The number of the first node of a new frame."""
        base = self.bases
        self.bases += len(plan.nodes)
        return base

    def lasted(self, began: float | None) -> float | None:
        """Seconds since something began, for the event that tells of its end; None if nobody watched then or now."""
        return None if self.observed is None or began is None else self.observed.now() - began

    def tell_of(self, event: Event, strand: Strand, line: Line | Path, node: str) -> None:
        """Tell observers an event that somebody else has made (A8)."""
        if self.observed is not None:
            self.observed.tell(event, strand.told or strand.tell_as(self.id), line, node)

    def tell(self, kind: Callable[..., Event], line: Any, node: str | None, *details: Any) -> None:
        """Tell observers, if any wants this kind. The line is where it happens: an activation, a view, a fork."""
        observed = self.observed
        if observed is None or observed.call_for(cast("type[Event]", kind)) is None:
            return
        if line is None:
            observed.tell(kind(*details), None, ROOT, node)
            return
        strand: Strand | None = getattr(line, "strand", None)
        told = Told(self.id, line.where.graph) if strand is None else strand.told or strand.tell_as(self.id)
        observed.tell(kind(*details), told, line, node)
