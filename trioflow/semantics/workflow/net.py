"""The net of a workflow: its exec nodes and wires, prepared so that the machine decides nothing about their shape.

A *part* is a set of nodes that all lead to each other, or a single node. Whether a token can still come to a join is
known part by part (W5): nothing can once nothing is under way in its part, and all parts that lead into it are over.
Parts from which no join is reached are not looked at.

A *region* is what can be reached from where a scope begins: the whole net, or what is behind one exec output (W13).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Literal

import attrs

from trioflow.errors import NoWay
from trioflow.model.composition import LEAVE, PROGRESS, STOP, Boundary
from trioflow.model.graph import Connection, Graph, JoinPolicy, Outcome
from trioflow.model.node_type import NodeType
from trioflow.model.policy import fired_instead
from trioflow.semantics.topology import knots

Kind = Literal["one", "all", "each", "first", "parallel", "inclusive"]
"""How a node takes tokens: `one` wire leads to it, or several, and its `join` decides (W4)."""

GATES: frozenset[Kind] = frozenset[Kind](("parallel", "inclusive"))
"""Those that take one token from each wire (W19)."""

MOST_TURNS = 1000
"""How many turns a node in a circle has if it doesn't say, nor another one there says more (W15)."""

LEVELS = ("low", "normal", "high", "critical")
"""The priorities, the lowest first."""


@attrs.frozen(eq=False)
class Wire:
    """One exec wire that is enabled (W18). `place` is its place among the connections of the document."""

    place: int
    source: int
    target: int
    output: str | None
    """The exec output that it starts at; None for a wire that does not care."""
    entered: str | None
    """The exec input that it leads to."""
    on: frozenset[Outcome]
    when: str | None
    otherwise: bool
    priority: int
    connection: Connection

    def __str__(self) -> str:
        return str(self.connection)


Holds = Callable[[Wire], bool]
"""Whether the condition of a wire holds. What it raises is the failure of the firing."""


class Way:
    """The wires that may be taken where a firing ends in one certain way (W3)."""

    __slots__ = ("always", "conditional", "first", "node", "wires")

    def __init__(self, node: str, wires: Sequence[Wire], *, first: bool) -> None:
        self.node = node
        self.wires = tuple(sorted(wires, key=lambda wire: (-wire.priority, wire.place)) if first else wires)
        self.first = first
        self.conditional = any(wire.when is not None or wire.otherwise for wire in wires)
        # What is taken whatever conditions say, if there are none.
        self.always = () if self.conditional else self.wires[:1] if self.first else self.wires

    def taken(self, holds: Holds) -> tuple[Wire, ...]:
        """Those that are taken, in the order of the document. Raises `NoWay` if one has to be chosen and none can be.

        Raises what a condition raises.
        """
        if not self.conditional:  # most often
            return self.always
        held: dict[Wire, bool] = {wire: holds(wire) for wire in self.wires if wire.when is not None}
        found = [wire for wire in self.wires if (self._is_left(wire, held) if wire.otherwise else held.get(wire, True))]
        if not self.first:
            return tuple(found)
        if not found:
            raise NoWay(
                f"Node {self.node!r} chooses the first wire whose condition holds, and none does: "
                f"{', '.join(f'{wire} (when {wire.when})' for wire in self.wires)}. Add a wire with `else: true`."
            )
        return tuple(found[:1])

    def _is_left(self, wire: Wire, held: Mapping[Wire, bool]) -> bool:
        """Whether no condition held beside an else: of the same output, taken for the same outcomes."""
        return not any(holds for other, holds in held.items() if (other.output, other.on) == (wire.output, wire.on))


@attrs.define(eq=False, slots=True)
class NetNode:
    """An exec node of a workflow."""

    id: str
    place: int
    """Its place among the nodes of the document."""
    kind: Kind = "one"
    into: tuple[Wire, ...] = ()
    out: tuple[Wire, ...] = ()
    min: int = 1
    """Over how many wires tokens must have come (W4, W7)."""
    fails_unmet: bool = False
    cancels: frozenset[int] = frozenset()
    """Of a `first` that cancels the rest: the nodes from which wires lead only there (W8)."""
    most: int = 0
    """How many turns it has (W15); 0 for a node that is in no circle."""
    level: int = 1
    """Its priority."""
    limit: int | None = None
    group: str | None = None
    queue: int | None = None
    feeds: tuple[int, ...] = ()
    """The nodes with a queue that a wire leads straight to, from outside of their circle (W16)."""
    part: int = -1
    """The part that it is in; -1 if no join is reached from it."""
    circle: int = -1
    """The circle that it is in; -1 for none."""
    undo: int | None = None
    undo_begun: bool = False
    """Whether that undoes it also where it has not completed (W21)."""
    stops: bool = False
    """Whether its firings end the scope at once (W14)."""
    completed: Mapping[str, Way] = attrs.field(factory=dict[str, Way])
    """By the exec output that was returned."""
    returned_none: Way | None = None
    failed: Way | None = None
    exhausted: Way | None = None
    progress: Way | None = None
    """What is taken in a scope of its own whenever its body reports how far it is (W23)."""

    def way(self, exit_: str | None) -> Way | None:
        """The wires that may be taken where its body has returned this exec output, or none."""
        return self.returned_none if exit_ is None else self.completed.get(exit_)


@attrs.frozen(eq=False)
class Region:
    """What can be reached from where a scope begins: nodes that fire first, or wires that are taken first."""

    net: Net
    entries: tuple[int, ...]
    opening: Way | None
    open: Mapping[int, int]
    """Of each part: how many wires lead into it from other parts of this region."""
    sources: tuple[int, ...]
    """The parts that none leads into."""


class Net:
    """The exec nodes of a workflow by place, and the wires between them."""

    def __init__(self, graph: Graph, types: Sequence[NodeType | None]) -> None:
        self.graph = graph
        self.limit = graph.limit
        self.groups: Mapping[str, int] = graph.groups
        self.nodes: dict[int, NetNode] = {
            place: NetNode(node.id, place)
            for place, (node, node_type) in enumerate(zip(graph.nodes, types, strict=True))
            if node_type is not None and node_type.is_exec
        }
        self.place = {node.id: place for place, node in self.nodes.items()}
        self.wires = tuple(self._wires(types))
        self._connect(graph, types)
        self._find_parts()
        self._configure(graph)
        self._boundaries = {
            node_type.body: place
            for place, node_type in enumerate(types)
            if node_type is not None and isinstance(node_type.body, Boundary)
        }
        self._listeners = frozenset(
            place for place, node_type in enumerate(types) if node_type is not None and node_type.listens is not None
        )
        # Of each part, the parts that its wires lead to, once for each wire.
        self.beyond: dict[int, list[int]] = {}
        for wire in self.wires:
            there, here = self.nodes[wire.target].part, self._part_of(wire.source)
            if there >= 0 and here != there:
                self.beyond.setdefault(here, []).append(there)
        self.is_plain = not (
            self.limit
            or any(
                node.limit or node.group or node.queue or node.level != 1 or node.cancels or node.stops
                for node in self.nodes.values()
            )
        )
        self.may_cancel = any(node.cancels or node.stops for node in self.nodes.values())
        self.undoes = any(node.undo is not None for node in self.nodes.values())
        self.has_gates = any(node.kind in GATES for node in self.nodes.values())
        self.has_inclusive = any(node.kind == "inclusive" for node in self.nodes.values())
        said = [*(node.policy for node in graph.nodes), *graph.policies.values()]
        # What policies fire in the place of what has failed (P5).
        self.instead = fired_instead([*said, *(each.policy for each in types if each is not None)])
        self._regions: dict[tuple[int, str | None], Region] = {}
        self._ways: dict[int, dict[int, set[int]]] = {}

    @property
    def entered(self) -> tuple[int, ...]:
        """The boundary at which calls come in, if there is one."""
        place = self._boundaries.get(Boundary.ENTER)
        return () if place is None else (place,)

    @property
    def listening_places(self) -> frozenset[int]:
        """The nodes that listen for events."""
        return self._listeners

    # --- where scopes begin ---

    def whole(self, entry: str | None = None) -> Region:
        """All of it: nodes without wires into them fire first, and what is wired to the entry of a call (W2, W14)."""
        key = (-1, entry)
        if key not in self._regions:
            enter = self._boundaries.get(Boundary.ENTER)
            way = None if entry is None or enter is None else self.nodes[enter].way(entry)
            begun = frozenset(wire.target for wire in way.wires) if way else frozenset[int]()
            entries = tuple(place for place in self._entries() if place not in begun)
            self._regions[key] = self._region(entries, way)
        return self._regions[key]

    def _entries(self) -> Iterator[int]:
        """The nodes that fire once, with no token (W2)."""
        undoing = {node.undo for node in self.nodes.values()}
        entered = {
            node.circle
            for node in self.nodes.values()
            if self.graph.nodes[node.place].initiator
            or any(self.nodes[wire.source].circle != node.circle for wire in node.into)
        }
        for place, node in self.nodes.items():
            marked = self.graph.nodes[place].initiator
            if place in undoing or place in self._listeners or place in self._boundaries.values() or marked is False:
                continue
            if node.id in self.instead:  # P5
                continue
            if marked or not node.into:
                yield place
            elif 0 <= node.circle not in entered:
                entered.add(node.circle)  # the first in the document
                yield place

    def behind(self, place: int, output: str) -> Region:
        """What is behind an exec output that a body triggers, or that an item is emitted at (W13)."""
        key = (place, output)
        if key not in self._regions:
            node = self.nodes[place]
            wires = [wire for wire in node.out if wire.output == output and "completed" in wire.on]
            self._regions[key] = self._region((), Way(node.id, wires, first=self.graph.nodes[place].choose == "first"))
        return self._regions[key]

    def reporting(self, place: int) -> Region:
        """What a node does whenever another reports how far it is (W23)."""
        key = (place, PROGRESS)
        if key not in self._regions:
            self._regions[key] = self._region((), self.nodes[place].progress)
        return self._regions[key]

    def listening(self, place: int) -> Region:
        """What a node does that listens for an event (B1)."""
        key = (place, None)
        if key not in self._regions:
            self._regions[key] = self._region((place,), None)
        return self._regions[key]

    def ways_to(self, place: int) -> Mapping[int, set[int]]:
        """By place: over which wires into a node a token there can come to it, without firing it before (W19)."""
        ways = self._ways.get(place)
        if ways is None:
            ways = self._ways[place] = {}
            for last in self.nodes[place].into:
                waiting = [last.source]
                while waiting:
                    source = waiting.pop()
                    ends = ways.setdefault(source, set())
                    if last.place not in ends:
                        ends.add(last.place)
                        if source != place:
                            waiting += (wire.source for wire in self.nodes[source].into)
        return ways

    def reached(self, places: Iterable[int], without: tuple[int, str] | None = None) -> set[int]:
        """These nodes, and all that wires lead to from them; not over those of one exec output."""
        found = {*places}
        waiting = [*found]
        while waiting:
            for wire in self.nodes[waiting.pop()].out:
                if wire.target not in found and (wire.source, wire.output) != without:
                    found.add(wire.target)
                    waiting.append(wire.target)
        return found

    def _region(self, entries: tuple[int, ...], opening: Way | None) -> Region:
        begin = [*entries, *(wire.target for wire in (opening.wires if opening else ()))]
        reached = dict.fromkeys(begin)
        waiting = [*reached]
        open_: dict[int, int] = {}
        while waiting:
            node = self.nodes[waiting.pop()]
            open_.setdefault(node.part, 0)
            for wire in node.out:
                there = self.nodes[wire.target].part
                if there >= 0 and there != node.part:
                    open_[there] = open_.get(there, 0) + 1
                if wire.target not in reached:
                    reached[wire.target] = None
                    waiting.append(wire.target)
        open_.pop(-1, None)
        return Region(self, entries, opening, open_, tuple(part for part, count in open_.items() if not count))

    # --- making it ---

    def _wires(self, types: Sequence[NodeType | None]) -> Iterator[Wire]:
        graph = self.graph
        by_id: dict[str, int] = {}
        for place, node in enumerate(graph.nodes):
            by_id.setdefault(node.id, place)
        for place, connection in enumerate(graph.connections):
            source, target = by_id.get(connection.source.node), by_id.get(connection.target.node)
            if source is None or target is None or not connection.enabled:
                continue
            from_type, to_type = types[source], types[target]
            if from_type is None or to_type is None or target not in self.nodes:
                continue
            entered = _only(connection.target.socket, [each.name for each in to_type.exec_inputs])
            if source not in self.nodes or entered is None:
                continue
            on: frozenset[Outcome] = frozenset[Outcome](connection.outcomes)
            output: str | None = connection.source.socket or None
            if output is not None and output not in from_type.exec_output_index:
                continue  # a data wire
            if "next" in on:
                output = _item_output(from_type, output)
                others: list[Outcome] = [each for each in on if each != "next"]
                on = frozenset[Outcome]((*others, "completed"))
            elif output is None and "completed" in on:
                output = _only("", [each.name for each in from_type.exec_outputs])
            yield Wire(
                place, source, target, output, entered, on, connection.when, connection.otherwise, connection.priority,
                connection,
            )  # fmt: skip

    def _connect(self, graph: Graph, types: Sequence[NodeType | None]) -> None:
        into: dict[int, list[Wire]] = {}
        out: dict[int, list[Wire]] = {}
        for wire in self.wires:
            into.setdefault(wire.target, []).append(wire)
            out.setdefault(wire.source, []).append(wire)
        for place, node in self.nodes.items():
            node.into, node.out = tuple(into.get(place, ())), tuple(out.get(place, ()))
            node_type = types[place]
            assert node_type is not None
            first = graph.nodes[place].choose == "first"
            completing = [wire for wire in node.out if not wire.on.isdisjoint({"completed", "ended"})]
            node.completed = {
                exit_.name: Way(node.id, wires, first=first)
                for exit_ in node_type.exec_outputs
                if (wires := [wire for wire in completing if wire.output in (exit_.name, None)])
            }
            node.returned_none = _way(node, (wire for wire in completing if wire.output is None), first)
            node.failed = _way(node, (wire for wire in node.out if not wire.on.isdisjoint({"failed", "ended"})), first)
            node.exhausted = _way(node, (wire for wire in node.out if "exhausted" in wire.on), first)
            node.progress = _way(node, (wire for wire in node.out if "progress" in wire.on), first)

    def _find_parts(self) -> None:
        """Number the parts, and see from which of them a join is reached."""
        edges = {
            place: [*dict.fromkeys(wire.target for wire in node.out)] for place, node in self.nodes.items() if node.out
        }
        for number, circle in enumerate(knots(edges)):
            for place in circle:
                self.nodes[place].circle = number
        # Back from the joins.
        waiting = [place for place, node in self.nodes.items() if len(node.into) > 1 and self._join_of(place) != "each"]
        tracked = dict.fromkeys(waiting)
        while waiting:
            for wire in self.nodes[waiting.pop()].into:
                if wire.source not in tracked:
                    tracked[wire.source] = None
                    waiting.append(wire.source)
        parts: dict[tuple[str, int], int] = {}
        for place in self.nodes:
            if place in tracked:
                node = self.nodes[place]
                key = ("circle", node.circle) if node.circle >= 0 else ("node", place)
                node.part = parts.setdefault(key, len(parts))

    def _configure(self, graph: Graph) -> None:
        most: dict[int, int] = {}
        for place, node in self.nodes.items():
            most[node.circle] = max(MOST_TURNS, graph.nodes[place].most or 0, most.get(node.circle, 0))
        for place, node in self.nodes.items():
            given = graph.nodes[place]
            node.kind = self._join_of(place) if len(node.into) > 1 else "one"
            least = "every" if node.kind == "parallel" else given.min
            node.min = max(1, len(node.into)) if least == "every" else least
            node.fails_unmet = given.unmet == "fail"
            if node.circle >= 0:
                node.most = given.most or most[node.circle]
            node.level = LEVELS.index(given.priority)
            node.limit, node.group, node.queue = given.limit, given.group, given.queue
            node.undo = None if given.undo is None else self.place.get(given.undo)
            node.undo_begun = given.undo_from == "started"
            node.stops = given.type == STOP
            if node.kind == "first" and given.rest == "cancel":
                node.cancels = self._only_to(place)
        for node in self.nodes.values():
            node.feeds = tuple(
                dict.fromkeys(
                    wire.target
                    for wire in node.out
                    if self.nodes[wire.target].queue and not 0 <= node.circle == self.nodes[wire.target].circle
                )
            )

    def _only_to(self, join: int) -> frozenset[int]:
        """The nodes from which all wires lead to this one, straight or over others of the kind."""
        found: set[int] = set()
        changed = True
        while changed:
            changed = False
            behind = {wire.source for place in (join, *found) for wire in self.nodes[place].into}
            for place in behind - found - {join}:
                if all(wire.target == join or wire.target in found for wire in self.nodes[place].out):
                    found.add(place)
                    changed = True
        return frozenset(found)

    def _join_of(self, place: int) -> JoinPolicy:
        """What a node does where several wires lead to it. Exits are reached token by token (W14)."""
        given = self.graph.nodes[place]
        return "each" if given.type == LEAVE else given.join

    def _part_of(self, place: int) -> int:
        return self.nodes[place].part


def _way(node: NetNode, wires: Iterable[Wire], first: bool) -> Way | None:
    found = [*wires]
    return Way(node.id, found, first=first) if found else None


def _only(given: str, names: Sequence[str]) -> str | None:
    """The socket that an endpoint names; the only one, if it names none."""
    if given:
        return given if given in names else None
    return names[0] if len(names) == 1 else None


def _item_output(node_type: NodeType, given: str | None) -> str | None:
    """The exec output at which a stream's items go out."""
    return given or _only("", [stream.fires.name for stream in node_type.streams])
