"""From flows of Node-RED to a workflow: nodes with their names or ids, wires from `outN` to `enter`.

Subflows stand in the graph as often as they are used. Links are wires.
"""

from __future__ import annotations

import re
from typing import Any

from trioflow.errors import DocumentError, did_you_mean
from trioflow.formats.nodered.checks import problem_of
from trioflow.formats.nodered.circles import finish
from trioflow.formats.nodered.draft import Draft, Placed
from trioflow.formats.nodered.nodes.flow import MOST_OUTPUTS
from trioflow.formats.nodered.placing import place_nodes, which_begin
from trioflow.formats.nodered.shape import TYPES
from trioflow.formats.nodered.slips import tell_slips
from trioflow.formats.nodered.wires import lead_back, leave, watched_by
from trioflow.formats.placeholder import Sockets, body_for, placeholder
from trioflow.formats.port import Imported
from trioflow.model.graph import Connection, Endpoint, Graph, GraphNode, Variable
from trioflow.model.trigger import Trigger

KEY = "nodered"
"""The key in metadata of what an import keeps."""


def import_tree(tree: Any, source: str = "<document>") -> Imported:
    """The workflow that an export says. Raises `DocumentError` for what is no list of nodes."""
    nodes = tree.get("flows") if isinstance(tree, dict) else tree
    if not isinstance(nodes, list):
        raise DocumentError(source, ["expected a list of nodes, as the editor exports it."])
    draft = Draft(nodes, "flows" if isinstance(tree, dict) else "")
    tell_slips(draft)
    place_nodes(draft)
    begin = which_begin(draft)
    for placed in draft.placed.values():
        make_node(draft, placed, begin)
    for placed in draft.placed.values():
        leave(draft, placed)
    lead_back(draft)
    finish(draft)
    variables = [
        Variable("msg", default={}, merge="first", doc="of each strand its own: nothing reads it where they meet")
    ]
    graph = Graph(
        kind="workflow",
        on_error="collect",
        nodes=tuple(draft.nodes),
        connections=draft.wires,
        variables=variables,
        triggers=tuple(draft.triggers),
        metadata={KEY: {}},
    )
    return Imported(graph, tuple(draft.notes))


def make_node(draft: Draft, each: Placed, begin: frozenset[str]) -> None:
    """Make what a node becomes."""
    raw, kind = each.raw, each.type
    said = {key: value for key, value in raw.items() if key not in ("x", "y", "w", "h", "wires", "g", "id")}
    if each.prefix:
        said["z"] = each.prefix
    if kind == "complete":
        said["watched"] = [other.id for other in watched_by(draft, each)]
    if each.env:
        said["env"] = dict(each.env)
    metadata: dict[str, Any] = {
        KEY: {"id": raw["id"], "type": kind, **{key: raw[key] for key in ("x", "y") if key in raw}}
    }
    outputs = len(raw["wires"]) if isinstance(raw.get("wires"), list) else 0
    base = TYPES.get(kind)
    problem = problem_of(each) if base is not None else None
    if base is None or problem is not None or outputs > MOST_OUTPUTS:
        code = "no-counterpart" if problem is None else "not-understood"
        message = problem or f"There is nothing for {kind!r} here.{did_you_mean(kind, TYPES)}"
        cure = f"{'Say' if problem is None else 'Mend it, or say'} what it does: {body_for(each.id)}"
        message = message if message.endswith(("?", ".")) else f"{message}."
        draft.notes.error(code, each.path, f"{message[:1].upper()}{message[1:]}", cure, node=each.id)
        draft.reads_message = True
        exits = tuple(f"out{number}" for number in range(1, max(outputs, 1) + 1))
        sockets = Sockets(exits=exits, inputs={"msg": "any"}, outputs={"msg": "any"})
        type_ = f"nodered.unknown_{re.sub(r'[^a-z0-9]+', '_', kind.lower()).strip('_') or 'node'}"
        draft.nodes.append(placeholder(each.id, type_, sockets=sockets, set={"msg": "out.msg"}, metadata=metadata))
        draft.wires.append(Connection(Endpoint("msg (value)", "result"), Endpoint(each.id, "msg")))
        return
    type_ = f"nodered.{base}" if base not in ("function", "switch") or outputs < 2 else f"nodered.{base}_{outputs}"
    initiator = False if kind == "inject" and each.key not in begin else None
    if kind == "link out" and raw.get("mode") == "return":
        type_ = "nodered.link_return"
    if kind == "inject" and raw.get("crontab"):
        add_times(draft, each)
    if kind == "status":
        draft.notes.warning("left-out", each.path, f"No node says its status here: {each.id!r} never sends.")
    draft.nodes.append(GraphNode(each.id, type_, {"node": said}, initiator=initiator, metadata=metadata))
    if kind == "link call":
        draft.calls.add(each.id)
        draft.nodes.append(GraphNode(f"{each.id} (back)", "nodered.pass", {"node": said}))


def add_times(draft: Draft, each: Placed) -> None:
    """Times of a calendar start runs: a trigger of the graph."""
    cron = str(each.raw["crontab"])
    if len(cron.split()) != 5:
        draft.notes.error("bad-field", f"{each.path}.crontab", f"{cron!r} is not a line of cron.",
                          "Write minute, hour, day, month and weekday: 0 3 * * 1-5.")  # fmt: skip
        return
    draft.triggers.append(Trigger(cron=cron))
    message = f"{each.id!r} begins at times of a calendar ({cron}): a trigger of the graph; in a run it sends once."
    draft.notes.info("started-by", f"{each.path}.crontab", message)
