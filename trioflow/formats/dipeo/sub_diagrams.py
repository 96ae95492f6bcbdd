"""Diagrams in diagrams: sub_diagram, one call or one for each item of a batch."""

from __future__ import annotations

from pathlib import Path

from trioflow.formats.dipeo.diagram import Node
from trioflow.formats.dipeo.draft import Draft, Made
from trioflow.formats.dipeo.inputs import collect_inputs, spread_inputs
from trioflow.formats.fields import Fields
from trioflow.formats.placeholder import Sockets, body_for, placeholder
from trioflow.model.graph import Connection, Endpoint, GraphNode, StreamSettings, Variable

_ENDINGS = ("", ".light.yaml", ".light.yml", ".native.json", ".readable.yaml", ".yaml", ".yml", ".json")
_UP = 4


def sub_diagram(draft: Draft, node: Node, fields: Fields) -> Made:
    """A node that calls another diagram."""
    name, form = fields.text("diagram_name"), fields.text("diagram_format", "light")
    batch, key = fields.flag("batch", False), fields.text("batch_input_key", "items")
    parallel = fields.flag("batch_parallel", False)
    passes = not fields.flag("ignore_input", False) and fields.flag("pass_input_data", True)
    for each in ("wait_for_completion", "isolate_conversation", "use_standard_mode"):
        fields.take(each)
    if "diagram_data" in fields:
        draft.notes.error("no-counterpart", fields.at("diagram_data"), "A diagram in a diagram has to be in a file.")
    if not name:
        draft.notes.error("bad-value", fields.at("diagram_name"), f"{node.label!r} names no diagram.")
    path = file_of(draft, name, form)
    call = f"{node.label} each" if batch else node.label
    if path is None:
        draft.notes.error(
            "missing-file", fields.at("diagram_name"), f"There is no diagram {name!r}.",
            f"Put it there, or give the node a body: {body_for(call)}", node=call,
        )  # fmt: skip
        sockets = Sockets(inputs={"input": "any"}, outputs={"result": "any"})
        made = placeholder(call, f"file:{name}.light.yaml", sockets=sockets)
    else:
        made = GraphNode(call, f"file:{path}")
    if batch:
        return call_each(draft, node, made, key, parallel=parallel)
    draft.add(made)
    if passes:
        draft.connections.append(Connection(collect_inputs(draft, node), Endpoint(call, "input")))
    return draft.plain(call)


def call_each(draft: Draft, node: Node, call: GraphNode, key: str, *, parallel: bool) -> Made:
    """A call for each item; what they give is collected in a variable of the graph."""
    label, name = node.label, f"results of {node.label}"
    draft.variables[name] = Variable(name, "list", [], "append")
    stream = StreamSettings(mode="concurrent") if parallel else None
    items = draft.helper(f"{label} items", "dict.get", {"key": key})
    draft.connections.append(Connection(spread_inputs(draft, node), Endpoint(items, "entries")))
    draft.add(GraphNode(label, "flow.for_each", stream=stream))
    draft.wire(items, "result", label, "items")
    given = draft.helper(f"{label} item", "value.collect", config={"inputs": {"item": "default"}})
    draft.wire(label, "item", given, "item")
    draft.add(call)
    draft.wire(given, "result", call.id, "input")
    draft.link(Endpoint(label, "body"), call.id)
    draft.add(GraphNode(f"{label} result", "variable.append", {"name": name}))
    draft.wire(call.id, "result", f"{label} result", "value")
    draft.link(Endpoint(call.id, "then"), f"{label} result")
    results = draft.helper(f"{label} results", "variable.get", {"name": name})
    return Made(label, Endpoint(label, "done"), Endpoint(results, "result"))


def file_of(draft: Draft, name: str, form: str) -> str | None:
    """The path of a diagram, from where this one is: as it is named, or beside it."""
    home = draft.document.path
    if home is None or not name:
        return None
    folders = [home.parent, *[*home.parent.resolve().parents][:_UP]]
    for said in (name, Path(name).name):
        for folder in folders if said == name else folders[:1]:
            for ending in (f".{form}.yaml", *_ENDINGS):
                place = folder / f"{said}{ending}"
                if place.is_file():
                    return f"{said}{ending}" if folder == home.parent else place.as_posix()
    return None
