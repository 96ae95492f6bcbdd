"""Moments: where a run is in its loops and what its store holds, in place of all that was recorded before (J26).

A run that goes round for long would have an endless journal, and an endless replay. So a loop that has said by
`ctx.trigger_at` or `ctx.emit_at` from what it could go on, inside of others that have, may be begun in its middle: then
what was recorded until there is superseded by one entry. A moment is taken between steps, when nothing else goes on in
the run. Where anything else is open, such as a concurrent strand, a called graph, a time limit, there is none: the
journal grows until that has ended.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, cast

from trioflow.durable.checkpoint import Checkpoint
from trioflow.durable.codec import decode, encode
from trioflow.durable.keys import path_key, path_part
from trioflow.durable.moment import Moment, Opening
from trioflow.errors import Diverged, Unrecordable
from trioflow.runtime.base.records import Line
from trioflow.runtime.host.inspect import dispatches
from trioflow.semantics.plan import Target
from trioflow.semantics.store import DELETED

if TYPE_CHECKING:
    from trioflow.durable.activation import JournalledActivation
    from trioflow.durable.recorder import Recorder
    from trioflow.runtime.base.records import RunState
    from trioflow.semantics.plan import Plan, PlanNode
    from trioflow.semantics.store import Cell, Store


_BYTES_OF_A_RECORD = 80
"""About so much. What a run writes for large moments is no more than what it writes for its records in between."""


class Moments:
    """Of one run."""

    def __init__(self, recorder: Recorder, checkpoint: Checkpoint | None, last: Moment | None) -> None:
        self._recorder = recorder
        self._checkpoint = checkpoint
        self._wait: float = math.inf if checkpoint is None else checkpoint.every
        self._recorded = 0
        self._last = last
        # Those that are still to be begun in their middle, by path, and what was open in them.
        self._openings: dict[tuple[int, ...], tuple[Opening, Opening | None]] = {}

    # --- going on ---

    def begin(self, store: Store) -> None:
        """Let an execution that has not started begin at the moment that was kept last, if there is one.

        Raises `Diverged` if its graph has not all of what was open or written then.
        """
        moment = self._last
        if moment is None:
            return
        state = self._recorder.execution.state
        plan = state.plan
        self._fill(plan, store, moment)
        targets = [self.targets(plan, each) for each in moment.open]  # all of it is there
        state.granted += moment.steps + moment.evaluations
        state.evaluations += moment.evaluations
        state.forks = state.ended_forks = moment.forks
        for path, opening, inner in zip(moment.paths, moment.open, [*moment.open[1:], None], strict=True):
            self._openings[path] = opening, inner

        def begins(root: Line) -> list[tuple[Line, Sequence[Target]]]:
            lines = [Line(root) for _ in plan.initiators]
            found: list[tuple[Line, Sequence[Target]]] = [
                (line, [initiator]) for line, initiator in zip(lines, plan.initiators, strict=True)
            ]
            line = lines[moment.initiator]
            line.count = moment.open[0].index
            return [(line, targets[0]), *found[moment.initiator + 1 :]]

        state.begins = begins

    @property
    def begun(self) -> bool:
        """Whether all that was open has been begun in its middle."""
        return not self._openings

    def opening_of(self, path: tuple[int, ...]) -> tuple[Opening, Opening | None] | None:
        """How an activation is begun in its middle, and what was open in it; None if it is begun anew."""
        return self._openings.pop(path, None) if self._openings else None

    def targets(self, plan: Plan, opening: Opening) -> list[Target]:
        """What is to be dispatched where this was open: itself, and what comes after it."""
        wanted = [(opening.node, opening.entered, opening.wire), *opening.onward]
        return [Target(self._node(plan, node), entered, None, wire) for node, entered, wire in wanted]

    def _node(self, plan: Plan, node: str) -> PlanNode:
        index = plan.node_index.get(node)
        if index is None:
            raise self._gone(f"node {node!r}")
        return plan.nodes[index]

    def _gone(self, what: str) -> Diverged:
        return Diverged(
            f"Run {self._recorder.run_id!r} was in the middle of a loop, and {what}, which was open or written there, "
            "is not in the graph any more. Run it with the graph that it was begun with, or fork it: then it begins "
            "with all that was recorded, if its history was kept."
        )

    def _fill(self, plan: Plan, store: Store, moment: Moment) -> None:
        """Write what the store held, the oldest first, as cells are compared by their ages (F3)."""
        for what, whose, name, written in moment.cells:
            value = decode(written)
            if what == "v":
                slot = plan.variable_index.get(name)
                if slot is None:
                    raise self._gone(f"variable {name!r}")
                store.write(slot, value)
                continue
            node = self._node(plan, whose)
            if what == "s":
                store.write_state(node.index, name, value)
                continue
            place = node.type.output_index.get(name)
            if place is None:
                raise self._gone(f"output {name!r} of node {whose!r}")
            store.write(node.first_output + place, value)

    # --- taking ---

    @property
    def is_due(self) -> bool:
        """Whether so much was recorded that it is time for one."""
        recorder = self._recorder
        return recorder.recorded - self._recorded >= self._wait and not recorder.replaying

    async def take(self, activation: JournalledActivation) -> None:
        """This activation is about to trigger or emit, and could be begun there: take a moment, if that can be."""
        recorder = self._recorder
        await recorder.barrier()
        self._recorded = recorder.recorded
        try:
            moment = self._see(activation)
        except Unrecordable:
            self._wait *= 2  # it is likely to be there the next time, too
            return
        if moment is not None and self._checkpoint is not None:
            entry = moment.entry()
            await recorder.supersede(moment, entry, history=self._checkpoint.history)
            self._last = moment
            self._wait = max(self._checkpoint.every, len(entry.data) // _BYTES_OF_A_RECORD)

    def _see(self, activation: JournalledActivation) -> Moment | None:
        """Where the run is, and what it holds; None if anything is open that can't be begun in its middle.

        Raises `Unrecordable`.
        """
        recorder = self._recorder
        state = recorder.execution.state
        if not self._is_alone(state, activation):
            return None
        found = _opened(state, activation)
        if found is None:
            return None
        initiator, opened = found
        moment = Moment(
            number=1 if self._last is None else self._last.number + 1,
            initiator=initiator,
            open=opened,
            steps=state.steps - len(opened),
            evaluations=state.evaluations,
            forks=state.forks,
            signals=sorted(recorder.taken),
            volatile=[],
            cells=_cells(state.plan, activation.strand.store),
        )
        open_paths = {path_key(path) for path in moment.paths}
        for key, times in recorder.volatile.items():
            if path_part(key) in open_paths:
                moment.volatile.append([key.hex(), times])
        return moment

    def _is_alone(self, state: RunState, activation: JournalledActivation) -> bool:
        recorder = self._recorder
        return (
            state.forks == state.ended_forks
            and activation.strand.frame is state.frame
            and state.plan.net is None
            and not state.agenda
            and not state.ahead_running
            and not state.options.parallel_initiators
            and not recorder.published
            and not recorder.is_entangled
        )


def _opened(state: RunState, activation: JournalledActivation) -> tuple[int, list[Opening]] | None:
    """The number of the initiator, and the activations that are open below it, the innermost last.

    None if one of them, or the line that it is on, can't be begun in its middle.
    """
    around: Line | None = None
    initiator = 0
    opened: list[Opening] = []
    for each in dispatches(state):
        line, body = each.line, cast("JournalledActivation", each.activation)
        item: int | None = None
        if around is None:
            if line.parent is None or line.parent.parent is not None:
                return None
            if line.index not in range(len(state.plan.initiators)):
                return None  # what was put off, or the host's events
            initiator = line.index
        elif line is not around:
            if line.parent is not around:
                return None
            item = line.index
        mark = body.goes_on_from
        if mark is None or body.strand is not activation.strand:
            return None
        streams = body.rarely.streams
        opened.append(
            Opening(
                index=body.index,
                item=item,
                node=body.plan.id,
                entered=body._target.entered,
                wire=body._target.wire,
                onward=[(target.node.id, target.entered, target.wire) for target in each.onward],
                mark=encode(mark[0], f"what node {body.plan.id!r} marks"),
                count=body.count,
                asked=body.asked,
                came_back=body.rarely.moments,
                emitted=streams[0].emits if streams else 0,
            )
        )
        around = body
    return (initiator, opened) if around is activation else None


def _cells(plan: Plan, store: Store) -> list[list[Any]]:
    """What the store holds, by age. Raises `Unrecordable`."""
    found: list[tuple[Cell, str, str, str]] = []
    for slot, variable in enumerate(plan.variables):
        found.append((store.cells[slot], "v", "", variable.name))
    for node in plan.writing:
        for slot, socket in enumerate(node.type.outputs, node.first_output):
            if store.cells[slot] is not None:
                found.append((store.cells[slot], "o", node.id, socket.name))
    for (index, name), cell in store.state.items():
        if cell.value is not DELETED:
            found.append((cell, "s", plan.nodes[index].id, name))
    found.sort(key=lambda each: each[0].serial)
    kinds = {"v": "variable", "o": "output", "s": "state"}
    return [
        [what, whose, name, encode(cell.value, f"{kinds[what]} {name!r}" + (f" of node {whose!r}" if whose else ""))]
        for cell, what, whose, name in found
    ]
