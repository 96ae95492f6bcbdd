"""The small-step form: one strand moves at a time, in the order that a schedule says (spec/INTERPRETING.md, 8 and 9).

A strand is a generator that yields what it waits for. At every quiescent point the labels of the parked strands are the
*enabled set*; time is an integer that moves only when nothing else can.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

from trioflow.reference.control import Control
from trioflow.reference.graph import Failure, as_text, canonical
from trioflow.reference.strands import Cancelled, Group, Line, Steps, Strand, Wait


class Deadlock(Exception):
    """No strand can go on, nothing is due, and the run has not ended."""


class Machine(Control):
    """A run under a schedule."""

    def run(self) -> dict[str, Any]:
        """Run it all and answer."""
        failures = self.set_up()
        self.step({"do": "begin"}, partial(self.begin, failures))
        if not failures:
            while self.strands:
                self.advance()
            if self.main.failure is not None:
                failures.append(self.main.failure)
            elif self.timeout_scope.cancelled and not self.cancel_scope.cancelled:
                failures.append(Failure("timeout"))
        failures += self.tear_down()
        return self.answer(failures)

    def begin(self, failures: list[Failure]) -> None:
        """Start the first strand, if everything could be set up (R1)."""
        if not failures:
            self.spawn(self.main, self.everything())

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

    def step(self, what: dict[str, Any], work: Callable[[], None]) -> None:
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

    # --- the host (9) ---

    def act(self) -> None:
        """Perform the next action."""
        action = self.actions.pop(0)
        work: Callable[[], None] = getattr(self, "do_" + action["do"])
        arguments = {name: value for name, value in action.items() if name not in ("at", "do")}
        self.step({"do": "action", "action": action}, lambda: work(**arguments))

    def do_cancel(self) -> None:
        self.cancel_scope.cancelled = True

    def do_publish(self, event: str, payload: Any = None) -> None:  # B1
        if not self.accepting:
            return
        self.host_events.append(self.graph.listeners(event, payload))
        if self.root_group is not None and len(self.host_events) == 1 and not self.hosting:
            self.hosting = True
            assert self.host_line is not None
            self.fork(self.root_group, self.root, self.handle_host_events, line=self.host_line, limited=False)

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
                self.fork(group, self.root, partial(self.dispatch, [target]), line=line)
            else:
                yield from self.dispatch([target], self.main, line)
        initiated = group.forks if self.options.get("parallel_initiators") else []
        mine = [fork for fork in initiated if fork.line is not self.host_line]
        yield Wait(condition=lambda: all(fork.ended for fork in mine))
        self.accepting = False

    def handle_host_events(self, strand: Strand, line: Line) -> Steps:
        while True:
            while self.host_events:
                yield from self.dispatch(self.host_events[0], strand, line)
                self.host_events.pop(0)
            if not self.accepting:
                return
            yield Wait(condition=lambda: bool(self.host_events) or not self.accepting)

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


def small_step(request: Mapping[str, Any]) -> dict[str, Any]:
    """Run a request of spec/INTERPRETING.md, 1, under its schedule; gives all fields of a result.

    The graph must be valid. Raises `Deadlock`, which no request can bring about.
    """
    return Machine(request).run()
