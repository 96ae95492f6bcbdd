"""The big-step form: what a graph leaves behind, computed without any schedule.

Because a fork sees none of what the others write (F1), it makes no difference when it runs: here it runs in place, on
its copy of the store, at the moment of the fork, and what it wrote is kept until the join. That engines agree with
this under every schedule is their promise. Where a schedule may matter, it says so instead: `Undetermined`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from trioflow.reference.graph import Failure
from trioflow.reference.script import Effects
from trioflow.reference.small_step import Machine
from trioflow.reference.strands import Activation, Group, Steps, Strand

_TIMELY = frozenset({"steps", "strands", "timeout"})


class Undetermined(Exception):
    """What comes of this request depends on the schedule, or on the time; the message says why."""


class Immediate(Machine):
    """Nobody ever waits."""

    forked_at_all = False

    def run(self) -> dict[str, Any]:
        if self.actions or self.options.get("timeout") is not None:
            raise Undetermined("the host acts, or time is limited")
        failures = self.set_up()
        if not failures:
            self.finish(self.everything())
            failures += [self.main.failure] if self.main.failure is not None else []
        if self.forked_at_all and any(not _TIMELY.isdisjoint(failure.codes) for failure in failures):
            raise Undetermined("who reaches the limit depends on the schedule")
        failures += self.tear_down()
        return self.answer(failures)

    def finish(self, steps: Steps) -> None:
        """Run it all, here and now."""
        for wait in steps:
            if wait.condition is not None and not wait.condition():
                raise Undetermined("somebody waits for something that is yet to come")

    def spawn(self, strand: Strand, steps: Steps) -> None:
        self.forked_at_all = True
        self.finish(steps)
        if strand.failure is not None and not _TIMELY.isdisjoint(strand.failure.codes):
            raise Undetermined("which strand reaches a limit depends on the schedule")

    def grouped(self, strand: Strand, work: Callable[[Group], Steps]) -> Steps:
        groups: list[Group] = []

        def noted(group: Group) -> Steps:
            groups.append(group)
            return work(group)

        try:
            return (yield from super().grouped(strand, noted))
        except Failure:
            if groups and groups[0].forks:
                raise Undetermined("what a failure cuts off depends on the schedule") from None
            raise

    def fork(self, *args: Any, **settings: Any) -> None:
        if "max_strands" in self.options:
            raise Undetermined("how many strands are alive at once depends on the schedule")
        super().fork(*args, **settings)

    def on_failures(self, activation: Activation) -> Steps:
        group = activation.group
        if group is not None and (group.unjoined or any(fork.discarded for fork in group.forks)):
            raise Undetermined("how many items have failed so far depends on the schedule")
        return (yield from super().on_failures(activation))

    def on_now(self, activation: Activation) -> Steps:
        raise Undetermined("the time depends on the schedule")

    def on_within(self, activation: Activation, ticks: int, effects: Effects) -> Steps:
        raise Undetermined("what a time limit cuts off depends on the schedule")


def big_step(request: Mapping[str, Any]) -> dict[str, Any]:
    """The outcome and the canonical trace of a request under any schedule; `steps` and `trace` mean nothing.

    The graph must be valid. Raises `Undetermined`.
    """
    return Immediate(request).run()
