"""Controlled schedules: strands park under labels, and one at a time goes on, in an order that is given as data.

    async with controlled([1, 0, 2]) as schedule:
        await tf.run(graph)
    print(schedule.steps)

Everything in the block runs under the schedule: graphs, and any task that awaits `turn("label")`. When nothing can
move, the parked labels, sorted, are the *enabled set*; if there are several, the next number of `choices` says which
one goes on (0 if there is none left, modulo their number); if there is none, the virtual clock jumps to the next
deadline. So a list of numbers reaches exactly the interleavings that there are, and the same list gives the same one
again. What waits for the outside world, a socket or a thread, is not seen: don't use it in such a test.
"""

from __future__ import annotations

import math
from collections.abc import AsyncGenerator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager

import attrs
import trio
from trio.testing import MockClock, wait_all_tasks_blocked

from trioflow.conformance.exploration import Undecided, first_difference, search
from trioflow.errors import TrioflowError
from trioflow.runtime.base.schedule import current_schedule

__all__ = ["Controller", "Deadlock", "Step", "Undecided", "controlled", "every_schedule", "turn"]


class Deadlock(TrioflowError):
    """Nothing under a controlled schedule can go on, nothing is due, and it has not ended."""


@attrs.frozen
class Step:
    """One step of a schedule: a release of one of the `enabled` labels, or a move of time to `now` (in seconds)."""

    enabled: tuple[str, ...] = ()
    chosen: str | None = None
    now: float | None = None


async def turn(label: str) -> None:
    """Wait until whoever bears this label may go on; a checkpoint if no schedule is controlled. A cancellation point.

    Raises `ValueError` if a label waits already: the choice between two of them would have no meaning.
    """
    schedule = current_schedule.get()
    if schedule is None:
        await trio.lowlevel.checkpoint()
    else:
        await schedule.turn(label)


class Controller:
    """Decides who goes on. `steps` is what was decided so far."""

    def __init__(self, choices: Sequence[int], clock: MockClock) -> None:
        self._choices = iter(choices)
        self._clock = clock
        self._parked: dict[str, trio.Event] = {}
        self._began = clock.current_time()
        self.steps: list[Step] = []

    @property
    def enabled(self) -> tuple[str, ...]:
        """The labels that are parked, sorted bytewise."""
        return tuple(sorted(self._parked, key=str.encode))

    async def turn(self, label: str) -> None:
        """Park until released."""
        if label in self._parked:
            raise ValueError(f"Two tasks wait for a turn as {label!r}. Give each a label of its own.")
        self._parked[label] = event = trio.Event()
        try:
            await event.wait()
        finally:
            self._parked.pop(label, None)

    async def settled(self) -> None:
        """Wait until no task can move by itself."""
        await wait_all_tasks_blocked()

    def release(self) -> Step:
        """Let one of the enabled labels go on, the one that the next choice says."""
        enabled = self.enabled
        place = next(self._choices, 0) % len(enabled) if len(enabled) > 1 else 0
        self._parked.pop(enabled[place]).set()
        return self._note(Step(enabled, enabled[place]))

    def advance_clock(self) -> Step | None:
        """Move the time to the next deadline; None if there is none."""
        seconds = trio.lowlevel.current_statistics().seconds_to_next_deadline
        if seconds == math.inf:
            return None
        self._clock.jump(max(seconds, 0))
        return self._note(Step(now=self._clock.current_time() - self._began))

    async def run(self, act: Callable[[bool], bool] = lambda _stuck: False) -> None:
        """Go on until cancelled. `act` is asked first whether it has something to do, and `stuck` if nothing else has.

        Raises `Deadlock`.
        """
        while True:
            await self.settled()
            if act(False):
                continue
            if self._parked:
                self.release()
            elif self.advance_clock() is None and not act(True):
                last = next((f", the last of which let {step.chosen!r} go on" for step in self.steps[-1:]), "")
                raise Deadlock(
                    f"After {len(self.steps)} steps{last}, nothing can go on and nothing is due: every task waits for "
                    "another one, or for the outside world, which a controlled schedule can't see."
                )

    def _note(self, step: Step) -> Step:
        self.steps.append(step)
        return step


@asynccontextmanager
async def controlled(choices: Sequence[int] = ()) -> AsyncGenerator[Controller, None]:
    """Run the block under a controlled schedule; where the block ends, so does it.

    Needs a virtual clock that does not jump by itself: `trio.run(main, clock=trio.testing.MockClock())`. What the block
    raises comes out as it is. Raises `TypeError` for another clock, and `Deadlock` if nothing can go on.
    """
    clock = trio.lowlevel.current_clock()
    if not isinstance(clock, MockClock) or clock.autojump_threshold != math.inf:
        raise TypeError(
            "A controlled schedule moves the time itself. Run the test with "
            "trio.run(..., clock=trio.testing.MockClock()), without autojump."
        )
    controller = Controller(choices, clock)
    try:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(controller.run)
            token = current_schedule.set(controller)
            try:
                yield controller
            finally:
                current_schedule.reset(token)
                nursery.cancel_scope.cancel()
    except BaseExceptionGroup as group:
        first, *others = group.exceptions
        if others:
            raise
        raise first from None


def every_schedule(
    run: Callable[[Sequence[int]], Sequence[Step]], limit: int = 10_000, *, twice: bool = False
) -> Iterator[tuple[int, ...]]:
    """Every schedule there is, as lists of choices, one after the other: `run` runs one and returns its steps.

        def run(choices):
            async def main():
                async with controlled(choices) as schedule:
                    ...
                return schedule.steps

            return trio.run(main, clock=trio.testing.MockClock())

        for choices in every_schedule(run):
            ...  # what must hold after each

    With `twice` each is run twice, and all of its steps must be the same. Raises `Undecided` if a schedule that is run
    again goes another way than before: then something decides that the schedule does not control, such as real time,
    randomness, the order of a set, or what an earlier run left behind. Raises `RuntimeError` after `limit` schedules.
    """

    def decided(choices: Sequence[int]) -> tuple[None, Sequence[tuple[str, ...]]]:
        steps = [*run(choices)]
        if twice:
            again = [*run(choices)]
            at = first_difference(steps, again)
            if at is not None:
                one, other = (each[at] if at < len(each) else "no step" for each in (steps, again))
                raise Undecided(f"the choices {list(choices)} led to {one} at step {at}, and run again to {other}")
        return None, [step.enabled for step in steps if len(step.enabled) > 1]

    for number, (choices, _) in enumerate(search(decided)):
        if number == limit:
            raise RuntimeError(f"There are more than {limit} schedules. Make the program smaller, or raise the limit.")
        yield choices
