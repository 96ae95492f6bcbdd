"""Which outputs nothing can read any more where a token goes: those a workflow lets go of if it is to (W20).

An output is needed at a node if that reads it, or a node that can fire after it. Nodes that are behind what a body
awaits are followed by that body; what no wire leads to but an event, or a policy, may fire at any time.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

from trioflow.semantics.workflow.net import Net

Slots = frozenset[int]

_NONE: Slots = frozenset()


def dropped(
    net: Net, reads: Mapping[int, Slots], writes: Mapping[int, Slots], awaiting: Collection[int]
) -> dict[int, tuple[int, ...]]:
    """By wire: the slots that were needed where it starts, or are written there, and are not where it leads.

    `reads` and `writes` are the slots of outputs that each node reads, data nodes in between included, and has;
    `awaiting` are the nodes whose bodies may await what is behind them.
    """
    after: dict[int, set[int]] = {place: {wire.target for wire in node.out} for place, node in net.nodes.items()}
    for place in awaiting:
        for inside in net.reached([place]) - {place}:
            after[inside].add(place)
    begun = [*net.whole().entries, *net.entered]
    always = {*_NONE.union(*(reads[place] for place in net.nodes.keys() - net.reached(begun)))}
    for place in net.reached(net.listening_places):
        always |= writes[place]
    for place, node in net.nodes.items():
        if node.undo is not None:
            after[place].add(node.undo)  # it finds what is there when that has completed
    needed = _needed(after, reads)
    return {
        wire.place: tuple(sorted(gone))
        for wire in net.wires
        if (gone := (needed[wire.source] | writes[wire.source]) - needed[wire.target] - always)
    }


def _needed(after: Mapping[int, Collection[int]], reads: Mapping[int, Slots]) -> dict[int, Slots]:
    """What each node reads, or any that may fire after it."""
    before: dict[int, list[int]] = {}
    for place, following in after.items():
        for each in following:
            before.setdefault(each, []).append(place)
    needed = {place: reads[place] for place in after}
    waiting = [*after]  # from its end: what is last in the document mostly comes last
    queued = {*waiting}
    while waiting:
        place = waiting.pop()
        queued.discard(place)
        found = needed[place].union(*(needed[each] for each in after[place]))
        if found != needed[place]:
            needed[place] = found
            for each in before.get(place, ()):
                if each not in queued:
                    queued.add(each)
                    waiting.append(each)
    return needed
