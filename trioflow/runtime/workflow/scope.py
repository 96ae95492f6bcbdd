"""A scope of a workflow while it runs: the shell that starts strands for firings and waits (W9-W14).

The machine says which firings may start. A strand goes on from firing to firing as long as each gets the only token of
the one before (W11); where it ends, the strand itself tells the machine and starts what may start now, so that firings
that never wait share a task as items of a stream do. The owner only waits for the end.
"""

from __future__ import annotations

from collections.abc import Coroutine
from contextvars import copy_context
from functools import partial
from typing import Any

import trio

from trioflow.errors import CoercionError, ExpressionFailed, JoinUnmet, LimitExceeded, MergeError
from trioflow.runtime.base.failure import is_cancellation
from trioflow.runtime.base.records import Activation, Line, Strand
from trioflow.runtime.base.task import HotTask
from trioflow.runtime.base.turns import rouse, wait_for
from trioflow.runtime.strands.forks import ForkSet, OpenForks, StrandFork
from trioflow.runtime.workflow.firing import FiringLine, fire, firing_around
from trioflow.runtime.workflow.undo import Undoable, undo_cancelled, undo_failed
from trioflow.semantics.coercion import Mismatch
from trioflow.semantics.events import Event, JoinSkipped, LimitReached, MergeConflict, StrandJoined, Told, WiresChosen
from trioflow.semantics.history import History, OrderedFork, Past
from trioflow.semantics.join import Conflict
from trioflow.semantics.plan import Met, Opening, Target
from trioflow.semantics.store import Store
from trioflow.semantics.workflow.gates import machine_of
from trioflow.semantics.workflow.machine import Firing, Skipped, Standing
from trioflow.semantics.workflow.net import NetNode, Region, Way, Wire

_FEW = 64
"""So many strands may have ended before it is worth while to look which of them can be forgotten."""


async def opened(activation: Activation) -> None:
    """The body of what opens a scope: it ends when nothing is alive in it any more (W13, W14)."""
    target = activation._target
    begin = target.begin if isinstance(target, Opening) else activation.plan.begin
    assert begin is not None
    scope = ScopeRun(activation, begin())
    try:
        async with OpenForks(activation, activation.strand, activation.plan.id) as forks:
            if activation.is_kept:
                await activation.in_scope(scope, forks)
            else:
                await scope.run(forks)
        scope.raise_failures()
    except Exception as error:
        if scope.undoable:
            await undo_failed(activation, scope.undoable, error)  # W17
        raise
    except BaseException as error:
        if is_cancellation(error) and scope.undoable and not scope.hand_on():
            await undo_cancelled(activation, scope.undoable)  # W22
        raise
    scope.hand_on()


class ScopeRun:
    """One scope. `on_error` and the limits are those of the workflow (W12, W16)."""

    def __init__(self, activation: Activation, region: Region) -> None:
        strand = activation.strand
        self.activation = activation
        self._payload = activation._target.payload
        self._owner = strand
        self._run = strand.run
        self.frame = strand.frame
        self._plan = strand.frame.plan
        self._wired = self._plan.wired
        self._drops = self._plan.drops
        self._region = region
        self._machine = machine_of(region)
        self.history = History(strand.store, self._tell_conflict)
        self._enough = _FEW
        self._collects = region.net.graph.on_error == "collect"
        # Failures that no wire took, by the keys of the firings.
        self._failures: list[tuple[tuple[int, ...], Exception]] = []
        # Because of which no strand could be started.
        self._failure: MergeError | None = None
        # Strands that wait until the firing with which they go on may start.
        self._waiting: dict[Firing, trio.Event] = {}
        # By the firing with which they began, where any may be cancelled (W8).
        self._strands: dict[Firing, StrandFork] = {}
        self._may_cancel = region.net.may_cancel
        # What is to be undone if it fails (W17); and of that, by its number, what was done in the scopes of a firing.
        self.undoable: list[Undoable] = []
        self.inside: dict[tuple[int, ...], list[Undoable]] = {}
        # Firings begin with the context variables of the owner, not with those of whoever ended last.
        self._context = copy_context()
        self._forks: ForkSet

    async def run(self, forks: ForkSet, begins_at: Standing | None = None, past: Past | None = None) -> None:
        """Run it to its end, and let the owner find what it left (W9); or begin where it stood, after a past."""
        self._forks = forks
        machine = self._machine
        opening = self._region.opening
        if begins_at is not None:
            machine.begin_at(begins_at, past)
        elif opening is not None:
            machine.open_with(self._taken(opening, self._owner, None))
        self._start()
        await forks.wait_until(lambda: not machine.alive or self._failure is not None)
        if self._failure is not None:
            raise self._failure
        self.history.join()

    def standing(self, line: FiringLine) -> tuple[Standing, Store] | None:
        """Where it is, with all that was written so far, if the firing on this line has only begun and is alone."""
        store = None if self._failures or self._failure is not None else self.history.alone()
        if store is None:
            return None
        standing = None if line.firing is None else self._machine.standing(line.firing)
        return None if standing is None else (standing, store)

    def raise_failures(self) -> None:
        """W12: one failure that was collected as it is, several as a group, in canonical order."""
        failures = [error for _, error in sorted(self._failures, key=lambda each: each[0])]
        self._failures = []
        if len(failures) == 1:
            raise failures[0]
        if failures:
            raise ExceptionGroup(f"{len(failures)} firings failed in {self.activation.where.short}", failures)

    def hand_on(self) -> bool:
        """What was done here may still have to be undone, with the scope around it, if there is one (W17)."""
        line = firing_around(self.activation) if self.undoable else None
        if line is None:
            return False
        line.scope.undoable += self.undoable
        line.scope.inside.setdefault(line.numbers, []).extend(self.undoable)
        return True

    def has_to_undo(self, path: tuple[int, ...]) -> bool:
        """Whether something that was done below this path may still have to be undone (W17)."""
        return any(not each.begun and each.path[: len(path)] == path for each in self.undoable)

    # --- starting ---

    def _start(self, mine: Firing | None = None) -> bool:
        """Start all that may start now. Returns whether the firing with which the caller's strand goes on is one."""
        machine = self._machine
        found = False
        while (firing := machine.take()) is not None:
            if firing is mine:
                found = True
            elif firing.goes_on:
                rouse(self._run, self._waiting.pop(firing))
            elif firing.cancelled:
                machine.end(firing)
            else:
                self._fork(firing)
        while machine.cancelled:
            self._strands[machine.cancelled.pop().home].cancel()
        while machine.skipped:
            self._tell_skipped(machine.skipped.pop(0))
        return found

    def _fork(self, firing: Firing) -> None:
        """W9: a strand that comes after those of its tokens."""
        after = [source.home.past for _, source in firing.tokens if source.home.past is not None]
        try:
            fork = self.history.fork(firing.numbers, after)
        except MergeError as error:
            self._failure = self._failure or error
            self._machine.end(firing)
            return
        if self._drops:
            self._let_go(fork.store, firing)
        line = FiringLine(self.activation, firing.numbers, self, firing)
        work = partial(self._begin, firing, fork)
        strand = self._forks.start(
            work, discard=True, line=line, cancellable=self._may_cancel, store=fork.store, context=self._context
        )
        if self._may_cancel:
            self._strands[firing] = strand

    def _let_go(self, store: Store, firing: Firing) -> None:
        """W20: what nothing needs that can still fire."""
        for wire, _ in firing.tokens:
            for slot in self._drops.get(wire.place, ()):
                store.drop(slot)

    # --- one strand ---

    def _begin(
        self, firing: Firing, fork: OrderedFork, strand: Strand, line: Any, task: HotTask
    ) -> Coroutine[Any, Any, None]:
        strand.resume(task)
        return self._go(firing, fork, strand, line)

    async def _go(  # noqa: C901 - a firing costs little only if all is in one place
        self, firing: Firing, fork: OrderedFork, strand: Strand, line: FiringLine
    ) -> None:
        """From firing to firing, as long as each gets the only token of the one before (W11)."""
        machine, complete = self._machine, self._complete
        begin = line
        while True:
            if firing.cancelled:  # while it waited
                self._leave_out(firing, fork)
                return
            try:
                if firing.ghost is None:
                    taken = await fire(strand, line, self._target(firing), complete, firing)
                else:
                    taken = self._without_body(firing, strand)
            except Exception as error:
                taken = self._failed(firing, error, strand)  # W3, W12
            except BaseException as error:
                if firing.cancelled and is_cancellation(error):  # a group, if the body had tasks of its own
                    self._leave_out(firing, fork)
                raise
            if firing.cancelled:  # but it did not care
                self._leave_out(firing, fork)
                return
            if self.inside:
                firing.undoable += tuple(self.inside.pop(firing.numbers, ()))
            following = machine.end(firing, taken)
            if following is None:
                self._end(firing, fork, strand, begin)
                return
            if machine.has_news and not self._start(following) and machine.queues:
                await self._wait(following, strand)
            firing = following
            if self._drops:
                self._let_go(strand.store, firing)
            line = FiringLine(self.activation, firing.numbers, self, firing)

    async def _wait(self, firing: Firing, strand: Strand) -> None:
        """W11: until it may go on; it keeps its strand, and has given up its place."""
        event = self._waiting[firing] = trio.Event()
        await wait_for(self._run, strand, event)

    def _end(self, firing: Firing, fork: OrderedFork, strand: Strand, line: Line) -> None:
        """A strand has ended: others may come after it (W9)."""
        firing.home.past = fork.end()
        if self._may_cancel:
            self._strands.pop(firing.home, None)
        if self._run.observed is not None:
            self._tell(StrandJoined(), line, strand.number)
        if self._machine.has_news:
            self._start()
        if self.history.kept > self._enough:
            self._forget()

    def _leave_out(self, firing: Firing, fork: OrderedFork) -> None:
        fork.leave_out()
        self._machine.end(firing)
        self._start()

    def _forget(self) -> None:
        """What all that can still start comes after needs not be remembered strand by strand."""
        pasts = [None if source is None else source.home.past for source in self._machine.waiting()]
        if None not in pasts:
            self.history.forget(past for past in pasts if past is not None)
        self._enough = 2 * self.history.kept + _FEW

    # --- one firing ---

    def _target(self, firing: Firing) -> Target:
        """Where its tokens have led."""
        tokens = firing.tokens
        if len(tokens) == 1:
            return self._wired[tokens[0][0].place]
        if tokens:
            return Met([self._wired[wire.place] for wire, _ in tokens])
        return Target(self._plan.nodes[firing.node], None, self._payload)

    def _complete(self, firing: Firing, strand: Strand, exit_: str | None) -> tuple[Wire, ...]:
        """Its body has returned this exec output: the wires that are taken."""
        net = firing.net
        if firing.node in self._plan.sets:
            self._set(firing, strand)
        way = net.way(exit_)
        taken = () if way is None else way.always or self._taken(way, strand, firing)
        if net.undo is not None:  # W17
            firing.undoable = self._note(net, firing.numbers, strand, firing.undoable)
        return taken

    def _note(
        self, net: NetNode, numbers: tuple[int, ...], strand: Strand, before: tuple[Undoable, ...]
    ) -> tuple[Undoable, ...]:
        """What a firing did can be undone (W17): with that, and what was done `before`."""
        assert net.undo is not None
        path = (*self.activation.where.as_tuple(), *numbers)
        done = Undoable(path, net.id, net.undo, strand.store.fork(), before)
        self.undoable.append(done)
        return (done,)

    def broke_off(self, line: FiringLine, strand: Strand) -> None:
        """A body has begun, and not completed: that may have to be undone, too (W21)."""
        firing = line.firing
        assert firing is not None, "a line with a scope has a firing"
        if firing.net.undo is not None and firing.net.undo_begun:
            firing.undoable = self._note(firing.net, firing.numbers, strand, firing.undoable)

    def _without_body(self, firing: Firing, strand: Strand) -> tuple[Wire, ...]:
        """A firing whose body is not run: no turn is left (W15), or its join was not met (W7)."""
        if firing.ghost == "unmet":
            raise self._unmet(firing)
        net = firing.net
        taken = () if net.exhausted is None else self._taken(net.exhausted, strand, firing)
        if not taken:
            self._run.tell(LimitReached, self.activation, net.id, "turns", net.most)
            raise LimitExceeded(
                f"Node {net.id!r} has had the {net.most} turns that it may have in a circle. Wire what is to happen "
                "then (`on: exhausted`), let a condition end the circle sooner, or raise `most`.",
                limit="turns",
                value=net.most,
            )
        return taken

    def _unmet(self, firing: Firing) -> JoinUnmet:
        net = firing.net
        came = dict.fromkeys(wire for wire, _ in firing.tokens)
        missing = ", ".join(str(wire) for wire in net.into if wire not in came)
        return JoinUnmet(
            f"Node {net.id!r} needs tokens over {net.min} of its {len(net.into)} wires, and they came over "
            f"{len(came)}: {', '.join(map(str, came))}. Nothing can come any more over {missing}. Lower `min`, take "
            "the other wires too, or let the node be skipped (`unmet: skip`)."
        )

    def _taken(
        self, way: Way, strand: Strand, firing: Firing | None, error: Exception | None = None
    ) -> tuple[Wire, ...]:
        """W3."""
        conditions, cells = self._plan.conditions, strand.store.cells

        def holds(wire: Wire) -> bool:
            try:
                return conditions[wire.place].holds(cells, firing, error)
            except ExpressionFailed as failed:
                raise ExpressionFailed(f"{wire}: {failed}") from None

        taken = way.taken(holds)
        if way.conditional and self._run.observed is not None:
            self._tell_chosen(way, taken, firing)
        return taken

    def _set(self, firing: Firing, strand: Strand) -> None:
        """The variables that its node sets when it has completed, before wires are looked at."""
        plan, cells = self._plan, strand.store.cells
        values = [(slot, bound.value(cells, firing, None)) for slot, bound in plan.sets[firing.node]]
        for slot, value in values:
            coercer = plan.variable_coercers[slot]
            try:
                strand.store.write(slot, value if coercer is None or value is None else coercer(value))
            except Mismatch as error:
                raise CoercionError(f"Variable {plan.variables[slot].name!r}: {error}.") from None

    def _failed(self, firing: Firing, error: Exception, strand: Strand) -> tuple[Wire, ...]:
        """W12: the wires that a failure takes. Without any it ends the scope, or is collected."""
        if firing.ghost == "exhausted":
            self._not_taken(firing, error)
            return ()
        planned = self._plan.nodes[firing.node]
        if planned.error_slot >= 0:
            strand.store.write(planned.error_slot, error)
        way = firing.net.failed
        taken: tuple[Wire, ...] = ()
        try:
            taken = () if way is None else self._taken(way, strand, firing, error)
        except Exception as other:
            self._not_taken(firing, other)
            return ()
        if not taken:
            self._not_taken(firing, error)
        return taken

    def _not_taken(self, firing: Firing, error: Exception) -> None:
        if not self._collects:
            raise error
        self._failures.append((firing.numbers, error))

    # --- telling ---

    def _tell(self, event: Event, line: Line, strand: int | None) -> None:
        run = self._run
        if run.observed is not None:
            run.observed.tell(
                event, Told(run.id, self._owner.frame.prefix, strand), line.where, self.activation.plan.id
            )

    def _tell_conflict(self, order: tuple[int, ...], conflict: Conflict) -> None:
        if self._run.observed is not None:
            line = FiringLine(self.activation, order) if order else self.activation
            self._tell(MergeConflict(conflict.variable, conflict.kept, conflict.lost), line, None)

    def _tell_chosen(self, way: Way, taken: tuple[Wire, ...], firing: Firing | None) -> None:
        if firing is not None:
            names = [tuple(map(str, taken)), tuple(str(wire) for wire in way.wires if wire not in taken)]
            line = FiringLine(self.activation, firing.numbers)
            self._run.tell(WiresChosen, line, firing.net.id, *names)

    def _tell_skipped(self, skipped: Skipped) -> None:
        came, missing = (tuple(map(str, wires)) for wires in (skipped.came, skipped.missing))
        self._run.tell(JoinSkipped, self.activation, skipped.node.id, came, missing)
