"""The small-step form: one strand moves at a time, in the order that a schedule says (spec/INTERPRETING.md, 8 and 9).

At every quiescent point the labels of the parked strands are the *enabled set*; time is an integer that moves only when
nothing else can.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from math import inf
from typing import Any

from trioflow.contract.trace import as_text, result
from trioflow.reference.control import Group, dispatch
from trioflow.reference.graph import Failure, Target
from trioflow.reference.strands import Cancelled, Line, Run, Steps, Strand, Wait


class Deadlock(Exception):
    """No strand can go on, nothing is due, and the run has not ended."""


class Machine(Run):
    """A run under a schedule."""

    def __init__(self, request: Mapping[str, Any]) -> None:
        super().__init__(request)
        self.choices: list[int] = list(request.get("choices") or ())
        self.actions: list[dict[str, Any]] = list(request.get("actions") or ())
        self.releases = 0
        self.steps: list[dict[str, Any]] = []
        self.life: list[str] = []
        self.group = Group(self, self.main.line, self.main)
        self.initiators = [Line(self.main.line.next()) for _ in self.graph.initiators]  # T8
        self.host = Line(self.main.line.next())
        self.host_events: list[Sequence[Target]] = []
        self.accepting, self.hosting = True, False

    def run(self) -> dict[str, Any]:
        """Run it all, and answer (R1, R3)."""
        failures = self.set_up()
        work = self.group.hold(self.initiate())
        self.step({"do": "begin"}, lambda: None if failures else self.spawn(self.main, work))
        while self.strands:
            self.advance()
        if self.main.failure is not None:
            failures.append(self.main.failure)
        elif not self.outside.struck:  # R8: at most one of both, since nothing is begun after the first
            budgets = {"steps": self.exhausted, "timeout": self.timeout}
            failures += [Failure(code) for code, scope in budgets.items() if scope.struck]
        failures += self.tear_down()
        status = "failed" if failures else "cancelled" if self.outside.struck else "completed"
        errors = sorted({code for failure in failures for code in failure.codes})
        left = self.left_behind() if status == "completed" else {}
        return result(status, self.trace, errors=errors, life=self.life, steps=self.steps, **left)

    # --- the schedule (8) ---

    def advance(self) -> None:
        """One step: an action, a release, or a move of time."""
        parked = {strand.wait.label: strand for strand in self.strands if strand.wait and strand.wait.label}
        enabled = sorted(parked)
        at = self.actions[0]["at"] if self.actions else inf
        if at in enabled if isinstance(at, str) else self.releases >= at:
            self.act()
        elif enabled:
            choice = self.choices.pop(0) if len(enabled) > 1 and self.choices else 0
            chosen = enabled[choice % len(enabled)]
            self.releases += 1
            self.step({"do": "release", "enabled": enabled, "chosen": chosen}, parked[chosen].resume)
        elif (moment := self.next_moment()) is not None:
            self.now = moment
            self.step({"do": "time", "now": moment}, self.expire)
        elif self.actions:
            self.act()
        elif self.gate.queue:
            self.actions.append({"at": 0, "do": "resume"})
        else:
            raise Deadlock([strand.wait for strand in self.strands])

    def next_moment(self) -> int | None:
        """When something is due, if anything ever is."""
        sleepers = [strand.wait.until for strand in self.strands if strand.wait]
        limits = [scope.deadline for scope in self.limits if not scope.struck]
        return min((moment for moment in (*sleepers, *limits) if moment is not None), default=None)

    def expire(self) -> None:
        """Limits are over before sleepers wake: a cancellation comes before what is waited for."""
        for scope in self.limits:
            scope.struck |= scope.deadline is not None and scope.deadline <= self.now

    def step(self, what: dict[str, Any], work: Callable[[], None]) -> None:
        """Do something, let everybody settle, and note what happened."""
        before = len(self.trace)
        work()
        self.settle()
        self.steps.append({**what, "events": sorted(map(as_text, self.trace[before:]))})

    def settle(self) -> None:
        """Cancel who must be, and resume whose condition holds, until nobody moves."""
        moved = True
        while moved:
            moved = False
            for strand in list(self.strands):
                if (wait := strand.wait) is not None:
                    cancelled = wait.cancellable and strand.scope.cancelled  # before what is waited for (F2)
                    if cancelled or wait.is_over(self.now):
                        strand.resume(Cancelled() if cancelled else None)
                        moved = True
            self.strands = [strand for strand in self.strands if not strand.ended]

    # --- the host (9) ---

    def act(self) -> None:
        """Perform the next action."""
        action = self.actions.pop(0)
        what, arguments = action["do"], {name: action[name] for name in action.keys() - {"at", "do"}}
        actor = self if what in ("cancel", "publish") else self.gate
        self.step({"do": "action", "action": action}, lambda: getattr(actor, what.replace("-", "_"))(**arguments))

    def cancel(self) -> None:
        """R5: from outside."""
        self.outside.struck = True

    def publish(self, event: str, payload: Any = None) -> None:
        """B1: from outside; the first event forks the host's strand."""
        if self.accepting:
            self.host_events.append(self.graph.listeners(event, payload))
            if not self.hosting:
                self.hosting = True
                strand = self.group.fork((), self.host, limited=False)
                self.spawn(strand, self.group.forked(self.handle_host_events(strand)))

    def handle_host_events(self, strand: Strand) -> Steps:
        """B1: one after the other, in a strand of their own."""
        while self.host_events or self.accepting:
            yield Wait(ready=lambda: bool(self.host_events) or not self.accepting)
            while self.host_events:
                yield dispatch(self, self.host_events.pop(0), strand, strand.line)

    # --- the run (R1-R3) ---

    def set_up(self) -> list[Failure]:
        """Setups, in document order, up to the first that fails (R1)."""
        for node in self.graph.nodes.values():
            life = node.literals.get("life") or (None,)
            if life[0] == "fail":
                return [Failure(f"fail: setup {node.id}")]
            self.life += [f"up {node.id}"] * (life[0] is not None)
        return []

    def tear_down(self) -> list[Failure]:
        """Teardowns, in reverse order, whatever has happened (R1)."""
        up = [told.removeprefix("up ") for told in reversed(self.life)]
        self.life += [f"down {node}" for node in up]
        failing = [node for node in up if self.graph.nodes[node].literals["life"][1] == "fail"]
        return [Failure(f"fail: teardown {node}") for node in failing]

    def initiate(self) -> Steps:
        """The initiators, one after the other or all at once (R2)."""
        forks: list[Strand] = []
        for line, target in zip(self.initiators, self.graph.initiators, strict=True):
            if self.options.get("parallel_initiators"):
                forks.append(self.group.fork([target], line=line))
            else:
                yield dispatch(self, [target], self.main, line)
        yield Wait(ready=lambda: all(fork.ended for fork in forks))
        self.accepting = False

    def left_behind(self) -> dict[str, Any]:
        """What a run that has completed leaves behind (R3)."""
        store, outputs = self.main.store, dict[str, dict[str, Any]]()
        for (kind, node, *socket), (_, cell) in store.entries.items():
            if kind == "out":
                outputs.setdefault(node, {})[socket[0]] = cell.value
        return {
            "variables": {name: store.entries["var", name][1].value for name in self.graph.variables},
            "outputs": outputs,
        }


def small_step(request: Mapping[str, Any]) -> dict[str, Any]:
    """Run a request of spec/INTERPRETING.md, 1, under its schedule; gives all fields of a result.

    The graph must be valid. Raises `Deadlock`, which no request can bring about.
    """
    return Machine(request).run()
