"""Where runs start, and which nodes others start."""

from __future__ import annotations

import attrs

from trioflow.errors import did_you_mean
from trioflow.formats.executionengine.definition import Node, Wire
from trioflow.formats.executionengine.level import Level
from trioflow.formats.executionengine.reading import reachable


def find_entries(level: Level, entry: str) -> list[Node]:
    """The nodes that runs start at."""
    if entry:
        if entry in level.nodes:
            return [level.nodes[entry]]
        near = did_you_mean(entry, level.nodes)
        level.notes.error("unknown-node", level.fields.at("entryPointNodeId"), f"There is no node {entry!r}.{near}")
    ready = [node for node in level.nodes.values() if starts(level, node)]
    return ready or [*level.nodes.values()][:1]


def starts(level: Level, node: Node) -> bool:
    """Whether a node starts by itself."""
    waits = any(wire.enabled for wire in level.incoming.get(node.id, ()))
    return not waits and node.id not in level.undoing and node.id not in level.standby


def mark_entries(level: Level, entry: str, *, called: bool) -> None:
    """Say where runs start if it is not where no wire leads to; a graph that is called may be run by itself."""
    for index, made in enumerate(level.made):
        node = level.nodes[made.id]
        if made.id in level.entries and (called or not starts(level, node)):
            level.made[index] = attrs.evolve(made, initiator=True)
        elif made.id not in level.entries and starts(level, node):
            level.notes.info("differs", node.path, f"No connection leads to {node.id!r}, and it is not the entry.")
            level.made[index] = attrs.evolve(made, initiator=False)


def mark_standby(level: Level) -> None:
    """Find the nodes that others name, which never start by themselves."""
    for node in level.nodes.values():
        for name, found in (("compensationNodeId", level.undoing), ("fallbackNodeId", level.standby)):
            said = node.fields.text(name)
            if said in level.nodes and said != node.id:
                found.add(said)
            elif said:
                what = (
                    "itself" if said == node.id else f"{said!r}, which is not there.{did_you_mean(said, level.nodes)}"
                )
                level.notes.error("unknown-node", node.fields.at(name), f"{node.id!r} names {what}")


def ids_in_bodies(level: Level) -> set[str]:
    """The nodes that loops repeat."""
    after: dict[str, list[Wire]] = level.outgoing
    return reachable(after, [wire for wire in level.wires if wire.is_body and wire.enabled], None)
