"""How control moves: dispatch, gate, activations, forks, and what scripts do (T1-T9, F1-F8, S1-S6, G1-G3)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from trioflow.reference.demand import Demands
from trioflow.reference.graph import UNSET, Cell, Failure, Node, Path, Target, dotted, settings
from trioflow.reference.script import CANCELLATION_POINTS, Effects, Script
from trioflow.reference.strands import Activation, Cancelled, Fork, Group, Line, Scope, Steps, Strand, Wait, combined


class Control(Demands):
    """How strands go on."""

    def dispatch(self, targets: Sequence[Target], strand: Strand, line: Line) -> Steps:
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
        if node.sockets.has_stream and settings(node, self.options)[0]:
            way = yield from self.grouped(activation.strand, partial(self.script, activation))
        else:
            way = yield from self.script(activation, None)
        if way is None and "done" in node.sockets.exec_outputs and not activation.done_fired:
            return "done"  # S5
        return way

    def script(self, activation: Activation, group: Group | None) -> Steps:
        activation.group = group
        for socket in activation.node.sockets.inputs:  # D7
            yield from self.resolve(activation, activation.node, socket)
        script = Script(lambda error: error.code if isinstance(error, Failure) else str(error))
        return (yield from self.perform(activation, script.run(activation.node.script)))

    # --- the gate ---

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
            elif arrival in self.stepping:
                self.do_step(1)  # the next in line takes its place
            raise
        finally:
            self.stepping.discard(arrival)

    def do_pause(self) -> None:
        self.closed = True

    def do_resume(self) -> None:
        self.closed, self.permits = False, 0
        self.arrivals.clear()
        self.stepping.clear()  # their permits are void, too

    def do_step(self, count: int) -> None:  # G2
        if self.closed:
            self.permits += count
            while self.permits and self.arrivals:
                self.permits -= 1
                self.stepping.add(self.arrivals.pop(0))

    def do_breakpoint(self, node: str) -> None:  # G3
        self.breakpoints.add(node)

    # --- forks ---

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
        self, group: Group, owner: Line, work: Callable[[Strand, Line], Steps] | None, *, line: Line | None = None,
        collected: bool = False, discarded: bool = False, limited: bool = True,
    ) -> None:  # fmt: skip
        """Start a strand, on a line of its own which takes an index of the owner's if it is not given (T8).

        One that has nothing to do has ended at once.
        """
        if limited and len(self.strands) >= self.options.get("max_strands", float("inf")):
            raise Failure("strands")  # R8
        strand = Strand(group.strand.store.fork(), [*group.scopes], group.strand.groups)
        fork = Fork(strand, line or Line(owner.next()), collected, discarded)
        group.forks.append(fork)
        if not discarded:  # S6
            group.unjoined.append(fork)
        self.tell("forked", fork.line.path)
        fork.ended = work is None
        if work is not None:
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
            group.strand.store.join(fork.strand.store, partial(self.tell, "conflict", path))
            self.tell("joined", path)

    def spawn(self, strand: Strand, steps: Steps) -> None:
        """Start a strand: it runs to its first wait when the others have settled."""
        strand.steps = steps
        strand.wait = Wait(condition=lambda: True, cancellable=False)
        self.strands.append(strand)

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
        return activation.node.checked(socket, cell)

    def on_tryget(self, activation: Activation, socket: str, otherwise: Any) -> Steps:
        cell = yield from self.find(activation, activation.node, socket)
        return otherwise if cell is UNSET else activation.node.checked(socket, cell)

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
            if not set(values[0]) <= set(activation.node.sockets.outputs):
                raise Failure("unknown-socket")  # T4: nothing is written then
            for output in values[0]:
                yield from self.on_set(activation, output, values[1])
        if socket == "done":  # F5
            yield from self.on_join(activation)
            activation.done_fired = True
        if targets:
            yield from self.dispatch(targets, activation.strand, activation)

    def on_emit(self, activation: Activation, value: Any) -> Steps:  # S2-S4
        node = activation.node
        concurrent, limit, collects = settings(node, self.options)
        targets = self.graph.targets(node, "body")
        if not concurrent:
            yield from self.on_set(activation, "item", value)
            line = Line(activation.next())
            try:
                if targets:
                    yield from self.dispatch(targets, activation.strand, line)
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
        work = partial(self.dispatch, targets)
        self.fork(group, activation, work if targets else None, collected=collects, discarded=node.sockets.discards)

    def on_join(self, activation: Activation) -> Steps:
        if activation.group is not None:
            yield from self.join(activation.group)

    def on_failures(self, activation: Activation) -> Steps:
        yield from ()
        return activation.failures + (activation.group.failures if activation.group else 0)

    def on_branches(self, activation: Activation, sockets: Sequence[str], effects: Effects) -> Steps:
        ways = [self.graph.targets(activation.node, socket) for socket in sockets]  # T4: all are there, or none forks

        def work(group: Group) -> Steps:
            for targets in ways:
                self.fork(group, activation, partial(self.dispatch, targets) if targets else None)
            return (yield from self.perform(activation, effects))

        return (yield from self.grouped(activation.strand, work))

    def on_twice(self, activation: Activation, socket: str) -> Steps:
        if self.graph.targets(activation.node, socket):
            raise Failure("concurrent-trigger")  # T7
        yield from ()

    def on_publish(self, activation: Activation, event: str, value: Any) -> Steps:  # B1
        targets = self.graph.listeners(event, value)
        if targets:
            yield from self.dispatch(targets, activation.strand, activation)

    def on_payload(self, activation: Activation) -> Steps:
        yield from ()
        return activation.target.payload

    def on_entered(self, activation: Activation) -> Steps:  # T5
        yield from ()
        return activation.target.entered

    def on_feedback(self, activation: Activation, value: Any) -> Steps:
        self.tell("feedback", activation.path, value)
        yield from ()

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
