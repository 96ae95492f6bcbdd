"""Joins that take one token from each wire, as the gateways of BPMN do (W19): the machine of nets that have such.

A `parallel` one fires as soon as a token waits on each of its wires. An `inclusive` one fires as soon as one waits, and
no token elsewhere could come to an empty wire of it and to no other; the paths that count don't lead over the node
itself. Both take the first token of each wire. What is left waits for the next firing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

from trioflow.semantics.workflow.machine import Firing, Machine, Standing, Token
from trioflow.semantics.workflow.net import GATES, NetNode, Region, Wire


def machine_of(region: Region) -> Machine:
    """A machine for a scope of a workflow."""
    return GateMachine(region) if region.net.has_gates else Machine(region)


class GateMachine(Machine):
    """One scope of a workflow in which nodes take one token from each wire (W19)."""

    def __init__(self, region: Region) -> None:
        self._alive_at: Counter[int] | None = Counter() if region.net.has_inclusive else None
        """By place: how many firings are ready or under way; None if nobody asks."""
        super().__init__(region)

    def open_with(self, wires: Iterable[Wire]) -> None:
        super().open_with(wires)
        if self._early:
            self._look()

    def begin_at(self, standing: Standing, past: Any) -> None:
        super().begin_at(standing, past)
        if self._alive_at is not None:
            self._alive_at = Counter((standing.node,))

    def end(self, firing: Firing, taken: Sequence[Wire] = ()) -> Firing | None:
        if self._alive_at is None:
            return super().end(firing, taken)
        self._alive_at[firing.node] -= 1
        following = super().end(firing, taken)
        if self._early:
            self._look()
        return following

    def _make(self, place: int, tokens: tuple[Token, ...], *, alone: bool = False) -> Firing:
        if self._alive_at is not None:
            self._alive_at[place] += 1
        return super()._make(place, tokens, alone=alone)

    def _come_first(self, node: NetNode, wire: Wire, firing: Firing) -> None:
        if node.kind not in GATES:
            super()._come_first(node, wire, firing)
            return
        tokens = self._early.setdefault(node.place, {}).setdefault(0, [])
        tokens.append((wire, firing))
        if len({wire.place for wire, _ in tokens}) == len(node.into):
            self._open_gate(node)

    def _open_gate(self, node: NetNode) -> None:
        """Fire for the first token of each wire that has one."""
        early = self._early[node.place]
        first: dict[int, Token] = {}
        for token in early[0]:
            first.setdefault(token[0].place, token)
        early[0] = [token for token in early[0] if first[token[0].place] is not token]
        if not early[0]:
            del self._early[node.place]
        self._fire(node.place, tuple(token for _, token in sorted(first.items())))

    def _look(self) -> None:
        """Whether an inclusive one waits for nothing any more: each move may have been what it waited for."""
        for node in self._waiting("inclusive"):
            while node.place in self._early and not self._may_come(node):
                self._open_gate(node)

    def _may_come(self, node: NetNode) -> bool:
        """Whether a token elsewhere could come to an empty wire of a node, and to none that has a token."""
        waiting = {wire.place for wire, _ in self._early[node.place][0]}
        ways = self.net.ways_to(node.place)
        held = {place for places in self._held.values() for place in places} | (self._early.keys() - {node.place})
        alive = +self._alive_at if self._alive_at is not None else ()
        return any(place in ways and waiting.isdisjoint(ways[place]) for place in (*alive, *held))

    def _give_up(self, part: int) -> None:
        for node in self._waiting("inclusive", part):
            if not self._busy[part]:
                self._open_gate(node)
        for node in self._waiting("parallel", part):
            if not self._busy[part]:
                self._skip(node, self._early.pop(node.place)[0])
        if not self._busy[part]:
            super()._give_up(part)

    def _waiting(self, kind: str, part: int | None = None) -> list[NetNode]:
        """The nodes of a kind at which tokens wait, in the order of the document."""
        found = (self._nodes[place] for place in sorted(self._early))
        return [node for node in found if node.kind == kind and part in (None, node.part)]
