"""Forks that come after forks: what they find, and how all of them come back to their owner (F9).

The forks of a history have an *order* that does not depend on time, and in which each is behind those that it comes
after. A fork begins with what was there at the beginning and then, in this order, what all that it comes after wrote;
where several wrote, a join decides, as everywhere (`join`). At the end the owner's store gets what a fork would find
that comes after all of them.

Nobody joins everything from the beginning. A *waist* of a past is one that everything else in it either comes after or
came before: what it left is where a join may begin. Each past knows its nearest waist, so they are a tree, and the
nearest waist of several pasts is where their ways to the root meet. Where a fork comes after several, what it finds is
a past without writes of its own, a *meeting*; whoever comes after the same ones finds the same meeting, and it is a
waist for all that follows.
"""

from __future__ import annotations

import heapq
import weakref
from collections.abc import Callable, Iterable, Sequence

import attrs

from trioflow.errors import MergeError
from trioflow.semantics.join import Conflict, Join, Versions
from trioflow.semantics.store import Cell, StateKey, Store, paged

Order = tuple[int, ...]
"""The place of a fork in the order of its history: those that it comes after have smaller ones."""

Tell = Callable[[Order, Conflict], object]
"""Is told of each conflict, with the order of the fork that was being merged; `()` for that of the whole history."""

MOST_COPIED = 128
"""The most places that forks of a history keep in a flat list; as each past keeps its store, they had better share."""

_FEW = 64
"""So many forks may have ended before it is worth while to look what can be forgotten."""


@attrs.define
class _Writes:
    """What a fork wrote, as if it had been forked when `born` was counted."""

    born: int
    base: Sequence[Cell]
    written: dict[int, Cell]
    written_state: dict[StateKey, Cell]


@attrs.define(eq=False, repr=False, weakref_slot=True)
class Past:
    """What forks may come after: one that has ended, several of them, or the beginning. Opaque, but for its order."""

    order: Order
    """Its place in the order; of several the last."""
    _history: Store
    _after: tuple[Past, ...]
    # The store as it was left, until nobody can begin with it any more.
    _store: Store | None
    # The nearest waist, and how many there are up to the root, which has none.
    _waist: Past | None
    _depth: int
    # What was lost on the way from the waist.
    _lost: Sequence[tuple[Order, Conflict]] = ()
    # What a fork wrote; None for others.
    _writes: _Writes | None = None
    _versions: Versions | None = None
    # Whether a fork that came after it has ended, and brings what it brought.
    _passed: bool = False

    def __repr__(self) -> str:
        return f"<past {self.order}>"


class OrderedFork:
    """A fork of a history that has not ended: what it finds and writes is in `store`."""

    __slots__ = ("_history", "_start", "order", "store")

    order: Order
    store: Store

    def __init__(self, history: History, order: Order, start: Past, store: Store) -> None:
        self._history = history
        self._start = start
        self.order = order
        self.store = store

    def end(self) -> Past:
        """It has ended, and counts: what others may come after. Its store may not be written to any more.

        If it wrote nothing, that is what it came after itself.
        """
        return self._history._end(self)

    def leave_out(self) -> None:
        """It has ended, and is not to be merged: it was cancelled, or what it does is discarded (S6)."""
        self._history._leave(self)


class History:
    """Forks of one owner that come after each other, from the moment when this is made to `join` (F9).

    Until then the owner sees nothing of them. What it writes itself meanwhile is younger than all that they write, for
    they count as made at the beginning, whenever they were (F3). `tell` is told of conflicts (F4), in the order of the
    forks; `forget` and `join` call it.

    What a history keeps grows with the forks that have ended, but for what `forget` may forget.
    """

    def __init__(self, owner: Store, tell: Tell = lambda _order, _conflict: None) -> None:
        beginning = owner.fork()
        beginning.cells = paged(beginning.cells, MOST_COPIED)
        self._owner = owner
        self._tell = tell
        self._beginning = beginning
        # What everybody comes after who may still be forked.
        self._root = Past((), beginning, (), beginning, None, 0)
        # Those that have not ended.
        self._running: dict[Order, OrderedFork] = {}
        # Those that have ended since the root, and wrote; and which of them no other has passed.
        self._ended: dict[Order, Past] = {}
        self._last: dict[Past, None] = {}
        self._meetings: weakref.WeakValueDictionary[frozenset[Past], Past] = weakref.WeakValueDictionary()
        # Where anybody wrote since the beginning.
        self._slots: set[int] = set()
        self._keys: set[StateKey] = set()
        self._enough = _FEW
        self._over = False

    @property
    def kept(self) -> int:
        """How many of the forks that have ended are remembered one by one."""
        return len(self._ended)

    def fork(self, order: Order, after: Iterable[Past] = ()) -> OrderedFork:
        """A fork that comes after these; after none it begins where the history does (F9).

        `order` must be greater than those of all that it comes after, and no other fork's. Raises `MergeError` if what
        they wrote does not merge (F4): then there is no fork. Raises `ValueError` for an order that does not fit, for a
        past that was forgotten or is of another history, and after `join`.
        """
        pasts = after if isinstance(after, list) and len(after) < 2 else [*dict.fromkeys(after)]
        self._check(order, pasts)
        start = self._meeting(pasts) if len(pasts) > 1 else pasts[0] if pasts else self._root
        assert start._store is not None
        fork = OrderedFork(self, order, start, start._store.fork())
        self._running[order] = fork
        return fork

    def alone(self) -> Store | None:
        """The store of the only fork that has not ended, if it comes after all that have, and no conflict is untold."""
        if len(self._running) != 1:
            return None
        (fork,) = self._running.values()
        before = [fork._start]
        for past in before:
            if past._writes is None:
                before.extend(past._after)
        if not self._last.keys() <= {*before}:
            return None
        waist: Past | None = fork._start
        while waist is not None:
            if waist._lost:
                return None
            waist = waist._waist
        return fork.store

    def found_in(self, store: Store) -> tuple[dict[int, Cell], dict[StateKey, Cell]]:
        """What a fork finds or has written that was not there at the beginning."""
        here, there = store.cells, self._beginning.cells
        slots = self._slots | store.written.keys()
        now, before = store.state, self._beginning.state
        keys = self._keys | store.written_state.keys()
        return (
            {slot: cell for slot in slots if (cell := here[slot]) not in (None, there[slot])},
            {key: cell for key in keys if (cell := now.get(key)) is not None and cell is not before.get(key)},
        )

    def begin_with(self, write: Callable[[Store], object]) -> Past | None:
        """What forks come after in place of all that was there before: of what this writes; None if that is nothing."""
        fork = self.fork((0,))
        write(fork.store)
        past = fork.end()
        return None if past is self._root else past

    def forget(self, reachable: Iterable[Past]) -> None:
        """From now on forks come after some of these, or after those that have not ended, and after nothing else.

        So what all of them come after needs not be remembered one by one. Call it as often as you like: it looks again
        when as many have ended as were left when it last looked. Tells of the conflicts of those that it forgets.
        """
        if len(self._ended) < self._enough:
            return
        usable = {*reachable, *(fork._start for fork in self._running.values())}
        meet: set[Past] = set()
        waist = _nearest_waist({*usable, *self._last} or {self._root}, meet)
        needed = {*usable, *meet, waist, self._root}
        for past in (*self._ended.values(), *self._meetings.values()):
            if past not in needed:
                past._store = None
        if waist._store is not None and waist is not self._root:
            self._begin_at(waist)
        self._enough = 2 * len(self._ended) + _FEW

    def join(self) -> None:
        """Merge into the owner what a fork would find that came after all of them, as the writes of one fork (F9).

        Raises `MergeError` where that fork would find none: the owner gets what those before the one that does not
        merge left (F4). Raises `ValueError` if any has not ended, or if it was called before.
        """
        if self._over or self._running:
            raise ValueError("A history is joined once, when all its forks have ended")
        self._over = True
        last = [*self._last] or [self._root]
        waist = _nearest_waist(last)
        store, lost, failure = self._merge(waist, last)
        self._tell_to(waist)
        for order, conflict in lost:
            self._tell(order, conflict)
        beginning = self._beginning
        here, there = store.cells, beginning.cells
        written = {slot: here[slot] for slot in sorted(self._slots) if here[slot] not in (None, there[slot])}
        now, before = store.state, beginning.state
        state = {key: now[key] for key in sorted(self._keys) if now.get(key) is not before.get(key)}
        joining = Join(self._owner)
        for conflict in joining.add(_Writes(beginning.born, beginning.base, written, state)):
            self._tell((), conflict)
        joining.commit()
        if failure is not None:
            raise failure

    def _check(self, order: Order, pasts: Sequence[Past]) -> None:
        if self._over:
            raise ValueError("This history was joined: forks that come after that are for another one")
        for past in pasts:
            if past._history is not self._beginning:
                raise ValueError(f"The past {past.order} is of another history")
            if past._store is None:
                raise ValueError(f"The past {past.order} was forgotten: tell `forget` of all that forks may come after")
            if past.order >= order:
                raise ValueError(f"A fork is behind all that it comes after: {order} is not greater than {past.order}")
        if not pasts and self._root.order:
            raise ValueError("The beginning was forgotten: name what the fork comes after")
        if order <= () or order in self._ended or order in self._running:
            raise ValueError(f"Each fork has an order of its own: {order} can't be one")

    def _leave(self, fork: OrderedFork) -> None:
        if self._running.get(fork.order) is not fork:
            raise ValueError(f"The fork {fork.order} has ended before")
        del self._running[fork.order]

    def _end(self, fork: OrderedFork) -> Past:
        if self._running.pop(fork.order, None) is not fork:
            raise ValueError(f"The fork {fork.order} has ended before")
        store, start = fork.store, fork._start
        if not store.written and not store.written_state:
            return start
        writes = _Writes(store.born, store.base, store.written, store.written_state)
        past = Past(fork.order, self._beginning, (start,), store, start, start._depth + 1, (), writes)
        self._slots.update(store.written)
        self._keys.update(store.written_state)
        self._ended[fork.order] = past
        self._last[past] = None
        passed = [start]
        for each in passed:
            if not each._passed:
                each._passed = True
                self._last.pop(each, None)
                if each._writes is None:
                    passed.extend(each._after)
        return past

    def _meeting(self, pasts: Sequence[Past]) -> Past:
        """What a fork finds that comes after all these."""
        key = frozenset(pasts)
        found = self._meetings.get(key)
        if found is None or found._store is None:
            waist = _nearest_waist(pasts)
            store, lost, failure = self._merge(waist, pasts)
            if failure is not None:
                raise failure
            order = max(past.order for past in pasts)
            found = Past(order, self._beginning, tuple(pasts), store, waist, waist._depth + 1, lost)
            self._meetings[key] = found
        return found

    def _merge(
        self, waist: Past, pasts: Iterable[Past]
    ) -> tuple[Store, list[tuple[Order, Conflict]], MergeError | None]:
        """What these leave, what was lost on the way from their waist, and what did not merge."""
        start = waist
        while start._store is None:
            assert start._waist is not None
            start = start._waist
        store = start._store.fork()
        # All are younger than what was there at the start, and none younger than the other: what comes later counts.
        joining = Join(store)
        lost: list[tuple[Order, Conflict]] = []
        failure = None
        try:
            for past, wrote in _between(start, pasts):
                writes = _Writes(store.born, wrote.base, wrote.written, wrote.written_state)
                if past._versions is None:
                    past._versions = {}
                conflicts = joining.add(writes, past._versions)
                if past.order > waist.order:
                    lost += [(past.order, conflict) for conflict in conflicts]
        except MergeError as error:
            failure = error
        joining.commit()
        return store.fork(), lost, failure  # a fork that has written nothing

    def _begin_at(self, waist: Past) -> None:
        """Forget all that came before this one."""
        self._tell_to(waist)
        for order, past in [*self._ended.items()]:
            if order <= waist.order:
                del self._ended[order]
                self._last.pop(past, None)
                past._after, past._waist, past._writes, past._versions, past._lost = (), None, None, None, ()
                if past is not waist:
                    past._store = None
        if self._root is not waist:
            self._root._store = None
        waist._after, waist._waist, waist._lost = (), None, ()
        self._root = waist

    def _tell_to(self, waist: Past) -> None:
        """Tell of the conflicts between the root and this one."""
        lost: list[Sequence[tuple[Order, Conflict]]] = []
        past: Past | None = waist
        while past is not None:
            lost.append(past._lost)
            past = past._waist
        for some in reversed(lost):
            for order, conflict in some:
                self._tell(order, conflict)


def _nearest_waist(pasts: Iterable[Past], meet: set[Past] | None = None) -> Past:
    """The nearest that is above all these, or one of them. Adds to `meet` where the ways of any two of them meet."""
    seen = {*pasts}
    # The deepest first; those of one depth in any order.
    ways = [(-past._depth, id(past), past) for past in seen]
    heapq.heapify(ways)
    while len(ways) > 1:
        above = heapq.heappop(ways)[2]._waist
        assert above is not None
        if above not in seen:
            seen.add(above)
            heapq.heappush(ways, (-above._depth, id(above), above))
        elif meet is not None:
            meet.add(above)
    return ways[0][2]


def _between(start: Past, pasts: Iterable[Past]) -> list[tuple[Past, _Writes]]:
    """The forks after this waist that these are, or come after, in their order; and what they wrote."""
    seen = {start}
    found: list[tuple[Past, _Writes]] = []
    waiting = [*pasts]
    while waiting:
        past = waiting.pop()
        if past not in seen:
            seen.add(past)
            waiting.extend(past._after)
            if past._writes is not None:
                found.append((past, past._writes))
    return sorted(found, key=lambda each: each[0].order)
