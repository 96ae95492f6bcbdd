"""From a document to nodes and connections, with what is wrong with them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any, cast

from trioflow.errors import did_you_mean
from trioflow.formats.executionengine.definition import LOOPS, TYPES, Node, Wire
from trioflow.formats.executionengine.level import Level
from trioflow.formats.fields import Fields, kind

_TRIGGERS = ("Complete", "Fail", "Progress", "Next")


def read_level(level: Level) -> None:
    """Read nodes and connections."""
    for index, raw in enumerate(level.fields.items(level.nodes_key)):
        read_node(level, raw, f"{level.fields.at(level.nodes_key)}[{index}]")
    for index, raw in enumerate(level.fields.items(level.connections_key)):
        wire = read_wire(level, raw, f"{level.fields.at(level.connections_key)}[{index}]")
        if wire is None:
            level.dropped.append(raw)
        else:
            level.wires.append(wire)
    drop_feedback(level)
    for wire in level.wires:
        level.incoming.setdefault(wire.target.id, []).append(wire)
        level.outgoing.setdefault(wire.source.id, []).append(wire)


def read_node(level: Level, raw: Any, path: str) -> None:
    """Read a node."""
    fields = Fields(raw, path, level.notes, lenient=True, inside=("configuration",))
    node_id = fields.text("nodeId")
    if not node_id:
        level.notes.error("bad-value", fields.at("nodeId"), "A node needs an id.")
    if not node_id or node_id in level.nodes:
        if node_id:
            message = f"There is a node {node_id!r} already."
            level.notes.error("second-node", fields.at("nodeId"), message, "Ids are unique: choose another.")
        node_id = level.free(node_id or f"node {len(level.nodes) + 1}")
    level.ids.add(node_id)
    runtime = fields.choice("runtimeType", (*TYPES, "Manual", "Event"), "CSharp")
    if "runtimeType" not in fields:
        level.notes.error("bad-value", fields.at("runtimeType"), f"Node {node_id!r} has no runtimeType.")
    level.nodes[node_id] = Node(node_id, runtime, fields, path)


def read_wire(level: Level, raw: Any, path: str) -> Wire | None:
    """Read a connection; None if it is left out."""
    fields = Fields(raw, path, level.notes, lenient=True)
    ends: list[Node] = []
    for name in ("sourceNodeId", "targetNodeId"):
        found = fields.text(name)
        if found in level.nodes:
            ends.append(level.nodes[found])
        else:
            near = did_you_mean(found, level.nodes)
            message = f"There is no node {found!r}.{near}" if found else "It names no node."
            level.notes.error("unknown-node", fields.at(name), message, "The connection is left out.")
    triggers = triggers_of(level, fields)
    condition, enabled = fields.text("condition"), fields.flag("isEnabled", True)
    priority = fields.whole("priority", 0, least=-(2**31))
    port, target_port = fields.text("sourcePort"), fields.text("targetPort")
    fields.mapping("metadata")
    if fields.flag("isCompensation", False):
        message = "Nodes that undo are named by compensationNodeId here, and never reached by connections."
        level.notes.warning("no-counterpart", fields.at("isCompensation"), message, "The connection is left out.")
        ends = []
    fields.tell_left()
    if len(ends) < 2 or not triggers:
        return None
    source, target = ends
    return Wire(
        source, target, triggers, condition, enabled, priority, port, target_port, path, cast("dict[str, Any]", raw)
    )


def triggers_of(level: Level, fields: Fields) -> frozenset[str]:
    """What a connection is followed for."""
    said = fields.take("triggerMessageType")
    if said is None:
        level.once(
            "trigger", fields.path, "it says no triggerMessageType: taken for Complete, as the program "
            "does, and not for Complete and Fail, as its document says",
        )  # fmt: skip
        return frozenset({"Complete"})
    words = said if isinstance(said, list) else re.split(r"[|,\s]+", said.strip()) if isinstance(said, str) else [said]
    known = {each.lower(): each for each in _TRIGGERS}
    found: set[str] = set()
    at = fields.at("triggerMessageType")
    for word in words or [""]:
        if not isinstance(word, str) or word.lower() not in known:
            near = did_you_mean(word, _TRIGGERS) if isinstance(word, str) else ""
            level.notes.error("bad-value", at, f"Expected some of {', '.join(_TRIGGERS)}, got {kind(word)}.{near}")
            return frozenset()
        found.add(known[word.lower()])
    if "Progress" in found:
        level.notes.error(
            "no-counterpart", at, "No node starts because another one tells how far it is.",
            "Observers see it: tf.observe(call, kinds=['Progress']).",
        )  # fmt: skip
        found.discard("Progress")
    return frozenset(found)


def drop_feedback(level: Level) -> None:
    """Leave out the wires with which a body leads back to its loop: the loop waits for its body here."""
    after: dict[str, list[Wire]] = {}
    for wire in level.wires:
        after.setdefault(wire.source.id, []).append(wire)
    kept: list[Wire] = []
    reached: dict[str, set[str]] = {}
    for wire in level.wires:
        loop = wire.target
        if loop.type in LOOPS and wire.source is not loop:
            if loop.id not in reached:
                reached[loop.id] = reachable(after, [each for each in after.get(loop.id, ()) if each.is_body], loop)
            if wire.source.id in reached[loop.id]:
                message = f"{loop.id!r} waits for its body, so the connection back to it is left out."
                level.notes.info("differs", wire.path, message)
                level.dropped.append(wire.raw)
                continue
        kept.append(wire)
    level.wires = kept


def chain(level: Level) -> None:
    """Let the nodes follow one another in the order of the document."""
    level.chained = True
    nodes = [*level.nodes.values()]
    for source, target in pairwise(nodes):
        wire = Wire(source, target, frozenset({"Complete"}), "", True, 0, "", "", target.path, {})
        level.wires.append(wire)
        level.incoming.setdefault(target.id, []).append(wire)
        level.outgoing.setdefault(source.id, []).append(wire)


def reachable(after: Mapping[str, list[Wire]], start: Sequence[Wire], stop: Node | None) -> set[str]:
    """The nodes to which wires lead, directly or not."""
    found: set[str] = set()
    todo = [wire.target for wire in start]
    while todo:
        node = todo.pop()
        if node.id in found or node is stop:
            continue
        found.add(node.id)
        todo += [wire.target for wire in after.get(node.id, ())]
    return found
