"""The token machine: which nodes of a workflow fire, when, and in which order what they did counts (W2-W8, W10-W16).

`take` gives the next firing that may start, `end` takes what became of it. Everything else is decided here, and nothing
depends on time, but which tokens come first at a node with `join: first` (W8).

What is alive is counted by part (W5): firings that are ready or under way, wires that lead in from parts that are not
over, and tokens that wait at joins. When nothing is alive around a join any more it fires, or is skipped.
"""

from __future__ import annotations

import heapq
from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import Any, Literal

import attrs

from trioflow.semantics.workflow.net import LEVELS, NetNode, Region, Wire

Ghost = Literal["exhausted", "unmet"]
"""Why a firing ends without its body being run: its node has no turn left (W15), or its join was not met (W7)."""

SHARES = (1, 2, 4, 8)
"""How many firings of each priority start before those of a lower one have their turn (W16)."""

_NO_TURNS: dict[int, int] = {}


class Firing:
    """One activation of a node for one or more tokens (W2)."""

    __slots__ = (
        "cancelled", "ghost", "goes_on", "home", "lane", "marked", "net", "node", "numbers", "past", "released",
        "round", "serial", "tokens", "turns", "undoable",
    )  # fmt: skip

    node: int
    net: NetNode
    numbers: tuple[int, ...]
    """Its key: no other firing of its scope has it, and it is greater than those of all in its past (W10).

    Round, place, what follows, then the lane and the serial. What follows is twice the wires of the lane, and one more
    if there is a serial. What opens a scope has none.
    """
    round: int
    lane: tuple[int, ...]
    """The wires over which tokens came to nodes with `join: each`, since the last join, each with the round."""
    marked: bool
    """Whether its strand is in the lane, so that lone tokens need not lengthen it."""
    serial: tuple[int, ...]
    """The last join of several wires on its way: its place, and the how many-th firing of it that was."""
    tokens: tuple[Token, ...]
    """What it fires for; until it has ended."""
    turns: dict[int, int]
    """By place, of nodes in its circle: how many turns they have had in its past, itself included (W15)."""
    ghost: Ghost | None
    goes_on: bool
    """Whether it goes on in the strand of the firing before, whose only token it got (W11)."""
    home: Firing
    """The firing with which its strand began."""
    past: Any
    """For the shell: of a strand that has ended, what others come after."""
    cancelled: bool
    """Whether a join that did not wait for it has cancelled it (W8)."""
    released: object
    undoable: tuple[Any, ...]
    """For the shell: the last of what was done in its past that can be undone (W17)."""

    @property
    def turn(self) -> int:
        """Which turn of its node it is, if that is in a circle."""
        return self.turns.get(self.node, 1)

    def __repr__(self) -> str:
        return f"<firing {'.'.join(map(str, self.numbers))} of {self.net.id!r}>"


Token = tuple[Wire, Firing]
"""A token is on a wire, and has no content but its past: the firing that made it (W2)."""


@attrs.frozen
class Standing:
    """Where a scope is in which one firing is under way, and nothing else is alive: all that is needed to begin there.

    Plain numbers: what the firing is known by, its tokens by the places of their wires, and pairs of what was counted.
    """

    numbers: tuple[int, ...]
    node: int
    round: int
    lane: tuple[int, ...]
    marked: bool
    serial: tuple[int, ...]
    turns: tuple[tuple[int, int], ...]
    wires: tuple[int, ...]
    open: tuple[tuple[int, int], ...]
    serials: tuple[tuple[int, int], ...]
    fired: tuple[tuple[int, int], ...]


@attrs.frozen
class Skipped:
    """A join to which tokens came over too few wires (W7)."""

    node: NetNode
    came: tuple[Wire, ...]
    missing: tuple[Wire, ...]


class Machine:
    """One scope of a workflow (W13)."""

    def __init__(self, region: Region) -> None:
        self.net = net = region.net
        self._nodes = net.nodes
        self._region = region
        # Ready and under way.
        self.alive = 0
        # By part: as far as it is looked at.
        self._open = {**region.open}
        self._busy = dict.fromkeys(region.open, 0)
        self._held: dict[int, dict[int, list[Token]]] = {}
        # Of nodes with `join: first`: what came since they fired last, by place and turn; and the last turn.
        self._early: dict[int, dict[int, list[Token]]] = {}
        self._fired: dict[int, int] = {}
        self._serials: dict[int, int] = {}
        self._ready: list[tuple[tuple[int, ...], Firing]] = []
        self._start = _Starting(self) if not net.is_plain else None
        self.queues = not net.is_plain
        """Whether firings may have to wait until they may start (W16), also those that go on in their strand."""
        self.skipped: list[Skipped] = []
        self.cancelled: list[Firing] = []
        """Firings under way that are to be cancelled (W8): the shell takes them from here."""
        for place in region.entries:
            self._fire(place, ())
        if region.opening is None:
            self._settle(region.sources)

    def open_with(self, wires: Iterable[Wire]) -> None:
        """Begin with tokens on these wires, which have no past (W13)."""
        opener = _opener(None)
        for wire in wires:
            self._arrive(wire, opener)
        self._settle(self._region.sources)

    def standing(self, firing: Firing) -> Standing | None:
        """Where it is, if nothing is alive but this firing, which is under way and has come over wires."""
        if self.alive != 1 or not firing.tokens or any(self._held.values()) or any(self._early.values()):
            return None
        return Standing(
            firing.numbers, firing.node, firing.round, firing.lane, firing.marked, firing.serial,
            tuple(firing.turns.items()), tuple(wire.place for wire, _ in firing.tokens), tuple(self._open.items()),
            tuple(self._serials.items()), tuple(self._fired.items()),
        )  # fmt: skip

    def begin_at(self, standing: Standing, past: Any) -> None:
        """Begin with that firing, which comes after this past, in place of all with which the scope began."""
        self._open, self._busy = dict(standing.open), dict.fromkeys(self._busy, 0)
        self._held, self._early, self._ready = {}, {}, []
        self._serials, self._fired = dict(standing.serials), dict(standing.fired)
        if self._start is not None:
            self._start = _Starting(self)
        source = _opener(past)
        wires = {wire.place: wire for wire in self.net.wires}
        firing = Firing()
        firing.numbers, firing.node, firing.net = standing.numbers, standing.node, self._nodes[standing.node]
        firing.tokens = tuple((wires[place], source) for place in standing.wires)
        firing.goes_on = firing.cancelled = False
        firing.home, firing.past, firing.ghost, firing.released, firing.undoable = firing, None, None, None, ()
        firing.round, firing.lane, firing.marked = standing.round, standing.lane, standing.marked
        firing.serial, firing.turns = standing.serial, dict(standing.turns)
        self.alive = 1
        if firing.net.part >= 0:
            self._busy[firing.net.part] = 1
        if self._start is not None:
            self._start.add(firing)
        else:
            self._ready.append((firing.numbers, firing))

    def take(self) -> Firing | None:
        """The next firing that may start now; from then on it is under way (W16)."""
        if self._start is not None:
            return self._start.take()
        return heapq.heappop(self._ready)[1] if self._ready else None

    def end(self, firing: Firing, taken: Sequence[Wire] = ()) -> Firing | None:
        """A firing has ended, and these wires are taken. Returns the firing that goes on in its strand, if any (W11).

        Where the machine `queues`, `take` gives it when it may start; otherwise it is under way.
        """
        starting = self._start
        if starting is not None:
            starting.ended(firing)
        following: Firing | None = None
        if len(taken) == 1 and self._nodes[(wire := taken[0]).target].kind in ("one", "each"):
            following = self._make(wire.target, ((wire, firing),), alone=True)
            following.goes_on, following.home = True, firing.home
            if starting is not None:
                starting.add(following)
        else:
            for wire in taken:
                self._arrive(wire, firing)
        if firing.net.stops and not firing.cancelled and firing.ghost is None:
            self._stop()
        firing.tokens = ()
        self.alive -= 1
        part = firing.net.part
        if part >= 0:
            self._busy[part] -= 1
            if not self._busy[part] and not self._open[part]:
                self._settle((part,))
        return following

    @property
    def has_news(self) -> bool:
        """Whether `take` may have something to give, or there is something to be told or cancelled."""
        return bool(self._ready or self.skipped or self.queues)

    def waiting(self) -> Iterator[Firing | None]:
        """The firings of all tokens that have not been taken by a firing that has started; None for one without any."""
        for _, firing in self._ready if self._start is None else self._start.waiting():
            if not firing.goes_on:
                yield from (source for _, source in firing.tokens)
                if not firing.tokens:
                    yield None
        for waiting in (*self._held.values(), *self._early.values()):
            for tokens in waiting.values():
                yield from (source for _, source in tokens)

    # --- firing ---

    def _arrive(self, wire: Wire, firing: Firing) -> None:
        """A token is on a wire (W4)."""
        node = self._nodes[wire.target]
        kind = node.kind
        if kind in ("one", "each"):
            self._fire(wire.target, ((wire, firing),))
        elif kind == "all":
            held = self._held.get(node.part)
            if held is None:
                held = self._held[node.part] = {}
            waiting = held.get(wire.target)
            if waiting is None:
                held[wire.target] = [(wire, firing)]
            else:
                waiting.append((wire, firing))
        else:
            self._come_first(node, wire, firing)

    def _come_first(self, node: NetNode, wire: Wire, firing: Firing) -> None:
        """W8: it fires at the min-th token. What comes after it begins anew, what does not is dropped."""
        turn = firing.turns.get(node.place, 0)
        if turn < self._fired.get(node.place, 0):
            return
        early = self._early.setdefault(node.place, {})
        tokens = early.setdefault(turn, [])
        tokens.append((wire, firing))
        if len(tokens) >= node.min:
            del early[turn]
            self._fired[node.place] = turn + 1
            self._fire(node.place, _in_order(tokens))
            if node.cancels:
                self._cancel(node.cancels)

    def _fire(self, place: int, tokens: tuple[Token, ...], ghost: Ghost | None = None) -> None:
        firing = self._make(place, tokens)
        if ghost is not None and firing.ghost is None:  # who has no turn left is not asked whether its join was met
            firing.ghost = ghost
        if self._start is not None:
            self._start.add(firing)
        else:
            heapq.heappush(self._ready, (firing.numbers, firing))

    def _make(self, place: int, tokens: tuple[Token, ...], *, alone: bool = False) -> Firing:
        """A firing for these tokens. `alone`: nobody else has the turns of the one that it comes after."""
        self.alive += 1
        node = self._nodes[place]
        if node.part >= 0:
            self._busy[node.part] += 1
        firing = Firing()
        firing.node, firing.net, firing.tokens = place, node, tokens
        firing.goes_on = firing.cancelled = firing.marked = False
        firing.home, firing.past, firing.ghost, firing.released = firing, None, None, None
        firing.undoable = _undoable(tokens) if self.net.undoes else ()
        if not tokens:
            firing.round, firing.lane, firing.serial = 1, (), ()
        elif node.kind in ("one", "each"):  # W10
            wire, source = tokens[0]
            firing.round = source.round + 1
            firing.lane, firing.serial = source.lane, source.serial
            firing.marked = alone and source.marked
            if node.kind == "each" and not firing.marked:
                firing.lane = (*source.lane, wire.place, firing.round)
                firing.marked = True
        else:
            firing.round = 1 + max([source.round for _, source in tokens])
            firing.lane = ()
            nth = self._serials[place] = self._serials.get(place, 0) + 1
            firing.serial = (place, nth)
        lane, serial = firing.lane, firing.serial
        firing.numbers = (firing.round, place, len(lane) + bool(serial), *lane, *serial)
        if node.circle < 0:
            firing.turns = _NO_TURNS
        else:  # W15
            turns = _turns_before(node, tokens, alone=alone)
            turn = turns[place] = turns.get(place, 0) + 1
            firing.turns = turns
            if turn > node.most:
                firing.ghost = "exhausted"
        return firing

    # --- joining ---

    def _settle(self, parts: Sequence[int]) -> None:
        """Parts into which nothing can come any more: fire their joins one by one, or close them (W5-W7)."""
        waiting = [*parts]
        while waiting:
            part = waiting.pop()
            held = self._held.get(part)
            while held and not self._busy[part]:
                # Several only if they wait for one another: then the first in the document fires (W6).
                place = min(held)
                self._join(place, held.pop(place))
            if self._early and not self._busy[part]:
                self._give_up(part)
            if self._busy[part] or self._open[part]:
                continue
            self._open[part] = -1  # it is over
            for other in self.net.beyond.get(part, ()):
                if other in self._open:
                    self._open[other] -= 1
                    if not self._open[other] and not self._busy[other]:
                        waiting.append(other)

    def _join(self, place: int, tokens: list[Token]) -> None:
        node = self._nodes[place]
        if node.min == 1 or len({wire.place for wire, _ in tokens}) >= node.min:
            self._fire(place, _in_order(tokens))
        else:
            self._skip(node, tokens)

    def _give_up(self, part: int) -> None:
        """Nothing more can come to nodes with `join: first` in this part (W7)."""
        for place in sorted(place for place in self._early if self._nodes[place].part == part):
            early = self._early[place]
            while early and not self._busy[part]:
                turn = min(early)
                self._skip(self._nodes[place], early.pop(turn))
                if self._nodes[place].fails_unmet:
                    self._fired[place] = turn + 1

    def _skip(self, node: NetNode, tokens: list[Token]) -> None:
        """W7: `min` was not reached when all has come."""
        came = {wire.place: wire for wire, _ in sorted(tokens, key=_by_wire)}
        missing = tuple(wire for wire in node.into if wire.place not in came)
        if node.fails_unmet:
            self._fire(node.place, _in_order(tokens), "unmet")
        else:
            self.skipped.append(Skipped(node, tuple(came.values()), missing))

    def _cancel(self, places: Collection[int]) -> None:
        assert self._start is not None
        self.cancelled += self._start.cancel(places)

    def _stop(self) -> None:
        """W14: nothing fires any more, and what is under way is cancelled."""
        self._held.clear()
        self._early.clear()
        self._cancel(self._nodes)


def _opener(past: Any) -> Firing:
    """In place of a firing, for the tokens with which a scope begins."""
    opener = Firing()
    opener.numbers, opener.round, opener.lane, opener.serial, opener.turns = (), 0, (), (), _NO_TURNS
    opener.home, opener.past, opener.marked, opener.undoable = opener, past, False, ()
    return opener


def _by_wire(token: Token) -> tuple[int, tuple[int, ...]]:
    wire, source = token
    return wire.place, source.numbers


def _in_order(tokens: list[Token]) -> tuple[Token, ...]:
    """By wire, then by what came over it."""
    if len(tokens) < 2:
        return tuple(tokens)
    if len(tokens) == 2 and tokens[0][0].place != tokens[1][0].place:  # as mostly
        one, other = tokens
        return (one, other) if one[0].place < other[0].place else (other, one)
    return tuple(sorted(tokens, key=_by_wire))


def _undoable(tokens: tuple[Token, ...]) -> tuple[Any, ...]:
    if len(tokens) == 1:
        return tokens[0][1].undoable
    return tuple(dict.fromkeys(each for _, source in tokens for each in source.undoable))


def _turns_before(node: NetNode, tokens: tuple[Token, ...], *, alone: bool) -> dict[int, int]:
    """The turns that nodes of its circle have had in the pasts of these tokens: of each the greatest."""
    turns: dict[int, int] | None = None
    for _, source in tokens:
        if source.round and source.net.circle == node.circle:
            if turns is None:
                turns = source.turns if alone else {**source.turns}
            else:
                for place, turn in source.turns.items():
                    turns[place] = max(turn, turns.get(place, 0))
    return {} if turns is None else turns


class _Starting:
    """Which of the firings that are ready may start: limits, groups, queues, priorities (W16)."""

    def __init__(self, machine: Machine) -> None:
        net = machine.net
        self._nodes = net.nodes
        self._limit = net.limit
        self._groups = net.groups
        self._ready: list[list[tuple[tuple[int, ...], Firing]]] = [[] for _ in LEVELS]
        self._credits = [*SHARES]
        self._running = 0
        # By node, and by name of group: how many are under way; and how many firings of a node are ready.
        self._at_once: dict[int | str, int] = {}
        self._queued: dict[int, int] = {}
        # By what they wait for: a node's limit, a group, or the queue of a node that they lead to.
        self._blocked: dict[object, list[tuple[tuple[int, ...], Firing]]] = {}
        self._keeps = net.may_cancel
        self._under_way: dict[Firing, None] = {}

    def add(self, firing: Firing) -> None:
        node = firing.net
        if node.queue:
            self._queued[node.place] = self._queued.get(node.place, 0) + 1
        heapq.heappush(self._ready[node.level], (firing.numbers, firing))

    def waiting(self) -> Iterator[tuple[tuple[int, ...], Firing]]:
        for some in (*self._ready, *self._blocked.values()):
            yield from some

    def take(self) -> Firing | None:
        while self._limit is None or self._running < self._limit:
            level = self._next_level()
            if level is None:
                return None
            entry = heapq.heappop(self._ready[level])
            firing = entry[1]
            reason = self._reason_to_wait(firing.net)
            if reason is not None:
                heapq.heappush(self._blocked.setdefault(reason, []), entry)
                if firing.released not in (None, reason):  # the place that became free is for the next one
                    released, firing.released = firing.released, None
                    self._release(released)
                continue
            self._credits[level] -= 1
            self._begin(firing)
            return firing
        return None

    def ended(self, firing: Firing) -> None:
        node = firing.net
        self._running -= 1
        self._under_way.pop(firing, None)
        for key in (node.place if node.limit else None, node.group):
            if key is not None:
                self._at_once[key] -= 1
                self._release(key)

    def cancel(self, places: Collection[int]) -> list[Firing]:
        """Cancel all firings of these nodes, and tell those that are under way; others end when they are taken."""
        found = [firing for firing in self._under_way if firing.node in places]
        for firing in (*found, *(firing for _, firing in self.waiting() if firing.node in places)):
            firing.cancelled = True
        return found

    def _begin(self, firing: Firing) -> None:
        node = firing.net
        self._running += 1
        if self._keeps:
            self._under_way[firing] = None
        for key in (node.place if node.limit else None, node.group):
            if key is not None:
                self._at_once[key] = self._at_once.get(key, 0) + 1
        if node.queue:
            self._queued[node.place] -= 1
            if self._queued[node.place] < node.queue:
                blocked = self._blocked.pop(("queue", node.place), ())
                for entry in blocked:
                    heapq.heappush(self._ready[entry[1].net.level], entry)

    def _next_level(self) -> int | None:
        """Of those with ready firings the highest that has a start left; if none has, all get theirs anew."""
        found: int | None = None
        for level in reversed(range(len(LEVELS))):
            if self._ready[level]:
                if self._credits[level]:
                    return level
                found = level if found is None else found
        if found is not None:
            self._credits = [*SHARES]
        return found

    def _reason_to_wait(self, node: NetNode) -> object | None:
        if node.limit and self._at_once.get(node.place, 0) >= node.limit:
            return node.place
        if node.group is not None and self._at_once.get(node.group, 0) >= self._groups.get(node.group, 1):
            return node.group
        for place in node.feeds:
            queue = self._nodes[place].queue
            if queue and self._queued.get(place, 0) >= queue:
                return "queue", place
        return None

    def _release(self, key: object) -> None:
        """A place has become free: the first that waits for it may look again."""
        blocked = self._blocked.get(key)
        if blocked:
            entry = heapq.heappop(blocked)
            entry[1].released = key
            heapq.heappush(self._ready[entry[1].net.level], entry)
