"""Which ways tokens may take in a graph: circles, the order of joins in them, and what is reached."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from trioflow.model.graph import Connection
from trioflow.semantics.topology import knots


def after(wires: Iterable[Connection]) -> dict[str, list[str]]:
    """The nodes to which tokens go on from each node."""
    out: dict[str, list[str]] = {}
    for wire in wires:
        if wire.target.socket == "enter":
            out.setdefault(wire.source.node, []).append(wire.target.node)
    return out


def in_circles(nodes: Collection[str], wires: Iterable[Connection]) -> frozenset[str]:
    """The nodes to which a token may come back."""
    ids = [*nodes]
    numbers = {id_: number for number, id_ in enumerate(ids)}
    edges = {numbers[id_]: [numbers[each] for each in others] for id_, others in after(wires).items()}
    return frozenset(ids[each] for circle in knots(edges) for each in circle)


def in_order(
    nodes: Iterable[str], wires: Iterable[Connection], begins: Iterable[str], joins: Collection[str]
) -> list[str]:
    """The nodes, with the joins of a circle in the order in which tokens come to them.

    Where several of them have tokens and wait for one another, the first in the graph goes on (W6).
    """
    out = after(wires)
    passed: list[str] = []
    seen: set[str] = set()
    for begin in sorted(begins):
        todo = [(begin, iter([begin]))]
        while todo:
            _, others = todo[-1]
            following = next((each for each in others if each not in seen), None)
            if following is None:
                passed.append(todo.pop()[0])
            else:
                seen.add(following)
                todo.append((following, iter(out.get(following, ()))))
    place = {id_: -index for index, id_ in enumerate(passed)}
    ordered = iter(sorted(joins, key=lambda each: place.get(each, 0)))
    moved = {*joins}
    return [next(ordered) if each in moved else each for each in nodes]


def reached(wires: Iterable[Connection], begins: Iterable[str]) -> set[str]:
    """The nodes to which tokens can come."""
    out = after(wires)
    found = {*begins}
    waiting = [*found]
    while waiting:
        for each in out.get(waiting.pop(), ()):
            if each not in found:
                found.add(each)
                waiting.append(each)
    return found
