"""Who waits in a run for a timer or a signal, and putting the run away when all of it does (J22).

What is put away has no process: its journal says when it is due, and which signals it waits for, so whoever looks for
runs that are ready finds it.
"""

from __future__ import annotations

import datetime
from collections.abc import Generator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import attrs
import trio

from trioflow.durable.records import Waiting
from trioflow.errors import RunSuspended

if TYPE_CHECKING:
    from trioflow.durable.activation import PolicyLimit
    from trioflow.durable.recorder import Recorder
    from trioflow.runtime.base.records import Strand

_LOOK_EVERY = 0.05
"""Seconds after which it is looked at again whether all strands wait."""


@attrs.frozen(eq=False)
class Wait:
    """A strand that waits."""

    strand: Strand | None
    """None for the first one that waits for what was put off, which counts as at rest."""
    due: datetime.datetime | None
    signal: str | None


class Waits:
    """Of one run."""

    def __init__(self, recorder: Recorder) -> None:
        self._recorder = recorder
        self._waits: dict[Wait, None] = {}
        self._changes = 0
        self.limits = 0
        """Time limits of contexts that are open: they would begin anew, so a run is not put away inside of one."""
        self.open_limits: dict[PolicyLimit, None] = {}
        """Time limits of policies that are open: they go on while no process has the run."""
        self.looking = 0
        """Strands that ask the journal for signals, so they may wait for nothing any more."""

    @contextmanager
    def waiting(
        self, strand: Strand | None, due: datetime.datetime | None = None, signal: str | None = None
    ) -> Generator[None]:
        """Around what a strand waits for."""
        for limit in self.open_limits:
            limit.record()
        wait = Wait(None if strand is None else strand.outermost, due, signal)
        self._waits[wait] = None
        self._changes += 1
        try:
            yield
        finally:
            del self._waits[wait]
            self._changes += 1

    @property
    def all_wait(self) -> bool:
        """Whether nothing else goes on in the run."""
        state = self._recorder.execution.state
        if not self._waits or self.limits or self.looking or any(each.is_over for each in self.open_limits):
            return False
        return state.busy == len({each.strand for each in self._waits} - {None})

    @property
    def signals(self) -> list[tuple[int | None, str]]:
        """Who waits for signals: the number of the strand, if it is one, and the name of the signal."""
        waits = [(each.strand, each.signal) for each in self._waits]
        return [(None if strand is None else strand.number, name) for strand, name in waits if name is not None]

    @property
    def what(self) -> Waiting:
        """What the run waits for."""
        dues = [each.due for each in self._waits if each.due is not None]
        due = min([*dues, *(each.due for each in self.open_limits)], default=None)
        names = sorted({each.signal for each in self._waits if each.signal is not None})
        return Waiting(None if due is None else due.timestamp(), tuple(names), self._recorder.last_signal)

    async def put_away(self, after: float) -> None:
        """End the run with `RunSuspended` as soon as all of it has waited for so long."""
        recorder = self._recorder
        since, changes = trio.current_time(), -1
        while True:
            if not self.all_wait or changes != self._changes:
                since, changes = trio.current_time(), self._changes
            elif trio.current_time() >= since + after:
                await recorder.barrier()
                if self.all_wait and changes == self._changes:
                    await recorder.suspend(self.what)
            await trio.sleep(min(max(after, 0.001), _LOOK_EVERY))


def suspended(run_id: str, waiting: Waiting, why: str = "") -> RunSuspended:
    """The error that a run was put away."""
    due = None if waiting.due is None else datetime.datetime.fromtimestamp(waiting.due, datetime.UTC)
    what = [f"the signal {name!r}" for name in waiting.signals]
    if due is not None:
        what.append(f"{due.isoformat(sep=' ', timespec='seconds')}")
    told = f" ({why})" if why else ""
    return RunSuspended(
        f"Run {run_id!r} was put away{told}: it waits for {' or '.join(what) or 'somebody to resume it'}. It needs "
        "no process until then; run it again under its name, or let trioflow.recover or `trioflow runs resume --due` "
        "do that.",
        run_id=run_id,
        due=due,
        waits_for=waiting.signals,
    )
