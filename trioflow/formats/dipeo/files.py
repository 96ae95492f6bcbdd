"""Nodes that read and write files: endpoint, db."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import attrs

from trioflow.formats.dipeo.diagram import Node
from trioflow.formats.dipeo.draft import Draft, Made
from trioflow.formats.dipeo.inputs import default_source, spread_inputs
from trioflow.formats.dipeo.unknown import placeholder_of
from trioflow.formats.fields import Fields, kind
from trioflow.model.graph import Connection, Endpoint, GraphNode

BRACE = re.compile(r"(?<!\{)\{([A-Za-z_]\w*)\}(?!\})")


def endpoint(draft: Draft, node: Node, fields: Fields) -> Made:
    """A node that keeps what came, and saves it to a file where it says so."""
    source = default_source(draft, node)
    written = fields.flag("save_to_file", False)
    path, form = fields.text("file_path"), fields.choice("file_format", ("txt", "json", "yaml", "md", "csv"), "txt")
    fields.text("output_variable")
    draft.add(GraphNode(node.label, "state.keep", {"value": None}))
    if source is not None:
        draft.connections.append(Connection(source, Endpoint(node.label, "value")))
    made = draft.plain(node.label, "kept")
    if not written:
        return made
    if not path:
        draft.notes.error("bad-value", fields.at("file_path"), f"{node.label!r} saves to a file and names none.")
        return made
    return write_file(draft, node, made, path, form, Endpoint(node.label, "kept"))


def db(draft: Draft, node: Node, fields: Fields) -> Made:
    """A node that reads or writes a file."""
    operation = fields.choice("operation", ("read", "write", "append", "update", "prompt", "query"), "read")
    sub_type = fields.choice("sub_type", ("file", "fixed_prompt", "code", "api_tool", "database"), "file")
    file, form = fields.take("file"), fields.choice("format", ("text", "json", "yaml", "csv", "txt", "xml"), "text")
    several = fields.flag("glob", False) or isinstance(file, list)
    keys = fields.take("keys")
    for name in ("lines", "query", "data", "serialize_json", "collection"):
        fields.take(name)
    if sub_type != "file" or operation not in {"read", "write", "append"} or several or form in {"yaml", "xml"}:
        what = f"{operation} of {'several files' if several else form if sub_type == 'file' else sub_type}"
        return placeholder_of(draft, node, f"{what} is not known here")
    if not isinstance(file, str) or not file:
        draft.notes.error("bad-value", fields.at("file"), f"Expected the path of a file, got {kind(file)}.")
        file = "missing"
    if operation == "read":
        return read_file(draft, node, file, form, keys, fields)
    source = default_source(draft, node)
    draft.add(GraphNode(node.label, "state.keep", {"value": None}))
    if source is not None:
        draft.connections.append(Connection(source, Endpoint(node.label, "value")))
    made, value = draft.plain(node.label, "kept"), Endpoint(node.label, "kept")
    if form == "csv":
        draft.once("what is written as csv is written as the text that it is", node.path)
    return write_file(draft, node, made, file, form, value, append=operation == "append")


def read_file(draft: Draft, node: Node, file: str, form: str, keys: Any, fields: Fields) -> Made:
    """Read a file, and what it holds."""
    filled = bool(BRACE.search(file))
    draft.add(GraphNode(node.label, "file.read_text", {} if filled else {"path": file}))
    if filled:
        fill_path(draft, node, file, Endpoint(node.label, "path"))
    value = Endpoint(node.label, "text")
    if form == "json":
        parsed = draft.helper(f"{node.label} parsed", "json.parse")
        draft.connections.append(Connection(value, Endpoint(parsed, "text")))
        value = Endpoint(parsed, "result")
        if not isinstance(keys, list | None):
            draft.notes.error("bad-value", fields.at("keys"), f"Expected a list, got {kind(keys)}.")
        elif keys:
            picked = draft.helper(f"{node.label} keys", "dict.pick", {"keys": keys})
            draft.connections.append(Connection(value, Endpoint(picked, "entries")))
            value = Endpoint(picked, "result")
    elif keys:
        draft.notes.error("bad-value", fields.at("keys"), f"A file of the format {form} has no keys.")
    return Made(node.label, Endpoint(node.label, "then"), value)


def write_file(
    draft: Draft, node: Node, made: Made, path: str, form: str, value: Endpoint, *, append: bool = False
) -> Made:
    """Let what a node gives be written to a file, when it has completed."""
    text = as_text(draft, node, form, value)
    label = node.label
    folder = Path(path).parent
    last = made.exit
    if str(folder) not in {".", ""} and not BRACE.search(path):
        last = draft.then(last, GraphNode(f"{label} folder", "file.make_folder", {"path": str(folder)}))
    kind_ = "file.append_text" if append else "file.write_text"
    end = draft.then(last, GraphNode(f"{label} file", kind_, {} if BRACE.search(path) else {"path": path}))
    draft.connections.append(Connection(text, Endpoint(f"{label} file", "text")))
    if BRACE.search(path):
        fill_path(draft, node, path, Endpoint(f"{label} file", "path"))
    return attrs.evolve(made, exit=end)


def as_text(draft: Draft, node: Node, form: str, value: Endpoint) -> Endpoint:
    """What a node gives, as the text of a file."""
    kind_, inputs = ("json.write", {"indent": 2}) if form == "json" else ("text.to_text", {})
    helper = draft.helper(f"{node.label} text", kind_, inputs)
    draft.connections.append(Connection(value, Endpoint(helper, "value")))
    return Endpoint(helper, "result")


def fill_path(draft: Draft, node: Node, path: str, target: Endpoint) -> None:
    """Give a node the path of a file that has names in braces."""
    filled = draft.helper(f"{node.label} path", "text.fill", {"template": path})
    draft.connections.append(Connection(spread_inputs(draft, node), Endpoint(filled, "values")))
    whole = draft.helper(f"{node.label} as path", "convert.to_path")
    draft.wire(filled, "result", whole, "text")
    draft.connections.append(Connection(Endpoint(whole, "result"), target))
