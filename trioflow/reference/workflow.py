"""Workflows in rounds: all that is ready is run, then all that can join does (spec/rules/workflow.md).

A loop that says what the rules say, and no more: pasts are sets, what a strand finds is folded from the beginning each
time, whether a token can still come to a join is asked of all wires there are. Strands run in place, as in `big_step`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

import attrs

from trioflow.contract.trace import digest
from trioflow.reference.graph import Cell, Failure, Target, TokenWire
from trioflow.reference.store import Key, merged
from trioflow.reference.strands import Cancelled, Line, Run, Steps, Strand

if TYPE_CHECKING:
    from trioflow.reference.control import Activation, Group

MOST_TURNS = 1000


@attrs.define(eq=False)
class Work:
    """What one strand did: its place in the canonical order, what it comes after, what it found and what it left."""

    order: tuple[int, ...]
    past: frozenset[Work]
    found: dict[Key, Cell]
    left: dict[Key, Cell] = attrs.field(factory=dict[Key, Cell])


@attrs.define(eq=False)
class Firing:
    """One firing (W2). Its `work` is there as soon as its strand has begun."""

    place: int
    tokens: Sequence[Token]
    round: int = 1
    lane: tuple[int, ...] = ()
    marked: bool = False
    serial: tuple[int, ...] = ()
    turns: dict[int, int] = attrs.field(factory=dict[int, int])
    ghost: str | None = None
    work: Work | None = None

    @property
    def key(self) -> tuple[int, ...]:
        """W10."""
        return (self.round, self.place, len(self.lane) + bool(self.serial), *self.lane, *self.serial)


Token = tuple[TokenWire, "Firing | None"]
"""A wire, and the firing that it comes from; None for those with which a scope begins."""


def rounds(owner: Activation, group: Group) -> Steps:
    """The body of a scope (W13)."""
    scope = Scope(owner, group)
    try:
        yield group.hold(scope.run())
        failures = [failure for _, failure in sorted(scope.failures, key=lambda each: each[0])]
        if failures:  # W12
            codes = {code for failure in failures for code in failure.codes}
            raise Failure(*codes, origin=failures[0].origin if len(failures) == 1 else None)
    except Failure:
        yield scope.undo()
        raise
    except Cancelled:
        scope.hand_on()
        raise
    scope.hand_on()


class Scope:
    """One scope."""

    def __init__(self, owner: Activation, group: Group) -> None:
        self.owner, self.group = owner, group
        self.owner_run: Run = owner.run
        self.graph = owner.run.graph
        self.opened = owner.strand.store.fork()
        self.base = {key: cell for key, (_, cell) in self.opened.entries.items()}
        self.ready: list[Firing] = []
        self.waiting: dict[int, list[Token]] = {}
        self.early: dict[tuple[int, int], list[Token]] = {}
        self.fired: Counter[int] = Counter()
        self.serials: Counter[int] = Counter()
        self.done: list[Work] = []
        self.merges: dict[tuple[Key, int, int], Cell] = {}
        self.kept: list[Any] = []
        self.failures: list[tuple[tuple[int, ...], Failure]] = []
        self.done_here: list[tuple[tuple[int, ...], str, dict[Key, Cell]]] = []

    def run(self) -> Steps:
        """Round after round, until nothing is alive."""
        begin = self.owner.target.begin
        assert begin is not None
        entries, wires = begin
        for place in entries:
            self.fire(place, ())
        if wires:  # W3
            first = self.graph.token_nodes[wires[0].source].choose
            wires = choose(wires, first, lambda wire: self.graph.holds(wire, self.owner.strand.store))
        for wire in wires:
            self.arrive(wire, None)
        while True:
            batch, self.ready = sorted(self.ready, key=lambda firing: firing.key), []
            for firing in batch:
                yield self.strand(firing)
            if not self.joins() and not self.ready:
                break
        self.finish()

    # --- tokens ---

    def arrive(self, wire: TokenWire, firing: Firing | None) -> None:
        """W4."""
        place = wire.target
        node, into = self.graph.token_nodes[place], self.graph.into(place)
        if len(into) == 1 or node.join == "each":
            self.fire(place, ((wire, firing),))
        elif node.join == "all":
            self.waiting.setdefault(place, []).append((wire, firing))
        else:  # W8
            turn = self.turns_before(place, ((wire, firing),)).get(place, 0)
            if turn < self.fired[place]:
                self.owner_run.depends("which tokens come first")
                return
            tokens = self.early.setdefault((place, turn), [])
            tokens.append((wire, firing))
            if len(tokens) >= node.least(into):
                del self.early[place, turn]
                self.fired[place] = turn + 1
                self.fire(place, tokens)

    def joins(self) -> bool:
        """Whether any join has fired, or was skipped (W5-W7)."""
        changed = False
        while (place := self.next_join()) is not None:
            changed = True
            if place in self.waiting:
                self.join(place, self.waiting.pop(place))
            else:
                self.give_up(place)
        return changed

    def next_join(self) -> int | None:
        """The join that nothing can come to any more; the first of those that only wait for one another (W5, W6)."""
        early = {place for place, _ in self.early}
        held = {*self.waiting, *early}
        reach = self.graph.reach
        for places in (self.waiting, early):
            for place in sorted(places):
                if not self.can_come(place, held):
                    return place
        for places in (self.waiting, early):
            for place in sorted(places) if not self.ready else ():
                if all(other in reach(place) for other in held if place in reach(other)):
                    return place
        return None

    def can_come(self, place: int, held: set[int]) -> bool:
        """Whether any token can still come to a join: from what fires, or waits elsewhere (W5)."""
        alive = {firing.place for firing in self.ready} | (held - {place})
        return any(place in self.graph.reach(other) for other in alive)

    def give_up(self, place: int) -> None:
        """Nothing more can come to a node with `join: first` (W7)."""
        turn = min(turn for other, turn in self.early if other == place)
        tokens = self.early.pop((place, turn))
        if self.graph.token_nodes[place].unmet == "fail":
            self.fired[place] = turn + 1
            self.fire(place, tokens, "unmet")

    def join(self, place: int, tokens: Sequence[Token]) -> None:
        """W5, W7."""
        node = self.graph.token_nodes[place]
        if len({wire.place for wire, _ in tokens}) >= node.least(self.graph.into(place)):
            self.fire(place, tokens)
        elif node.unmet == "fail":
            self.fire(place, tokens, "unmet")

    def fire(self, place: int, tokens: Sequence[Token], ghost: str | None = None) -> None:
        """W10, W15."""
        firing = self.firing(place, tokens)
        firing.ghost = firing.ghost or ghost
        self.ready.append(firing)

    def firing(self, place: int, tokens: Sequence[Token], *, alone: bool = False) -> Firing:
        node, several = self.graph.token_nodes[place], len(self.graph.into(place)) > 1
        tokens = sorted(tokens, key=lambda token: (token[0].place, token[1].key if token[1] else ()))
        firing = Firing(place, tokens)
        if tokens:
            firing.round = 1 + max(source.round if source else 0 for _, source in tokens)
            wire, source = tokens[0]
            if several and node.join != "each":
                self.serials[place] += 1
                firing.serial = (place, self.serials[place])
            else:
                firing.lane, firing.serial = (source.lane, source.serial) if source else ((), ())
                firing.marked = alone and source is not None and source.marked
                if several and not firing.marked:
                    firing.lane += (wire.place, firing.round)
                    firing.marked = True
        if place in self.graph.reach(place):  # it is in a circle
            firing.turns = self.turns_before(place, tokens)
            firing.turns[place] = firing.turns.get(place, 0) + 1
            circle = [other for other in self.graph.reach(place) if place in self.graph.reach(other)]
            said = max(self.graph.token_nodes[other].most or 0 for other in circle)
            if firing.turns[place] > (node.most or max(said, MOST_TURNS)):
                firing.ghost = "exhausted"
        return firing

    def turns_before(self, place: int, tokens: Sequence[Token]) -> dict[int, int]:
        found: dict[int, int] = {}
        for _, source in tokens:
            if source and source.place in self.graph.reach(place) and place in self.graph.reach(source.place):
                for other, turn in source.turns.items():
                    found[other] = max(turn, found.get(other, 0))
        return found

    # --- strands ---

    def strand(self, firing: Firing) -> Steps:
        """W9, W11: a strand that comes after those of its tokens, up to where one token is not all there is."""
        run, path = self.owner_run, (*self.owner.path, *firing.key[:-1])
        past: set[Work] = set()
        for _, source in firing.tokens:
            if source and source.work:
                past |= {source.work, *source.work.past}
        found = self.fold(past)
        work = Work(firing.key, frozenset(past), found)
        store = self.opened.beginning_with(found)
        run.tell("forked", path)
        run.forked = True

        def steps() -> Steps:
            here: Firing | None = firing
            while here is not None:
                here.work = work
                here = yield self.one(here, strand)
            work.left = {key: cell for key, (_, cell) in store.entries.items() if found.get(key) is not cell}
            self.done.append(work)
            run.tell("joined", path)

        strand = Strand(store, self.group.scope, Line(path), self.owner.strand.groups)
        strand.scope_of_firing = self
        self.group.forks.append(strand)
        run.spawn(strand, self.group.forked(steps()))
        if strand.failure or self.group.scope.cancelled:
            raise Cancelled
        return
        yield

    def one(self, firing: Firing, strand: Strand) -> Steps:  # noqa: C901 - how a firing may end, one after the other
        """One firing, and the tokens that it makes; gives the firing that goes on in the strand, if any."""
        graph, failure = self.graph, None
        activation = None
        node = graph.token_nodes[firing.place]
        taken: list[TokenWire] = []
        if firing.ghost == "exhausted":
            taken = self.taken(firing, {"exhausted"}, None, strand)
            failure = None if taken else Failure("turns")
        else:
            try:
                if firing.ghost == "unmet":
                    raise Failure("join-unmet")
                target = Target(node.node, firing.tokens[0][0].entered if firing.tokens else None, self.payload(firing))
                path = (*self.owner.path, *firing.key)
                activation = type(self.owner)(self.owner_run, strand, path, node.node, target, Line(path))

                def decide(way: str | None) -> None:
                    taken.extend(self.taken(firing, {"completed", "ended"}, way, strand))
                    self.can_undo(activation)

                activation.decide = decide
                yield activation.admitted()
            except Cancelled:
                self.broke_off(activation)
                raise
            except Failure as error:
                failure = error
                self.broke_off(activation)
                try:
                    taken = self.taken(firing, {"failed", "ended"}, None, strand)
                except Failure as other:
                    failure, taken = other, []
                failure = None if taken else failure
        if failure is not None:
            if not graph.collects:
                self.owner_run.depends("what a failure cuts off")
                raise failure
            self.failures.append((firing.key, failure))
        if len(taken) == 1:
            target_node = graph.token_nodes[taken[0].target]
            if len(graph.into(taken[0].target)) == 1 or target_node.join == "each":
                return self.firing(taken[0].target, [(taken[0], firing)], alone=True)
        for wire in taken:
            self.arrive(wire, firing)
        return None

    def can_undo(self, activation: Activation) -> None:
        """W17: with what it has left."""
        undo = self.graph.token_nodes[activation.path[len(self.owner.path) + 1]].undo
        if undo is not None:
            cells = {key: cell for key, (_, cell) in activation.strand.store.entries.items()}
            self.done_here.append((activation.path, undo, cells))

    def broke_off(self, activation: Activation | None) -> None:
        """W21: it has begun, and not completed."""
        if activation is not None and activation.begun:
            place = activation.path[len(self.owner.path) + 1]
            if self.graph.token_nodes[place].undo_from == "started":
                self.can_undo(activation)

    def hand_on(self) -> None:
        """W17: what was done here may still have to be undone, with the scope around it."""
        around = self.owner.strand.scope_of_firing
        if around is not None:
            around.done_here += self.done_here

    def undo(self) -> Steps:
        """W17: the last first."""
        places = {each.node.id: place for place, each in enumerate(self.graph.token_nodes)}
        group = self.group.like_it()

        def work() -> Steps:
            for path, name, found in sorted(self.done_here, key=lambda each: each[0], reverse=True):
                key = (*self.owner.path, 0, places[name], *path[len(self.owner.path) :])
                store = self.opened.beginning_with(found)
                node = self.graph.token_nodes[places[name]].node
                strand = Strand(store, group.scope, Line(key[:-1]), self.owner.strand.groups)
                group.forks.append(strand)
                self.owner_run.tell("forked", key[:-1])
                activation = type(self.owner)(self.owner_run, strand, key, node, Target(node), Line(key))
                self.owner_run.spawn(strand, activation.admitted())
            return
            yield

        yield group.hold(work())

    def payload(self, firing: Firing) -> Any:
        return None if firing.tokens else self.owner.target.payload

    def taken(self, firing: Firing, outcomes: set[str], way: str | None, strand: Strand) -> list[TokenWire]:
        """W3."""
        node = self.graph.token_nodes[firing.place]
        wires = [
            wire
            for wire in self.graph.wires
            if wire.source == firing.place and wire.on & outcomes and wire.output in (None, way or wire.output)
        ]
        if way is None and "completed" in outcomes:
            wires = [wire for wire in wires if wire.output is None]
        return choose(wires, node.choose, lambda wire: self.graph.holds(wire, strand.store))

    # --- stores (F9) ---

    def fold(self, past: set[Work], conflicts: list[tuple[Work, str]] | None = None) -> dict[Key, Cell]:
        """What all of these have left, in canonical order."""
        here = dict(self.base)
        for work in sorted(past, key=lambda each: each.order):
            for key, theirs in work.left.items():
                base, mine = work.found.get(key), here.get(key)
                if key[0] != "var" or mine is base:
                    here[key] = theirs
                    continue
                policy = self.graph.variables[key[1]].get("merge", "last")
                if policy == "last" and conflicts is not None:
                    conflicts.append((work, key[1]))
                if policy in ("last", "first"):
                    here[key] = theirs if policy == "last" else here[key]
                    continue
                assert base is not None
                assert mine is not None
                place = (key, id(mine), id(work))
                if place not in self.merges:
                    value = merged(policy, base.value, mine.value, theirs.value)
                    self.merges[place] = Cell(value, "+" + digest([mine.origin, theirs.origin]))
                    self.kept += [mine, work]
                here[key] = self.merges[place]
        return here

    def finish(self) -> None:
        """W9: the owner finds what a strand would that came after all of them, as the writes of one fork."""
        run = self.owner_run
        conflicts: list[tuple[Work, str]] = []
        left = self.fold({*self.done}, conflicts)
        for work, name in conflicts:
            run.tell("conflict", (*self.owner.path, *work.order[:-1]), name)
        self.opened.replace(left)
        for name in self.owner.strand.store.join(self.opened):
            run.tell("conflict", self.owner.path, name)


def choose(wires: Sequence[TokenWire], first: str, holds: Callable[[TokenWire], bool]) -> list[TokenWire]:
    """W3: the wires that are taken, of those whose outcome it is."""
    if first == "first":
        wires = sorted(wires, key=lambda wire: (-wire.priority, wire.place))
    held = {wire: holds(wire) for wire in wires if wire.when is not None}

    def is_taken(wire: TokenWire) -> bool:
        if wire.otherwise:
            return not any(ok for other, ok in held.items() if (other.output, other.on) == (wire.output, wire.on))
        return held.get(wire, True)

    found = list(_first_only(filter(is_taken, wires)) if first == "first" else filter(is_taken, wires))
    if wires and first == "first" and not found:
        raise Failure("no-way")
    return found


def _first_only(wires: Iterator[TokenWire]) -> Iterator[TokenWire]:
    for wire in wires:
        yield wire
        return
