"""Moments: where an open body is and what it has written, in place of all that was recorded below it (J26).

A run that goes round for long would have an endless journal, and an endless replay. So a loop that has said by
`ctx.trigger_at` or `ctx.emit_at` from what it could go on, and a source that has marked it, are begun there after a
resume, and what they had written by then is written at once. A stream or a called graph that has ended is not run again
at all. All else that is open in the run, be it around, beside or below, is run again as without moments, and comes to
these in its turn: so a moment never has to hold more than what one activation has behind it.

What is superseded stays where it is until a *pass* over the entries takes all of it away in one transaction.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol

import trio

from trioflow.durable.codec import decode, encode
from trioflow.durable.keys import ancestors, part_key, path_key, path_part
from trioflow.durable.moment import ROUND, WHOLE, Compacted, Moment, as_pairs, compacted, moments_among
from trioflow.durable.records import TOLD
from trioflow.errors import Diverged, Unrecordable
from trioflow.runtime.base.records import ExecFrame
from trioflow.runtime.base.turns import stop_coasting
from trioflow.runtime.workflow.firing import FiringLine
from trioflow.semantics.store import DELETED

if TYPE_CHECKING:
    from trioflow.durable.agenda import JournalledAgenda
    from trioflow.durable.checkpoint import Checkpoint
    from trioflow.durable.recorder import Recorder
    from trioflow.durable.records import Entry
    from trioflow.runtime.base.records import Line, Strand
    from trioflow.runtime.workflow.scope import ScopeRun
    from trioflow.semantics.plan import Plan
    from trioflow.semantics.store import Cell, StateKey, Store

_BYTES_OF_A_RECORD = 80
"""About so much. What a run writes for large moments is no more than what it writes for its records in between."""
_PROPORTION = 8
"""By hand, what a pass reads is no more than so many times what was recorded since the one before."""
_MANY = 1000
"""So many strands that have ended may be remembered."""
_KINDS = {"v": "variable", "o": "output", "s": "state", "e": "failure"}

Place = tuple[str, str, str]
"""What a slot of a store is: a letter, the node, and a name."""


class Counted:
    """What was counted below something, while that is open: dispatches, and strands that were forked."""

    __slots__ = ("around", "forks", "steps")

    def __init__(self, around: Counted | None = None) -> None:
        self.around = around
        self.steps = 0
        self.forks = 0


class Begun(Protocol):
    """What may have moments: an activation, or what else handles one thing after the other."""

    @property
    def strand(self) -> Strand: ...
    @property
    def line(self) -> Line: ...
    @property
    def count(self) -> int: ...
    @property
    def path(self) -> tuple[int, ...]: ...
    @property
    def name(self) -> str: ...
    @property
    def since(self) -> int: ...
    @property
    def failed_before(self) -> Sequence[str]: ...
    @property
    def has_blocks(self) -> bool: ...
    @property
    def asked(self) -> int: ...
    @property
    def steps(self) -> int: ...
    @property
    def forks(self) -> int: ...
    @property
    def came_back(self) -> int: ...
    @property
    def emitted_so_far(self) -> int: ...
    @property
    def put_off_so_far(self) -> int: ...


class Moments:
    """Of one run."""

    def __init__(self, recorder: Recorder, checkpoint: Checkpoint | None, entries: Sequence[Entry]) -> None:
        self._recorder = recorder
        self._checkpoint = checkpoint
        self._every: float = math.inf if checkpoint is None else checkpoint.every
        self._least = 10.0 if checkpoint is None else min(10.0, max(1.0, checkpoint.every // 100))
        self._wait = self._every
        self._recorded = 0
        self._kept = len(entries)
        self._nodes = frozenset(() if checkpoint is None else checkpoint.nodes)
        self._by_hand = False
        self._passed_at: float | None = None
        self._number = max((each.number for each in moments_among(entries)), default=0)
        # Loops that have something open below, and those of them that have enough behind them to be worth a moment.
        self.open: set[Begun] = set()
        self._wanted: set[Begun] = set()
        # Of the last moments: by activation, how large it was.
        self._sizes: dict[bytes, int] = {}
        self._places: dict[int, dict[int, Place]] = {}
        self._slots: dict[int, dict[Place, int]] = {}
        # What each strand that runs counts with, by its number.
        self.counting: dict[int, Counted] = {}

    # --- counting ---

    def begin(self, activation: Begun) -> Counted:
        """From now on this counts what is counted below an activation, until `end`."""
        number = activation.strand.number
        own = Counted(self.counting_of(number))
        self.counting[number] = own
        return own

    def end(self, activation: Begun, own: Counted) -> None:
        """Who counted before does it again, and knows what was counted meanwhile."""
        around = own.around
        assert around is not None
        number = activation.strand.number
        self.counting[number] = around
        around.steps += own.steps
        around.forks += own.forks
        if len(self.counting) > _MANY:
            state = self._recorder.execution.state
            if state.forks == state.ended_forks:
                self.counting = {number: around}

    def counting_of(self, number: int) -> Counted:
        """With what a strand counts."""
        found = self.counting.get(number)
        if found is None:
            found = self.counting[number] = Counted()
        return found

    def forked(self, number: int) -> None:
        """A strand was forked by the one that runs: what is counted in it counts there."""
        state = self._recorder.execution.state
        around = self.counting_of(0 if state.resumed is None else state.resumed.number)
        around.forks += 1
        self.counting[number] = around

    def before(self, line: Line) -> Sequence[str]:
        """The keys, as hexadecimal digits, of what has failed, or can be undone in the scope of this line."""
        failed = self._recorder.watcher.failed
        scope = _scope_of(line)
        return failed if scope is None else [*failed, *(path_key(each.path).hex() for each in scope.undoable)]

    # --- going on ---

    def go_on(self, activation: Begun, moment: Moment, *, written: bool = False) -> None:
        """Let an activation have behind it what it had at a moment; `written`: somebody else has seen to the cells.

        Raises `Diverged` if the graph has not all of what was written then.
        """
        if not written:
            self._write(activation.strand, moment.cells)
        recorder = self._recorder
        state = recorder.execution.state
        stop_coasting(state)  # they count towards its limit (R8)
        state.granted += moment.steps
        state.forks += moment.forks
        state.ended_forks += moment.forks
        around = self.counting_of(activation.strand.number)
        around.steps += moment.steps
        around.forks += moment.forks
        if moment.later or moment.gone:
            if state.agenda is None:
                state.agenda = state.activate.agenda()  # type: ignore[attr-defined]
            state.agenda.go_on(moment, activation.path, activation.strand.frame.plan)
        if recorder.outbox is not None:
            recorder.outbox.go_on(moment.path, moment.told)
        for name, times in moment.volatile.items():
            recorder.volatile[part_key(moment.path, name[0], name[1:])] = times

    def _write(self, strand: Strand, cells: Sequence[Sequence[Any]]) -> None:
        """Write what a strand had written, the oldest first, as cells are compared by their ages (F3)."""
        strands = [*_outwards(strand)]
        for out, *cell in cells:
            if out >= len(strands):
                raise self._not_there(f"a graph around node {cell[1]!r}")
            self.write_into(strands[out].store, strands[out].frame.plan, *cell)
        if cells and cells[-1][0]:
            for inside in strands[: cells[-1][0]]:
                inside.store.revision = object()  # their inputs may depend on that (C4)

    def write_into(self, store: Store, plan: Plan, what: str, whose: str, name: str, written: Any) -> None:
        """Write one cell. Raises `Diverged` if the graph does not have that."""
        if what == "s":
            value = DELETED if written == {"$u": 0} else decode(written)
            store.write_state(self._node(plan, whose), name, value)
        else:
            store.write(self._slot(plan, what, whose, name), decode(written))

    def _node(self, plan: Plan, node: str) -> int:
        index = plan.node_index.get(node)
        if index is None:
            raise self._not_there(f"node {node!r}")
        return index

    def _slot(self, plan: Plan, what: str, whose: str, name: str) -> int:
        found = self._slots.get(id(plan))
        if found is None:
            found = self._slots[id(plan)] = {place: slot for slot, place in self.places(plan).items()}
        slot = found.get((what, whose, name))
        if slot is not None:
            return slot
        if what == "v":
            raise self._not_there(f"variable {name!r}")
        self._node(plan, whose)
        raise self._not_there(f"output {name!r} of node {whose!r}")

    def missing(self, what: str) -> Diverged:
        """The error that something of which moments know is not in the graph."""
        error = Diverged(
            f"Run {self._recorder.run_id!r} has moments {what}, and that is not in the graph any "
            "more. Run it with the graph that it was begun with; or fork it with migrate_moment= of trioflow.fork_run, "
            "which says what becomes of what was written."
        )
        self._recorder.break_off(error)
        return error

    def _not_there(self, what: str) -> Diverged:
        return self.missing(f"at which {what} was written")

    def places(self, plan: Plan) -> dict[int, Place]:
        """What the slots of a store are that nodes write."""
        found = self._places.get(id(plan))
        if found is None:
            found = {slot: ("v", "", variable.name) for slot, variable in enumerate(plan.variables)}
            for node in plan.nodes:
                if node.first_output < 0:
                    continue
                for slot, socket in enumerate(node.type.outputs, node.first_output):
                    found[slot] = ("o", node.id, socket.name)
                if node.error_slot >= 0:
                    found[node.error_slot] = ("e", node.id, "")
                if node.progress_slot >= 0:
                    found[node.progress_slot] = ("p", node.id, "")
            found[plan.exit_slot] = ("x", "", "")
            self._places[id(plan)] = found
        return found

    # --- taking ---

    def noted(self, node: str) -> None:
        """Something of a node was recorded."""
        if node in self._nodes:
            self._by_hand = True

    def by_hand(self) -> None:
        """The graph wants moments of all that is open, as soon as they can be taken."""
        self._by_hand = not self._recorder.replaying

    @property
    def is_due(self) -> bool:
        """Whether it is time for a pass."""
        recorder = self._recorder
        recorded = recorder.recorded - self._recorded
        if recorder.replaying or not (recorded or self._by_hand):
            return False
        # A pass reads all that there is: by hand there is one when there is something new in proportion to that.
        return recorded >= self._wait or (self._by_hand and recorded * _PROPORTION >= self._kept) or self._is_late()

    def _is_late(self) -> bool:
        seconds = None if self._checkpoint is None else self._checkpoint.seconds
        if seconds is None:
            return False
        now = trio.current_time()
        if self._passed_at is None:
            self._passed_at = now
        return now >= self._passed_at + seconds

    def wants(self, activation: Begun) -> bool:
        """Whether a loop that is about to begin a round should say where it is."""
        if (self._wanted and activation in self._wanted) or self.is_due:
            return True
        return bool(self._nodes) and activation.name in self._nodes

    async def take(
        self,
        activation: Begun,
        mark: object,
        *,
        encoded: bool = False,
        made: Callable[[], Moment | None] | None = None,
    ) -> Moment | None:
        """This loop or source is about to begin something, and could be begun there: keep that, if it is worth it.

        If it is time for that, all that is superseded in the run is taken away, and loops that have much behind them
        are asked to do the same when they come round. `made` makes the moment, in place of what is known of others.
        Gives the moment that was kept.
        """
        recorder = self._recorder
        due = self.is_due
        await recorder.barrier()
        moment: Moment | None = None
        if not activation.has_blocks and self._may_be(activation):
            try:
                if made is not None:
                    moment = made()
                else:
                    marked = mark if encoded else encode(mark, f"what node {activation.name!r} marks")
                    moment = self._round(activation, marked)
            except Unrecordable:
                pass  # it is likely to be there the next time, too
        if due or made is not None:  # such a moment is held against all that is kept
            moment = moment if await self.sweep(moment) else None
        elif moment is not None:
            self._keep(moment)
        self._wanted.discard(activation)
        return moment

    def is_worth(self, records: int) -> bool:
        """Whether one record in place of so many is worth it."""
        return records > self._least

    def ended(self, activation: Begun, since: int, counted: Counted, failures: Sequence[str],
              exit_name: str | None) -> None:  # fmt: skip
        """A stream or a called graph has ended: keep what it came to, with all below it."""
        if not self._may_be(activation):
            return
        try:
            cells = self._cells(activation.strand, since)
        except Unrecordable:
            return
        if cells is not None:
            self._keep(self.moment(
                activation, WHOLE, exit=exit_name, steps=counted.steps, forks=counted.forks, failures=failures,
                cells=cells,
            ))  # fmt: skip

    def _keep(self, moment: Moment) -> None:
        entry = moment.entry()
        self._sizes[moment.path] = len(entry.data)
        self._recorder.put_entry(entry)

    async def sweep(self, moment: Moment | None = None, *, all_of_it: bool = False) -> bool:
        """Take away what is superseded, also by this moment, which is kept if it supersedes enough; says whether."""
        recorder = self._recorder
        checkpoint = self._checkpoint
        least = 1 if all_of_it or self._by_hand else self._least
        self._by_hand = False
        self._recorded = recorder.recorded
        if self._checkpoint is not None and self._checkpoint.seconds is not None:
            self._passed_at = trio.current_time()
        history = True if checkpoint is None else checkpoint.history
        places = {path_key(each.path): each for each in self.open}
        below: dict[bytes, int] = {}
        worth: list[Moment] = []

        def compact(entries: Sequence[Entry]) -> Compacted:
            if moment is not None:
                entry = moment.entry()
                found = compacted([*entries, entry])
                superseded = 0 if moment.is_passed(entries) else sum(map(len, found.superseded.values()))
                self._sizes[moment.path] = len(entry.data)
                if superseded < max(least, len(entry.data) / _BYTES_OF_A_RECORD):
                    found = compacted(entries)
                else:
                    worth.append(moment)
            else:
                found = compacted(entries)
            for entry in found.keep:
                if entry.kind == TOLD:
                    continue
                for path in ancestors(entry.key):
                    if path in places:
                        below[path] = below.get(path, 0) + 1
            return found

        kept = self._kept = await recorder.compact(compact, history)
        self._wanted = {
            places[path]
            for path, count in below.items()
            if count >= max(least, self._sizes.get(path, 0) / _BYTES_OF_A_RECORD)
        }
        size = 0 if moment is None else self._sizes.get(moment.path, 0)
        self._wait = max(self._every, kept // 2, size // _BYTES_OF_A_RECORD)
        if len(self._sizes) > 1000:
            self._sizes = {path: size for path, size in self._sizes.items() if path in places}
        return bool(worth)

    # --- inside ---

    def _may_be(self, activation: Begun) -> bool:
        """Whether what is below an activation may be superseded: it has closed, and nothing else needs it."""
        recorder = self._recorder
        if self._checkpoint is None or recorder.broken is not None or recorder.stopping:
            return False
        if recorder.tells_events and recorder.outbox is None:  # whoever asks for them again needs what happens now, too
            return False
        scope = _scope_of(activation.line)  # what may still have to be undone is asked for again then (W17)
        return scope is None or not scope.has_to_undo(activation.path)

    def _round(self, activation: Begun, mark: Any) -> Moment | None:
        cells = self._cells(activation.strand, activation.since)
        if cells is None:
            return None
        path = path_key(activation.path)
        volatile: dict[str, int] = {}
        for key, times in [*self._recorder.volatile.items()]:
            if path_part(key) == path:
                volatile[key[len(path) + 1 :].decode("utf-8", "surrogatepass")] = times
            elif key.startswith(path):
                del self._recorder.volatile[key]  # nobody asks for that any more
        self._recorder.watcher.forget_below(activation.path)
        return self.moment(
            activation, ROUND, mark=mark, count=activation.count, asked=activation.asked,
            came_back=activation.came_back, emitted=activation.emitted_so_far, put_off=activation.put_off_so_far,
            steps=activation.steps, forks=activation.forks, volatile=volatile, failures=activation.failed_before,
            told={} if self._recorder.outbox is None else dict(self._recorder.outbox.told_at(path)), cells=cells,
            published=activation.asked if activation is self._recorder.host else 0,
        )  # fmt: skip

    def moment(self, activation: Begun, kind: str, **said: Any) -> Moment:
        """One of an activation, with what it says, and what is known of the run."""
        recorder = self._recorder
        agenda: JournalledAgenda | None = recorder.execution.state.agenda
        behind = {} if agenda is None else agenda.behind(activation.path)
        self._number += 1
        return Moment(
            path=path_key(activation.path), node=activation.name, kind=kind, number=self._number,
            signals=as_pairs(recorder.taken),
            policies=None if recorder.remembered is None else recorder.remembered.all_of_it(recorder.now().timestamp()),
            **behind, **said,
        )  # fmt: skip

    def _cells(self, strand: Strand, since: int) -> list[list[Any]] | None:
        """What was written in a strand, and in the graphs around it, after this number; None if that can't be told.

        Raises `Unrecordable`.
        """
        found: list[list[Any]] = []
        for out, each in enumerate(_outwards(strand)):
            store = each.store
            cells = {slot: cell for slot, cell in store.written.items() if cell.serial > since}
            state = {key: cell for key, cell in store.written_state.items() if cell.serial > since}
            written = self.cells_in(store, each.frame.plan, cells, state)
            if written is None:
                return None
            found += [[out, *cell] for cell in written]
        return found

    def cells_in(
        self, store: Store, plan: Plan, cells: Mapping[int, Cell], state: Mapping[StateKey, Cell]
    ) -> list[list[Any]] | None:
        """These cells of a store, by age; None if that can't be told. Raises `Unrecordable`."""
        places = self.places(plan)
        found: list[tuple[int, Cell, Place]] = []
        for slot, cell in cells.items():
            place = places.get(slot)
            if place is None:
                return None
            found.append((store.written_at(slot, cell), cell, place))
        for key, cell in state.items():
            found.append((store.written_at(key, cell), cell, ("s", plan.nodes[key[0]].id, key[1])))
        found.sort(key=lambda each: (each[0], each[1].serial))
        written: list[list[Any]] = []
        for _, cell, (what, whose, name) in found:
            where = f"{_KINDS.get(what, 'exit')} {name!r}" + (f" of node {whose!r}" if whose else "")
            value = {"$u": 0} if cell.value is DELETED else encode(cell.value, where)
            written.append([what, whose, name, value])
        return written


def _scope_of(line: Line | None) -> ScopeRun | None:
    """The innermost scope of a workflow that a line is in."""
    while line is not None and not isinstance(line, FiringLine):
        line = line.parent
    return None if line is None else line.scope


def _outwards(strand: Strand) -> Iterator[Strand]:
    """A strand, and the same in the graphs that call the one in which it is."""
    while True:
        yield strand
        frame = strand.frame
        if not isinstance(frame, ExecFrame) or strand is not frame.strand:
            return
        strand = frame.caller.strand
