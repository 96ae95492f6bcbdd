"""What a kept run has put off: due at wall times, and handled in the order in which it was handled before (J24).

Whoever puts something off may have a moment after that, and so may the agenda itself between two things (J26). So it
knows of each who has put it off, and of what was taken back by whom.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import trio

from trioflow.durable.codec import decode, encode, parse
from trioflow.durable.going import Going
from trioflow.durable.keys import part_key, path_key
from trioflow.durable.recorder import all_blocked
from trioflow.errors import UnknownName, UnknownSocket
from trioflow.runtime.base.agenda import Agenda, Due
from trioflow.runtime.base.names import exit_place, listeners
from trioflow.semantics.address import AGENDA_MARK, show_path

if TYPE_CHECKING:
    from trioflow.durable.moment import Moment
    from trioflow.durable.recorder import Recorder
    from trioflow.runtime.base.records import Line, Strand
    from trioflow.semantics.plan import Plan

NEXT = "next"
"""Kind of the entry that says what was due next."""

_NODE = "later"
"""In place of a node: which one it is, the entry says."""

_PATH = (AGENDA_MARK,)

Asked = tuple[tuple[int, ...], int]
"""By whom something was put off: the path of an activation, and a number."""


class JournalledAgenda(Agenda):
    """The agenda of a run that is kept."""

    def __init__(self, recorder: Recorder, *, is_hosted: bool = False) -> None:
        super().__init__()
        self._recorder = recorder
        # Whether the host's events have a strand, and whether that was joined, so that what is due finds its writes.
        self._is_hosted = is_hosted
        self._is_joined = False
        self._handled = 0
        self._going: Going | None = None
        # What others than those who are handled here have put off, and was handled.
        self._done: dict[Asked, Due] = {}
        # By whom something was taken back.
        self._taken_back: dict[Asked, tuple[int, ...]] = {}
        # What was handled or taken back before a moment, though who had put it off is run again.
        self._gone: set[Asked] = set()

    def add(self, due: Due) -> None:
        if due.asked not in self._gone:
            super().add(due)

    def take_back(self, path: tuple[int, ...], node: str, handle: str | None) -> int:
        """As `drop`, by the activation at this path."""
        before = {each.asked for each in self._due}
        dropped = self.drop(node, handle)
        if dropped:
            self._taken_back.update(dict.fromkeys(before - {each.asked for each in self._due}, path))
        return dropped

    async def next(self, strand: Strand, line: Line, goes_on: Callable[[], bool]) -> Due | None:
        recorder = self._recorder
        going = self._going
        if going is None:
            going = self._going = Going(recorder=recorder, strand=strand, line=line, name=_NODE)
            going.begin()
            self._handled = going.asked
        going.closes()
        key = part_key(path_key(_PATH), "n", self._handled)
        if self._is_hosted and not self._is_joined and self._comes_after_the_join(key):
            self._ends(going)
            return None
        known = recorder.find(key, _NODE, (NEXT,), "what is due next")
        if known is not None:
            path, number, *_ = parse(known.data)
            due = await self._again(strand, (tuple(path), number), goes_on)
        else:
            if await going.take():  # then no record says any more what was handled
                self._gone = self._all_gone()
                self._done.clear()
            found = await self._new(strand, goes_on)
            if found is None:
                self._ends(going)
                return None
            due = found
            recorder.put(key, _NODE, NEXT, [*due.asked, 1] if self._is_joined else due.asked)
        self._handled += 1
        if not _is_below(due.asked, _PATH):
            self._done[due.asked] = due
        going.opens()
        return due

    def _ends(self, going: Going) -> None:
        """Nothing is left to handle, but for what the host's events have put off, once their strand is joined."""
        self._is_joined = True
        going.has_blocks = True  # what is handled after that belongs to no moment

    def _comes_after_the_join(self, key: bytes) -> bool:
        """Whether it is known that what was due next was handled when the host's strand had been joined."""
        known = self._recorder.known.get(key)
        return known is not None and len(parse(known.data)) > 2

    # --- moments ---

    def behind(self, path: tuple[int, ...]) -> dict[str, Any]:
        """What a moment of whoever is at this path must have. Raises `Unrecordable`.

        What was put off below it, unless a record says that it was handled and that record is superseded, too; and
        what others had put off, and is not to be handled any more because of it.
        """
        of_mine = path == _PATH
        later = [each for each in self._due if _is_below(each.asked, path)]
        gone = {asked for asked, by in self._taken_back.items() if by[: len(path)] == path}
        if of_mine:
            gone |= self._all_gone()
        else:
            later += [each for each in self._done.values() if _is_below(each.asked, path)]
        return {
            "later": [self._written(each) for each in sorted(later)],
            "gone": sorted(each for each in gone if not _is_below(each, path)),
        }

    def _all_gone(self) -> set[Asked]:
        """What was handled or taken back, and who has put it off may be run again."""
        host = self._recorder.host
        return {
            asked
            for asked in (*self._done, *self._gone)
            if host is None or not _is_below(asked, host.path) or host.may_put_off(asked)
        }

    def go_on(self, moment: Moment, path: tuple[int, ...], plan: Plan) -> None:
        """What was put off below a moment is so again, and what was not to be handled any more is not."""
        for each in moment.gone:
            asked = (tuple(each[0]), each[1])
            self._gone.add(asked)
            if path != _PATH:
                self._taken_back[asked] = path
        keep = [each for each in self._due if each.asked not in self._gone]
        if len(keep) < len(self._due):
            self._due[:] = keep
            heapq.heapify(self._due)
        for written in moment.later:
            try:
                due = self._read(written, plan)
            except (KeyError, UnknownName, UnknownSocket):
                raise self._recorder.moments.missing(f"with what node {written[3]!r} has put off") from None
            self.add(due)

    @staticmethod
    def _written(due: Due) -> Sequence[Any]:
        payload = [encode(each, f"the payload of event {due.what!r}") for each in due.posted]
        return [due.asked, encode(due.at, "a timer"), due.handle, due.node, due.seconds, due.what, payload]

    @staticmethod
    def _read(written: Sequence[Any], plan: Plan) -> Due:
        (path, number), at, handle, node, seconds, what, payload = written
        posted = tuple(map(decode, payload))
        if posted:
            targets: Sequence[Any] = listeners(plan, what, posted[0])
        else:
            planned = plan.nodes[plan.node_index[node]]
            targets = planned.targets[exit_place(planned, what)]
        return Due(decode(at), (tuple(path), number), handle, node, seconds, targets, what, posted)

    # --- what is due next ---

    async def _again(self, strand: Strand, asked: Asked, goes_on: Callable[[], bool]) -> Due:
        """What was due before, when it is put off again: at once, or when the host's events have come so far."""
        while True:
            found = next((each for each in self._due if each.asked == asked), None)
            if found is not None:
                self._due.remove(found)
                heapq.heapify(self._due)
                return found
            if not goes_on():
                await all_blocked()  # the host's events may not have come so far
                if any(each.asked == asked for each in self._due):
                    continue
                self._recorder.diverge(f"The activation {show_path(asked[0])} had put something off, and now has not.")
            await self._change(strand)

    async def _new(self, strand: Strand, goes_on: Callable[[], bool]) -> Due | None:
        recorder = self._recorder
        while self._due or goes_on():
            if not self._due:
                await self._change(strand)
                continue
            first = self._due[0]
            recorder.starts()
            await recorder.barrier()  # J3
            remaining = min(max((first.at - recorder.now()).total_seconds(), 0.0), first.seconds)  # J10
            with recorder.waits.waiting(None, first.at), trio.move_on_after(remaining):
                await self._change(strand)
                continue
            return heapq.heappop(self._due)
        return None


def _is_below(asked: Asked, path: tuple[int, ...]) -> bool:
    return asked[0][: len(path)] == path
