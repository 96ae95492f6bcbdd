"""How control moves: dispatches, activations, forks, and what scripts do (T1-T9, F1-F8, S1-S6, B1)."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from math import inf
from typing import Any

import attrs

from trioflow.contract.trace import dotted
from trioflow.reference.demand import Body, Question, find, resolve
from trioflow.reference.graph import Cell, Failure, Target
from trioflow.reference.strands import Cancelled, Line, Run, Scope, Steps, Strand, Wait
from trioflow.reference.workflow import rounds


def dispatch(run: Run, targets: Sequence[Target], strand: Strand, line: Line) -> Steps:
    """Dispatch targets on a line, with all that they hand over to (spec/rules/trigger.md)."""
    pending = deque(targets)
    while pending:
        target = pending.popleft()
        activation = Activation(
            run, strand, (*line.path, line.count), target.node, target, Line((*line.path, line.count))
        )
        way = yield activation.admitted(line)
        if way is not None:  # T6: on behalf of whoever dispatched this activation
            pending.extendleft(reversed(run.graph.targets(target.node, way)))


@attrs.define(eq=False)
class Group:
    """The forks of one owner (F2): an activation, or the run, whose line is the root."""

    run: Run
    owner: Line
    strand: Strand
    collects: bool = False
    discards: bool = False
    scope: Scope = attrs.field(init=False, factory=Scope)
    forks: list[Strand] = attrs.field(init=False, factory=list[Strand])
    joined: int = attrs.field(init=False, default=0)
    first: Failure | None = attrs.field(init=False, default=None)  # because of which the others were cancelled (E2)

    def like_it(self) -> Group:
        """Another of the same owner, whose forks collect their failures."""
        return Group(self.run, self.owner, self.strand, collects=True, discards=True)

    @property
    def in_flight(self) -> int:
        """How many have not ended."""
        return sum(not fork.ended for fork in self.forks)

    def hold(self, work: Steps) -> Steps:
        """Do the owner's work: where it ends the forks are joined, if it fails they are cancelled (F2)."""
        strand, outer, result = self.strand, self.strand.scope, None
        failed: list[Failure] = []
        if strand.groups > self.run.options.get("max_nesting", 128):  # that of the run is not counted
            raise Failure("nesting")  # F8
        self.scope.outer, strand.scope = outer, self.scope
        strand.groups += 1
        try:
            result = yield work
            yield self.join()
        except Failure as failure:
            failed.append(failure)
            self.strike(failure)
        except Cancelled:
            self.scope.struck = True
        yield Wait(ready=lambda: not self.in_flight, cancellable=False)
        strand.scope = outer
        strand.groups -= 1
        failed += [fork.failure for fork in self.forks if fork.failure and not self.collects]
        if failed:
            if self.forks[self.joined :]:  # a join that fails waited for all of them, and so cuts nothing off
                self.run.depends("what a failure cuts off")
            codes = {code for failure in failed for code in failure.codes}
            raise Failure(*codes, origin=(self.first or failed[0]).origin)  # R4, E2: several as one, one as itself
        if self.scope.struck:
            raise Cancelled
        return result

    def fork(self, targets: Sequence[Target], line: Line | None = None, *, limited: bool = True) -> Strand:
        """Fork a strand that dispatches targets (F1); if it has none, it has ended at once.

        Its line takes the owner's next index (T8), if none is given.
        """
        run = self.run
        if limited and (most := run.options.get("max_strands")) is not None:
            run.depends("how many strands are alive")
            if sum(strand.counts and not strand.ended for strand in run.strands) >= most:
                raise Failure("strands")  # R8
        around = self.strand.groups if self.owner.path else 1  # F8: around forks of the run is only the run's own group
        fork = Strand(self.strand.store.fork(), self.scope, line or Line(self.owner.next()), around)
        fork.scope_of_firing = self.strand.scope_of_firing
        self.forks.append(fork)
        run.forked = True
        run.tell("forked", fork.line.path)
        if targets:
            run.spawn(fork, self.forked(dispatch(run, targets, fork, fork.line)))
        return fork

    def forked(self, work: Steps) -> Steps:
        """What a fork does."""
        try:
            yield work
        except Failure as failure:
            if not self.collects:
                self.strike(failure)
            raise

    def strike(self, failure: Failure) -> None:
        """One has failed: the others are cancelled (F2)."""
        if not self.scope.cancelled:
            self.first = failure
        self.scope.struck = True

    def join(self) -> Steps:
        """Wait for all forks, and merge those that were not merged before (F5), unless they are discarded (S6)."""
        self.strand.check()  # a cancellation point, also if there is nothing to wait for
        if self.in_flight:
            yield Wait(ready=lambda: not self.in_flight)
        forks, self.joined = self.forks[self.joined :], len(self.forks)
        for fork in forks if not self.discards else ():  # F3: in the order in which they were made
            for name in self.strand.store.join(fork.store):
                self.run.tell("conflict", fork.line.path, name)
            self.run.tell("joined", fork.line.path)


@attrs.define(eq=False, slots=False)
class Activation(Body):
    """One execution of an exec node (T3)."""

    target: Target
    line: Line
    """That of what it triggers and forks: it has the activation's path."""
    moment: Cell = attrs.field(init=False)
    """What volatile nodes that it demands now depend on (D6)."""
    returns: int = 0
    group: Group | None = None
    writes: int = 0
    failures: int = 0
    done_fired: bool = False
    begun: bool = False
    decide: Callable[[str | None], None] = lambda _: None
    """What is decided while it is still open, once its body has returned: in a workflow, which wires are taken (W3)."""

    def __attrs_post_init__(self) -> None:
        self.moment = Cell(None, f"@{dotted(self.path)}")

    @contextmanager
    def away(self) -> Generator[None, None, None]:
        """An operation after which a new moment begins, however it ends (D6)."""
        try:
            yield
        finally:
            self.returns += 1
            self.moment = Cell(None, f"@{dotted(self.path)}#{self.returns}")

    def admitted(self, line: Line | None = None) -> Steps:
        """It passes what every dispatch passes (T2), and lives. On a line it takes the next index."""
        run = self.run
        yield run.gate.admit(self.strand, self.path, self.target)
        if run.dispatches >= run.options.get("max_steps", inf):
            if run.forked:
                run.depends("who makes the last step")
            run.exhausted.struck = True  # R8
            raise Cancelled
        run.dispatches += 1
        if len(self.path) > run.options.get("max_depth", 100_000):
            raise Failure("depth")  # T9
        if line is not None:
            line.next()
        return (yield self.live())

    def live(self) -> Steps:
        """It starts and closes, once (E1)."""
        run, path, node = self.run, self.path, self.node
        self.begun = True
        run.tell("started", path, node.id, self.target.entered)
        try:
            way = yield self.body()
            if way is not None:
                run.graph.targets(node, way)  # T4
            self.decide(way)
        except Failure as failure:
            failure.origin = failure.origin or path  # E2
            run.tell("failed", path, node.id, failure.origin)
            raise
        except Cancelled:
            run.tell("cancelled", path, node.id)
            raise
        run.tell("completed", path, node.id, way)
        return way

    def body(self) -> Steps:
        """What it does, with all its forks joined; gives the exec output that it hands over to (T6)."""
        if self.target.begin is not None:
            return (yield rounds(self, Group(self.run, self.line, self.strand, discards=True)))  # W13
        work = self.script()
        node, stream = self.node, self.node.stream
        if "item" in node.sockets.outputs and stream.get("mode") == "concurrent":  # S2
            collects = stream.get("on_error") == "collect"
            self.group = Group(self.run, self.line, self.strand, collects, node.sockets.discards)
            work = self.group.hold(work)
        way = yield work
        if way is None and "done" in node.sockets.exec_outputs and not self.done_fired:
            return "done"  # S5
        return way

    def script(self) -> Steps:
        """Its eager inputs (D7), then its script."""
        yield resolve(self, self.node)
        return (yield self.perform())

    def write(self, kind: str, name: str, origin: str, value: Any) -> None:
        """Write a new cell (D9, spec/INTERPRETING.md, 7)."""
        self.writes += 1
        key = (kind, self.node.id, name) if kind == "out" else (kind, name)
        self.strand.store.write(key, Cell(value, f"{dotted(self.path)}/{self.node.id}.{origin}#{self.writes}"))

    def ask(self, question: Question) -> Steps:
        return find(self, self.node, question)

    def on_set(self, socket: str, value: Any) -> None:
        if socket not in self.node.sockets.outputs:
            raise Failure("unknown-socket")  # T4
        self.write("out", socket, socket, value)

    def on_setvar(self, name: str, value: Any) -> None:
        self.write("var", name, f"${name}", self.run.graph.variable(name, value))

    def on_getstate(self, key: str) -> Any:  # F6
        cell = self.strand.store.read(("state", self.node.id, key))
        return cell.value if cell is not None else None

    def on_setstate(self, key: str, value: Any) -> None:  # F6
        self.strand.store.write(("state", self.node.id, key), Cell(value, "state"))

    def on_trigger(self, socket: str, *given: Any) -> Steps:  # T1
        *outputs, value = given
        targets = self.run.graph.targets(self.node, socket)
        if not set().union(*outputs) <= set(self.node.sockets.outputs):
            raise Failure("unknown-socket")  # T4: nothing is written then
        with self.away():
            for output in outputs[0] if outputs else ():
                self.on_set(output, value)
            if socket == "done":  # S5
                yield self.on_join()
                self.done_fired = True
            yield dispatch(self.run, targets, self.strand, self.line)

    def on_emit(self, value: Any) -> Steps:  # S2
        targets = self.run.graph.targets(self.node, "body")
        with self.away():
            yield self.emit(value, targets)

    def emit(self, value: Any, targets: Sequence[Target]) -> Steps:
        run, group, stream = self.run, self.group, self.node.stream
        limit = stream.get("limit") or inf
        if group is not None:
            if group.in_flight >= limit:  # S3
                yield Wait(ready=lambda: group.in_flight < limit)
            self.on_set("item", value)
            group.fork(targets)
            return
        self.on_set("item", value)
        try:
            yield dispatch(run, targets, self.strand, Line(self.line.next()))
        except Failure:
            if stream.get("on_error") != "collect":
                raise
            self.failures += 1  # S4

    def on_join(self) -> Steps:  # F5
        if self.group is not None:
            yield self.group.join()

    def on_failures(self) -> int:  # S4
        forks = self.group.forks if self.group and self.group.collects else []
        if self.group and self.group.joined < len(forks):
            self.run.depends("how many items have failed so far")
        return self.failures + sum(fork.failure is not None for fork in forks)

    def on_branches(self, sockets: Sequence[str], inner: Steps) -> Steps:
        ways = [self.run.graph.targets(self.node, socket) for socket in sockets]  # T4: all are there, or none forks
        group = Group(self.run, self.line, self.strand)

        def work() -> Steps:
            for targets in ways:
                group.fork(targets)
            return (yield inner)

        with self.away():
            return (yield group.hold(work()))

    def on_twice(self, socket: str) -> None:
        targets = self.run.graph.targets(self.node, socket)
        with self.away():  # the first
            if targets:
                raise Failure("concurrent-trigger")  # T7
        with self.away():  # the second
            pass

    def on_publish(self, event: str, value: Any) -> Steps:  # B1
        listeners = self.run.graph.listeners(event, value)
        with self.away():
            yield dispatch(self.run, listeners, self.strand, self.line)

    def on_payload(self) -> Any:
        return self.target.payload

    def on_entered(self) -> str | None:  # T5
        return self.target.entered

    def on_feedback(self, value: Any) -> None:
        self.run.tell("feedback", self.path, value)

    def on_within(self, ticks: int, inner: Steps) -> Steps:  # R5
        run, strand = self.run, self.strand
        run.depends("what a time limit cuts off")
        outer = strand.scope
        scope = strand.scope = Scope(outer, run.now + ticks)
        run.limits.append(scope)
        expired, way = False, None
        try:
            way = yield inner
        except Cancelled:
            expired = True
        finally:
            strand.scope = outer
            run.limits.remove(scope)
        if expired:  # unless it was something around it that was cancelled
            yield strand.park("m", self.path, self.node)
        return expired, way
