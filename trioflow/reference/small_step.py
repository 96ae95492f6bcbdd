"""The small-step form: one strand moves at a time, in the order that a schedule says (spec/INTERPRETING.md, 8 and 9).

A strand is a generator that yields what it waits for. At every quiescent point the labels of the parked strands are the
*enabled set*; time is an integer that moves only when nothing else can.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping, Sequence
from typing import Any

import attrs

from trioflow.reference.graph import (
    FAILED,
    LAZY,
    UNSET,
    Cell,
    Failure,
    Graph,
    Node,
    Path,
    Target,
    as_text,
    canonical,
    dotted,
    event,
    key_of,
    settings,
)
from trioflow.reference.script import CANCELLATION_POINTS, DATA_EFFECTS, Effects, Script
from trioflow.reference.store import Store


class Cancelled(BaseException):
    """Ends what a cancelled scope encloses (R5)."""


class Deadlock(Exception):
    """No strand can go on, nothing is due, and the run has not ended."""


@attrs.define(eq=False)
class Scope:
    """What can be cancelled; with a `deadline`, by itself."""

    cancelled: bool = False
    deadline: int | None = None


@attrs.frozen
class Wait:
    """What a strand waits for: a release of its `label`, a time, or a condition. Exactly one is given."""

    label: str | None = None
    until: int | None = None
    condition: Callable[[], bool] | None = None
    cancellable: bool = True


Steps = Generator[Wait, None, Any]


@attrs.define(eq=False)
class Line:
    """On whose behalf nodes are dispatched; `count` of them so far (T8)."""

    path: Path
    count: int = 0

    def next(self) -> Path:
        """Take the next index."""
        self.count += 1
        return (*self.path, self.count - 1)


@attrs.define(eq=False)
class Strand:
    """A sequential line of control with its own store."""

    store: Store
    scopes: list[Scope]
    groups: int = 0
    steps: Steps | None = None
    wait: Wait | None = None
    failure: Failure | None = None

    @property
    def cancelled(self) -> bool:
        """Whether anything around it has been cancelled."""
        return any(scope.cancelled for scope in self.scopes)

    def check(self) -> None:
        """A cancellation point."""
        if self.cancelled:
            raise Cancelled


@attrs.define(eq=False)
class Fork:
    """A forked strand, with the line of its dispatches."""

    strand: Strand
    line: Line
    collected: bool = False
    discarded: bool = False
    ended: bool = False


@attrs.define(eq=False)
class Group:
    """The forks of one owner (F2)."""

    strand: Strand
    scope: Scope
    scopes: list[Scope]
    """What cancels the forks; a `within` that is entered later does not (R5)."""
    forks: list[Fork] = attrs.field(factory=list[Fork])
    unjoined: list[Fork] = attrs.field(factory=list[Fork])
    failed: list[Failure] = attrs.field(factory=list[Failure])  # those that are not collected, in order of time

    @property
    def in_flight(self) -> int:
        """How many have not ended."""
        return sum(not fork.ended for fork in self.forks)

    @property
    def failures(self) -> int:
        """How many failures were collected (S4)."""
        return sum(fork.collected and fork.strand.failure is not None for fork in self.forks)


@attrs.define(eq=False)
class Activation(Line):
    """One execution of one exec node (T3)."""

    target: Target = attrs.field(kw_only=True)
    strand: Strand = attrs.field(kw_only=True)
    group: Group | None = None
    writes: int = 0
    failures: int = 0
    done_fired: bool = False
    moment: Cell | None = None

    @property
    def node(self) -> Node:
        """Its node."""
        return self.target.node


@attrs.define(eq=False)
class Evaluation:
    """One run of a data node's body: the cells it used, in the order of 7 in spec/INTERPRETING.md, and what it gave."""

    used: list[Cell]
    pulled: list[tuple[Any, Cell]] = attrs.field(factory=list[tuple[Any, Cell]])
    outputs: dict[str, Cell] = attrs.field(factory=dict[str, Cell])
    ended: bool = False
    failure: Failure | None = None

    @property
    def cells(self) -> list[Cell]:
        """The cells that its body asked for, in order."""
        return [cell for _, cell in self.pulled]


class Machine:
    """One run."""

    def __init__(self, request: Mapping[str, Any]) -> None:
        self.graph = Graph(request["graph"])
        self.options: Mapping[str, Any] = request.get("options") or {}
        self.choices = list(request.get("choices") or ())
        self.actions = list(request.get("actions") or ())
        self.now = self.dispatches = self.releases = 0
        self.strands: list[Strand] = []
        self.running_scopes: list[Scope] = []
        self.trace: list[dict[str, Any]] = []
        self.steps: list[dict[str, Any]] = []
        self.remembered: dict[str, list[Evaluation]] = {}
        self.in_progress: dict[str, list[Evaluation]] = {}
        self.life: list[str] = []
        self.root = Line(())
        self.cancel_scope, self.timeout_scope = Scope(), Scope(deadline=self.options.get("timeout"))
        policies = {name: variable.get("merge", "last") for name, variable in self.graph.variables.items()}
        self.main = Strand(Store(policies), [self.cancel_scope, self.timeout_scope])
        for name, value in self.graph.start_values(request.get("variables") or {}).items():
            self.main.store.write(("var", name), Cell(value, f"${name}"))
        self.closed, self.permits, self.breakpoints = False, 0, set[str]()
        self.arrivals: list[object] = []  # who waits at the gate, in order
        self.stepping = set[object]()  # who was let pass by a step, and has not gone on yet
        self.host_events: list[list[Target]] = []
        self.host_line: Line | None = None
        self.accepting = True
        self.root_group: Group | None = None
        self.cut_off = False  # Cancelled came out at the top

    def tell(self, kind: str, path: Path, *details: Any) -> None:
        """Something observable happened (E1)."""
        self.trace.append(event(kind, path, *details))

    # --- the schedule ---

    def run(self) -> dict[str, Any]:
        """Run it all and answer."""
        failures = self.set_up()
        self.step({"do": "begin"}, lambda: failures or self.spawn(self.main, self.everything()))
        if not failures:
            while self.strands:
                self.advance()
            if self.main.failure is not None:
                failures.append(self.main.failure)
            elif self.timeout_scope.cancelled and not self.cancel_scope.cancelled:
                failures.append(Failure("timeout"))
        failures += self.tear_down()
        return self.answer(failures)

    def advance(self) -> None:
        """One step: an action, a release, or a move of time."""
        enabled = sorted(strand.wait.label for strand in self.strands if strand.wait and strand.wait.label)
        if self.actions and self.due(self.actions[0]["at"], enabled):
            self.act()
        elif enabled:
            place = 0 if len(enabled) == 1 or not self.choices else self.choices.pop(0) % len(enabled)
            chosen = enabled[place]
            self.releases += 1
            (strand,) = [each for each in self.strands if each.wait and each.wait.label == chosen]
            self.step({"do": "release", "enabled": enabled, "chosen": chosen}, lambda: self.resume(strand))
        elif (moment := self.next_moment()) is not None:
            self.now = moment
            self.step({"do": "time", "now": moment}, self.expire)
        elif self.actions:
            self.act()
        elif self.arrivals:
            self.actions.append({"at": 0, "do": "resume"})
        else:
            raise Deadlock([strand.wait for strand in self.strands])

    def due(self, at: Any, enabled: Sequence[str]) -> bool:
        """Whether an action's moment has come."""
        return at in enabled if isinstance(at, str) else self.releases >= at

    def next_moment(self) -> int | None:
        """When something is due, if anything ever is."""
        sleeping = [strand.wait.until for strand in self.strands if strand.wait]
        limits = [scope.deadline for scope in (*self.running_scopes, self.timeout_scope) if not scope.cancelled]
        return min((moment for moment in (*sleeping, *limits) if moment is not None), default=None)

    def expire(self) -> None:
        """The same moment: limits before sleepers."""
        for scope in (*self.running_scopes, self.timeout_scope):
            scope.cancelled |= scope.deadline is not None and scope.deadline <= self.now
        self.settle()
        for strand in list(self.strands):
            if strand.wait and strand.wait.until is not None and strand.wait.until <= self.now:
                self.resume(strand)

    def step(self, what: dict[str, Any], work: Callable[[], object]) -> None:
        """Do something, let everybody settle, and note what happened."""
        before = len(self.trace)
        work()
        self.settle()
        self.steps.append({**what, "events": sorted(as_text(told) for told in self.trace[before:])})

    def settle(self) -> None:
        """Cancel who must be, and resume whose condition holds, until nobody moves."""
        moved = True
        while moved:
            moved = False
            for strand in list(self.strands):
                wait = strand.wait
                if strand not in self.strands or wait is None:
                    continue
                if wait.cancellable and strand.cancelled:
                    self.resume(strand, Cancelled())
                elif wait.condition is not None and wait.condition():
                    self.resume(strand)
                else:
                    continue
                moved = True

    def resume(self, strand: Strand, thrown: BaseException | None = None) -> None:
        """Run a strand to its next wait, or to its end."""
        assert strand.steps is not None
        try:
            strand.wait = strand.steps.throw(thrown) if thrown else next(strand.steps)
        except StopIteration:
            self.strands.remove(strand)

    def spawn(self, strand: Strand, steps: Steps) -> None:
        """Start a strand: it runs to its first wait when the others have settled."""
        strand.steps = steps
        strand.wait = Wait(condition=lambda: True, cancellable=False)
        self.strands.append(strand)

    # --- the host (9) ---

    def act(self) -> None:
        """Perform the next action."""
        action = self.actions.pop(0)
        work: Callable[[], None] = getattr(self, "do_" + action["do"])
        arguments = {name: value for name, value in action.items() if name not in ("at", "do")}
        self.step({"do": "action", "action": action}, lambda: work(**arguments))

    def do_pause(self) -> None:
        self.closed = True

    def do_resume(self) -> None:
        self.closed, self.permits = False, 0
        self.arrivals.clear()

    def do_step(self, count: int) -> None:  # G2
        if self.closed:
            self.permits += count
            while self.permits and self.arrivals:
                self.permits -= 1
                self.stepping.add(self.arrivals.pop(0))

    def do_breakpoint(self, node: str) -> None:  # G3
        self.breakpoints.add(node)

    def do_cancel(self) -> None:
        self.cancel_scope.cancelled = True

    def do_publish(self, event: str, payload: Any = None) -> None:  # B1
        if not self.accepting:
            return
        self.host_events.append(self.graph.listeners(event, payload))
        if self.root_group is not None and len(self.host_events) == 1 and not self.hosting:
            self.hosting = True
            assert self.host_line is not None
            self.fork(self.root_group, self.host_line, self.handle_host_events, limited=False)

    hosting = False

    # --- the run (R1, R2) ---

    def set_up(self) -> list[Failure]:
        for node in self.graph.nodes.values():
            life = node.literals.get("life")
            if life and life[0] == "fail":
                return [Failure(f"fail: setup {node.id}")]
            if life:
                self.life.append(f"up {node.id}")
        return []

    def tear_down(self) -> list[Failure]:
        failures: list[Failure] = []
        for up in reversed(list(self.life)):
            node = up.removeprefix("up ")
            self.life.append(f"down {node}")
            if self.graph.nodes[node].literals["life"][1] == "fail":
                failures.append(Failure(f"fail: teardown {node}"))
        return failures

    def everything(self) -> Steps:
        """The first strand, from its first dispatch to its end."""
        try:
            yield from self.grouped(self.main, self.initiate)
        except Failure as failure:
            self.main.failure = failure
        except Cancelled:
            self.cut_off = True

    def initiate(self, group: Group) -> Steps:
        self.root_group = group
        lines = [Line(self.root.next()) for _ in self.graph.initiators]
        self.host_line = Line(self.root.next())
        for line, target in zip(lines, self.graph.initiators, strict=True):
            if self.options.get("parallel_initiators"):  # R2
                self.fork(group, line, lambda strand, line, target=target: self.dispatch(strand, line, [target]))
            else:
                yield from self.dispatch(self.main, line, [target])
        initiated = group.forks if self.options.get("parallel_initiators") else []
        mine = [fork for fork in initiated if fork.line is not self.host_line]
        yield Wait(condition=lambda: all(fork.ended for fork in mine))
        self.accepting = False

    def handle_host_events(self, strand: Strand, line: Line) -> Steps:
        while True:
            while self.host_events:
                yield from self.dispatch(strand, line, self.host_events[0])
                self.host_events.pop(0)
            if not self.accepting:
                return
            yield Wait(condition=lambda: bool(self.host_events) or not self.accepting)

    # --- control (T1, T2, T6, T9) ---

    def dispatch(self, strand: Strand, line: Line, targets: Sequence[Target]) -> Steps:
        pending = list(targets)
        while pending:
            target = pending.pop(0)
            yield from self.pass_gate(strand, (*line.path, line.count), target.node)
            if self.dispatches >= self.options.get("max_steps", float("inf")):
                raise Failure("steps")  # R8
            self.dispatches += 1
            if len(line.path) >= self.options.get("max_depth", 100_000):
                raise Failure("depth")  # T9
            activation = Activation(line.next(), target=target, strand=strand)
            way = yield from self.activate(activation)
            if way is not None:  # T6: on behalf of whoever dispatched this activation
                pending = [*self.graph.targets(target.node, way), *pending]

    def pass_gate(self, strand: Strand, path: Path, node: Node) -> Steps:
        yield from self.park(strand, "d", path, node)
        if node.id in self.breakpoints:
            self.closed = True  # G3
        if not self.closed:
            return
        if self.permits:
            self.permits -= 1
            return
        arrival = object()
        self.arrivals.append(arrival)
        try:
            yield Wait(condition=lambda: arrival not in self.arrivals)
            yield from self.park(strand, "g", path, node)
        except Cancelled:
            if arrival in self.arrivals:
                self.arrivals.remove(arrival)
            elif arrival in self.stepping and self.closed:
                self.do_step(1)  # the next in line takes its place
            raise
        finally:
            self.stepping.discard(arrival)

    def park(self, strand: Strand, letter: str, path: Path, node: Node) -> Steps:
        strand.check()
        yield Wait(label=f"{letter} {dotted(path)} {node.id}")

    def activate(self, activation: Activation) -> Steps:
        path, node = activation.path, activation.node
        self.tell("started", path, node.id, activation.target.entered)
        try:
            way = yield from self.body(activation)
            if way is not None:
                self.graph.targets(node, way)
        except Failure as failure:
            failure.origin = failure.origin if failure.origin is not None else path  # E2
            self.tell("failed", path, node.id, failure.origin)
            raise
        except Cancelled:
            self.tell("cancelled", path, node.id)
            raise
        self.tell("completed", path, node.id, way)
        return way

    def body(self, activation: Activation) -> Steps:
        node = activation.node
        work = lambda group: self.script(activation, group)  # noqa: E731 - the shape that `grouped` takes
        if node.sockets.has_stream and settings(node, self.options)[0]:
            way = yield from self.grouped(activation.strand, work)
        else:
            way = yield from work(None)
        if way is None and "done" in node.sockets.exec_outputs and not activation.done_fired:
            return "done"  # S5
        return way

    def script(self, activation: Activation, group: Group | None) -> Steps:
        activation.group = group
        for socket in activation.node.sockets.inputs:  # D7
            yield from self.resolve(activation, activation.node, socket)
        script = Script(lambda error: error.code if isinstance(error, Failure) else str(error))
        return (yield from self.perform(activation, script.run(activation.node.script)))

    # --- forks (F1-F5) ---

    def grouped(self, strand: Strand, work: Callable[[Group], Steps]) -> Steps:
        """Run something that owns forks: where it ends they are joined, if it fails they are cancelled."""
        if strand.groups > self.options.get("max_nesting", 128):
            raise Failure("nesting")  # F8
        scope = Scope()
        strand.scopes.append(scope)
        group = Group(strand, scope, [*strand.scopes])
        strand.groups += 1
        cancelled, result = False, None
        try:
            result = yield from work(group)
            yield from self.join(group)
        except Failure as failure:
            group.failed.append(failure)
        except Cancelled:
            cancelled = True
        group.scope.cancelled |= bool(group.failed) or cancelled
        yield Wait(condition=lambda: not group.in_flight, cancellable=False)
        strand.scopes.remove(group.scope)
        strand.groups -= 1
        if group.failed:
            raise combined(group.failed)
        if cancelled:
            raise Cancelled
        return result

    def fork(
        self, group: Group, line: Line, work: Callable[[Strand, Line], Steps], *, collected: bool = False,
        discarded: bool = False, limited: bool = True,
    ) -> None:  # fmt: skip
        owner = group.strand
        if limited and len(self.strands) >= self.options.get("max_strands", float("inf")):
            raise Failure("strands")  # R8
        strand = Strand(owner.store.fork(), [*group.scopes], owner.groups)
        fork = Fork(strand, line, collected, discarded)
        group.forks.append(fork)
        if not discarded:  # S6
            group.unjoined.append(fork)
        self.tell("forked", line.path)
        self.spawn(strand, self.forked(group, fork, work))

    def forked(self, group: Group, fork: Fork, work: Callable[[Strand, Line], Steps]) -> Steps:
        try:
            yield from work(fork.strand, fork.line)
        except Failure as failure:
            fork.strand.failure = failure
            if not fork.collected:
                group.failed.append(failure)
                group.scope.cancelled = True  # F2
        except Cancelled:
            pass
        fork.ended = True

    def join(self, group: Group) -> Steps:
        if group.in_flight:
            yield Wait(condition=lambda: not group.in_flight)
        unjoined, group.unjoined = group.unjoined, []
        for fork in unjoined:  # F3: in the order in which they were made
            path = fork.line.path
            group.strand.store.join(fork.strand.store, lambda name, path=path: self.tell("conflict", path, name))
            self.tell("joined", path)

    # --- what scripts do ---

    def perform(self, activation: Activation, effects: Effects) -> Steps:
        """Carry out the effects of a script of an exec node."""
        strand = activation.strand
        answer: Any = None
        failure: BaseException | None = None
        while True:
            try:
                effect = effects.throw(failure) if failure is not None else effects.send(answer)
            except StopIteration as stop:
                return stop.value
            answer, failure = None, None
            try:
                kind, *arguments = effect
                if kind in CANCELLATION_POINTS:
                    strand.check()
                answer = yield from getattr(self, "on_" + kind)(activation, *arguments)
            except (Failure, Cancelled) as error:
                failure = error

    def on_get(self, activation: Activation, socket: str) -> Steps:
        cell = yield from self.resolve(activation, activation.node, socket)
        return activation.node.checked(socket, cell.value)

    def on_tryget(self, activation: Activation, socket: str, otherwise: Any) -> Steps:
        cell = yield from self.find(activation, activation.node, socket)
        return otherwise if cell is UNSET else activation.node.checked(socket, cell.value)

    def on_set(self, activation: Activation, socket: str, value: Any) -> Steps:
        if socket not in activation.node.sockets.outputs:
            raise Failure("unknown-socket")
        activation.writes += 1
        origin = f"{dotted(activation.path)}/{activation.node.id}.{socket}#{activation.writes}"
        activation.strand.store.write(("out", activation.node.id, socket), Cell(value, origin))
        yield from ()

    def on_getvar(self, activation: Activation, name: str) -> Steps:
        yield from ()
        return self.variable(activation, name).value

    def on_setvar(self, activation: Activation, name: str, value: Any) -> Steps:
        value = self.graph.variable(name, value)
        activation.writes += 1
        origin = f"{dotted(activation.path)}/{activation.node.id}.${name}#{activation.writes}"
        activation.strand.store.write(("var", name), Cell(value, origin))
        yield from ()

    def on_getstate(self, activation: Activation, key: str) -> Steps:  # F6
        yield from ()
        cell = activation.strand.store.read(("state", activation.node.id, key))
        return cell.value if cell is not None else None

    def on_setstate(self, activation: Activation, key: str, value: Any) -> Steps:
        activation.strand.store.write(("state", activation.node.id, key), Cell(value, "state"))
        yield from ()

    def on_trigger(self, activation: Activation, socket: str, *values: Any) -> Steps:  # T1
        targets = self.graph.targets(activation.node, socket)
        if len(values) == 2:
            for output in values[0]:
                yield from self.on_set(activation, output, values[1])
        if socket == "done":  # F5
            yield from self.on_join(activation)
            activation.done_fired = True
        if targets:
            yield from self.dispatch(activation.strand, activation, targets)

    def on_emit(self, activation: Activation, value: Any) -> Steps:  # S2-S4
        node = activation.node
        concurrent, limit, collects = settings(node, self.options)
        targets = self.graph.targets(node, "body")
        if not concurrent:
            yield from self.on_set(activation, "item", value)
            line = Line(activation.next())
            try:
                if targets:
                    yield from self.dispatch(activation.strand, line, targets)
            except Failure:
                if not collects:
                    raise
                activation.failures += 1
            return
        group = activation.group
        assert group is not None
        if limit and group.in_flight >= limit:
            yield Wait(condition=lambda: group.in_flight < limit)
        yield from self.on_set(activation, "item", value)
        work: Callable[[Strand, Line], Steps] = lambda strand, line: self.dispatch(strand, line, targets)  # noqa: E731
        line = Line(activation.next())
        self.fork(group, line, work, collected=collects, discarded=node.sockets.discards)

    def on_join(self, activation: Activation) -> Steps:
        if activation.group is not None:
            yield from self.join(activation.group)

    def on_failures(self, activation: Activation) -> Steps:
        yield from ()
        return activation.failures + (activation.group.failures if activation.group else 0)

    def on_branches(self, activation: Activation, sockets: Sequence[str], effects: Effects) -> Steps:
        def work(group: Group) -> Steps:
            for socket in sockets:
                targets = self.graph.targets(activation.node, socket)
                self.fork(
                    group, Line(activation.next()),
                    lambda strand, line, targets=targets: self.dispatch(strand, line, targets),
                )  # fmt: skip
            return (yield from self.perform(activation, effects))

        return (yield from self.grouped(activation.strand, work))

    def on_twice(self, activation: Activation, socket: str) -> Steps:
        if self.graph.targets(activation.node, socket):
            raise Failure("concurrent-trigger")  # T7
        yield from ()

    def on_publish(self, activation: Activation, event: str, value: Any) -> Steps:  # B1
        targets = self.graph.listeners(event, value)
        if targets:
            yield from self.dispatch(activation.strand, activation, targets)

    def on_payload(self, activation: Activation) -> Steps:
        yield from ()
        return activation.target.payload

    def on_entered(self, activation: Activation) -> Steps:  # T5
        yield from ()
        return activation.target.entered

    def on_feedback(self, activation: Activation, value: Any) -> Steps:
        self.tell("feedback", activation.path, value)
        yield from ()

    def on_fail(self, activation: Activation, text: str) -> Steps:
        yield from ()
        raise Failure(f"fail: {text}")

    def on_now(self, activation: Activation) -> Steps:
        yield from ()
        return self.now

    def on_sleep(self, activation: Activation, ticks: int, node: Node | None = None) -> Steps:
        if ticks:
            yield Wait(until=self.now + ticks)
        yield from self.park(activation.strand, "w", activation.path, node or activation.node)

    def on_within(self, activation: Activation, ticks: int, effects: Effects) -> Steps:  # R5
        strand = activation.strand
        scope = Scope(deadline=self.now + ticks)
        strand.scopes.append(scope)
        self.running_scopes.append(scope)
        expired, way = False, None
        try:
            way = yield from self.perform(activation, effects)
        except Cancelled:
            expired = True
        finally:
            strand.scopes.remove(scope)
            self.running_scopes.remove(scope)
        if expired:
            strand.check()  # it was something around it that was cancelled
            yield from self.park(strand, "m", activation.path, activation.node)
        return expired, way

    # --- data (D1-D8) ---

    def variable(self, activation: Activation, name: str) -> Cell:
        cell = activation.strand.store.read(("var", name))
        if cell is None:
            raise Failure("unknown-name")
        return cell

    def resolve(self, activation: Activation, node: Node, socket: str) -> Steps:
        """The current cell of a data input (D1-D3)."""
        cell = yield from self.find(activation, node, socket)
        if cell is UNSET:
            raise Failure("missing-input")
        return cell

    def find(self, activation: Activation, node: Node, socket: str) -> Steps:
        if (node.id, socket) not in self.graph.constants:
            raise Failure("unknown-socket")
        cell: Cell | None = None
        if (node.id, socket) in self.graph.sources:
            source, output = self.graph.sources[node.id, socket]
            if source.sockets.is_exec:
                cell = activation.strand.store.read(("out", source.id, output))  # D2
            else:
                evaluation = yield from self.demand(activation, source)  # D3
                cell = evaluation.outputs.get(output)
        return cell or self.graph.constants[node.id, socket] or UNSET

    def demand(self, activation: Activation, node: Node) -> Steps:
        """The evaluation of a data node that is current for this activation (D4-D6)."""
        used: list[Cell] = []
        try:
            for socket in node.sockets.inputs:
                used.append((yield from self.resolve(activation, node, socket)))  # noqa: PERF401 - it yields
        except Failure as failure:
            failure.origin = failure.origin if failure.origin is not None else activation.path
            raise
        used += [LAZY] * len(node.sockets.lazy)
        if node.sockets.volatile:
            activation.moment = activation.moment or Cell(None, f"@{dotted(activation.path)}")
            used.append(activation.moment)
        released = False
        while True:
            known = yield from self.recall(activation, node, self.remembered.get(node.id, []), used)
            if known is not None:
                return known
            running = [each for each in self.in_progress.get(node.id, []) if same(each.used, used)]
            if running:  # D5
                leader = running[0]
                yield Wait(condition=lambda leader=leader: leader.ended)
                yield from self.park(activation.strand, "e", activation.path, node)
                if leader.failure and (yield from self.recall(activation, node, [leader], used)):
                    raise leader.failure
                released = True
            elif not released:
                yield from self.park(activation.strand, "e", activation.path, node)
                released = True
            else:
                return (yield from self.evaluate(activation, node, used))

    def recall(self, activation: Activation, node: Node, known: Sequence[Evaluation], used: list[Cell]) -> Steps:
        """D4: the one whose inputs are all still the same; what bodies asked for is asked in the same order."""
        asked: list[Cell] = []
        while True:
            begun = [each for each in known if same(each.used, used) and same(each.cells[: len(asked)], asked)]
            if not begun:
                return None
            for each in begun:
                if len(each.pulled) == len(asked):
                    return each
            try:
                asked.append((yield from self.pull(activation, node, begun[0].pulled[len(asked)][0])))
            except Failure:
                return None  # the body will see it

    def pull(self, activation: Activation, node: Node, source: tuple[str, str]) -> Steps:
        kind, name = source
        if kind == "var":
            return self.variable(activation, name)
        return (yield from self.find(activation, node, name))

    def evaluate(self, activation: Activation, node: Node, used: list[Cell]) -> Steps:
        evaluation = Evaluation(used)
        running = self.in_progress.setdefault(node.id, [])
        running.append(evaluation)
        self.tell("evaluating", activation.path, node.id)
        given: dict[str, Any] = {}
        try:
            yield from self.compute(activation, node, evaluation, given)
        except Failure as failure:
            failure.origin = failure.origin if failure.origin is not None else activation.path
            evaluation.failure = failure
            self.tell("unevaluated", activation.path, node.id)
            raise
        except Cancelled:
            self.tell("unevaluated", activation.path, node.id)
            raise
        finally:
            running.remove(evaluation)
            evaluation.ended = True
        key = key_of(node.id, (cell.origin for cell in (*used, *(cell for _, cell in evaluation.pulled))))
        evaluation.outputs = {socket: Cell(value, f"{key}.{socket}") for socket, value in given.items()}
        if FAILED not in evaluation.cells:  # D5
            self.remembered.setdefault(node.id, []).append(evaluation)
        self.tell("evaluated", activation.path, node.id, key)
        return evaluation

    def compute(self, activation: Activation, node: Node, evaluation: Evaluation, given: dict[str, Any]) -> Steps:
        """Carry out the effects of a script of a data node."""
        script = Script(lambda error: error.code if isinstance(error, Failure) else str(error))
        effects = script.run(node.script)
        answer: Any = None
        failure: BaseException | None = None
        while True:
            try:
                effect = effects.throw(failure) if failure is not None else effects.send(answer)
            except StopIteration:
                return
            answer, failure = None, None
            try:
                kind, *arguments = effect
                if kind not in DATA_EFFECTS:
                    raise Failure("data-node-effect")  # D8
                if kind in CANCELLATION_POINTS:
                    activation.strand.check()
                if kind in ("get", "tryget"):
                    answer = yield from self.ask(activation, node, evaluation, *arguments)
                elif kind == "getvar":
                    cell = self.variable(activation, arguments[0])
                    evaluation.pulled.append((("var", arguments[0]), cell))
                    answer = cell.value
                elif kind == "set":
                    if arguments[0] not in node.sockets.outputs:
                        raise Failure("unknown-socket")
                    given[arguments[0]] = arguments[1]
                elif kind == "sleep":
                    yield from self.on_sleep(activation, arguments[0], node)
                else:
                    answer = yield from getattr(self, "on_" + kind)(activation, *arguments)
            except (Failure, Cancelled) as error:
                failure = error

    def ask(self, activation: Activation, node: Node, evaluation: Evaluation, socket: str, *otherwise: Any) -> Steps:
        if socket in node.sockets.inputs:
            cell: Cell = evaluation.used[node.sockets.inputs.index(socket)]
        else:
            try:
                cell = yield from self.find(activation, node, socket)
            except Failure:
                evaluation.pulled.append((("input", socket), FAILED))
                raise
            evaluation.pulled.append((("input", socket), cell))
        if cell is UNSET:
            if otherwise:
                return otherwise[0]
            raise Failure("missing-input")
        return node.checked(socket, cell.value)

    # --- the answer (6) ---

    def answer(self, failures: list[Failure]) -> dict[str, Any]:
        cut_off = self.cut_off or self.cancel_scope.cancelled
        status = "failed" if failures else "cancelled" if cut_off else "completed"
        outputs: dict[str, dict[str, Any]] = {}
        variables: dict[str, Any] = {}
        if status == "completed":
            for node, socket, value in self.main.store.outputs():
                outputs.setdefault(node, {})[socket] = value
            for name in self.graph.variables:
                cell = self.main.store.read(("var", name))
                variables[name] = cell.value if cell else None
        summary = canonical(self.trace)
        return {
            "status": status,
            "errors": sorted({code for failure in failures for code in failure.codes}),
            "problems": [],
            "variables": variables,
            "outputs": outputs,
            "feedback": summary["feedback"],
            "life": self.life,
            "trace": self.trace,
            "canonical": summary,
            "steps": self.steps,
        }


def same(left: Sequence[Cell], right: Sequence[Cell]) -> bool:
    """Whether these are the same cells, that is, the same versions."""
    return len(left) == len(right) and all(a is b for a, b in zip(left, right, strict=True))


def combined(failures: list[Failure]) -> Failure:
    """Several failures as one, the same one only once (R4, D5); it arose where the first did (E2)."""
    unique = list({id(failure): failure for failure in failures}.values())
    if len(unique) == 1:
        return unique[0]
    several = Failure(*(code for failure in unique for code in failure.codes))
    several.origin = unique[0].origin
    return several


def small_step(request: Mapping[str, Any]) -> dict[str, Any]:
    """Run a request of spec/INTERPRETING.md, 1, under its schedule; gives all fields of a result.

    The graph must be valid. Raises `Deadlock`, which no request can bring about.
    """
    return Machine(request).run()
