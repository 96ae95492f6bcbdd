"""Checks of data wires in a workflow: what a node reads should be in its past, for a data wire orders nothing (W9).

It only says what is certain: outputs that are written in scopes of their own, by what a body awaits or an event fires,
may be there for whoever comes later.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Mapping

from trioflow.semantics.report import Problem, warning
from trioflow.semantics.topology import may_await
from trioflow.semantics.wiring import Wiring
from trioflow.semantics.workflow.net import Net

_MOST_LOOKED_AT = 2_000_000
"""Wires that are followed in all; beyond, nothing more is said: a check of a large graph should not take minutes."""

Source = tuple[int, int]
"""The exec node that a value comes from, and the place of the data wire that leads away from it."""


def check_pasts(wiring: Wiring, net: Net) -> Iterator[Problem]:
    """Data wires from nodes that no exec wire leads away from to where their value is read."""
    ways = _Ways(net, [place for place in net.nodes if _opens_scopes(wiring, place)])
    undone: dict[int, list[int]] = {}
    for node in net.nodes.values():
        if node.undo is not None:
            undone.setdefault(node.undo, []).append(node.place)
    # What comes before these is decided when an event is published, or something fails.
    at_any_time = net.reached(net.listening_places) | {net.place[name] for name in net.instead if name in net.place}
    for place, sources in _read(wiring, net).items():
        readers = undone.get(place, [place])  # what undoes finds what was there when that had completed
        if not at_any_time.isdisjoint(readers):
            continue
        for source, wire in sources:
            if source not in readers and not any(ways.lead(source, reader) for reader in readers):
                yield _not_in_the_past(wiring, source, place, wire)


def _opens_scopes(wiring: Wiring, place: int) -> bool:
    view = wiring.views[place]
    return view is not None and (bool(view.type.streams) or may_await(view.type))


def _read(wiring: Wiring, net: Net) -> Mapping[int, list[Source]]:
    """By exec node: what it reads of other exec nodes, straight or through data nodes."""
    straight: dict[int, list[Source]] = {}
    behind: dict[int, list[int]] = {}
    given = len(wiring.scope.given.connections)
    for (target, _), index in wiring.supplied.items():
        source = wiring.place[wiring.graph.connections[index].source.node]
        if source not in net.nodes:
            behind.setdefault(target, []).append(source)
        elif index < given and source not in net.entered:
            straight.setdefault(target, []).append((source, index))
    found: dict[int, list[Source]] = {}
    for place in net.nodes:
        waiting, seen = [place], {place}
        while waiting:
            here = waiting.pop()
            if here in straight:
                found.setdefault(place, []).extend(straight[here])
            for each in behind.get(here, ()):
                if each not in seen:
                    seen.add(each)
                    waiting.append(each)
    return found


class _Ways:
    """Whether exec wires lead from one node to another, or could by what bodies await."""

    def __init__(self, net: Net, awaiting: Iterable[int]) -> None:
        self._net = net
        self._left = _MOST_LOOKED_AT
        # What lies in a scope of its own may be there for all that comes after the scope.
        self._inside = net.reached(awaiting) | net.reached(net.listening_places)
        self._straight = {(wire.source, wire.target) for wire in net.wires}

    def lead(self, source: int, target: int) -> bool:
        """Whether they do; true also if it takes too long to find out."""
        if (source, target) in self._straight or source in self._inside:
            return True
        waiting, seen = deque([source]), {source}
        while waiting:
            for wire in self._net.nodes[waiting.popleft()].out:
                self._left -= 1
                if wire.target == target or self._left < 0:
                    return True
                if wire.target not in seen:
                    seen.add(wire.target)
                    waiting.append(wire.target)
        return False


def _not_in_the_past(wiring: Wiring, source: int, reader: int, wire: int) -> Problem:
    connection = wiring.graph.connections[wire]
    message = (
        f"{wiring.name(reader)} reads {connection.source}, and no exec wire leads from {wiring.name(source)} to it: a "
        "data wire orders nothing, so the value is not there."
    )
    cure = f"Wire them, `after({wiring.graph.nodes[source].id}, ...)`, or build with `tf.workflow(implicit=True)`."
    return warning("not-in-the-past", f"connections[{wire}]", message, cure, "W9")
