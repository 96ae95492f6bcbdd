"""The three forms of a diagram: light and readable, in YAML, and native, in JSON."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, cast

import attrs

from trioflow.errors import DocumentError
from trioflow.formats.dipeo.diagram import HANDLES, Builder, Diagram, without_frame
from trioflow.formats.fields import Fields, kind
from trioflow.formats.port import Document, Notes

_NODE = re.compile(
    r"\s*(?P<label>.*?)\s*(?:\[(?P<type>\w+)\])?\s*(?:@\s*\((?P<x>-?[\d.]+)\s*,\s*(?P<y>-?[\d.]+)\))?\s*"
)
_FLOW = re.compile(
    r"""\s*(?:from\s+(?P<output>"[^"]*"|\S+)\s+)?to\s+(?P<target>"[^"]*"|\S+)(?:\s+in\s+(?P<input>"[^"]*"|\S+))?"""
    r"""(?:\s+as\s+(?P<content>"[^"]*"|\S+))?(?:\s+naming\s+(?P<label>"[^"]*"|\S+))?\s*"""
)
_ABOUT = ("name", "description", "author", "tags")


def form_of(document: Document) -> str | None:
    """Which form a document looks like; None if it is none."""
    if "nodes" not in document.top:
        return None
    version = document.tree.get("version")
    if isinstance(version, str) and version in {"light", "readable"}:
        return version
    if "arrows" in document.top or version == "native":
        return "native"
    return None


def read_diagram(document: Document, notes: Notes) -> Diagram:
    """The diagram that a document says. Raises `DocumentError` for what is none."""
    form = form_of(document)
    if form is None:
        said = document.tree.get("version") if isinstance(document.tree, dict) else document.tree
        raise DocumentError(
            document.name,
            [
                'expected a diagram: "version: light", "version: readable", or nodes and arrows; version is '
                f"{kind(said)}."
            ],
        )
    read = {"light": _light, "readable": _readable, "native": _native}[form]
    return read(Fields(document.tree, "", notes), Builder(notes))


# --- light ---


def _light(fields: Fields, builder: Builder) -> Diagram:
    fields.text("version")
    for path, raw in _entries(fields, "nodes", builder):
        node = Fields(raw, path, builder.notes)
        props = {**without_frame(node.raw), **node.mapping("props")}
        inner = f"{path}.props" if "props" in node else path
        builder.node(node.text("label"), node.text("type"), props, node.take("position"), path, inner)
    for path, raw in _entries(fields, "connections", builder):
        wire = Fields(raw, path, builder.notes)
        source, target = builder.end(wire.text("from")), builder.end(wire.text("to"))
        builder.arrow(source, target, wire.take("content_type"), wire.take("label"), path)
        wire.tell_left()
    _persons(fields, builder)
    about = {name: fields.take(name) for name in _ABOUT if name in fields}
    fields.tell_left()
    return builder.diagram(about)


# --- readable ---


def _readable(fields: Fields, builder: Builder) -> Diagram:
    fields.text("version")
    for path, raw in _entries(fields, "nodes", builder):
        title, props = _single(raw, path, builder)
        match = _NODE.fullmatch(title)
        assert match is not None  # it takes any text
        if not isinstance(props, Mapping | None):
            builder.notes.error("bad-value", path, f"Expected an object, got {kind(props)}.")
            props = {}
        said = cast("Mapping[str, Any]", props or {})
        position = None if match["x"] is None else {"x": _number(match["x"]), "y": _number(match["y"])}
        type_ = match["type"] or _guessed(match["label"], said)
        builder.node(match["label"], type_, said, position, path, f"{path}.{title}")
    for path, raw in _entries(fields, "flow", builder):
        source, targets = _single(raw, path, builder)
        for number, said in enumerate(targets if isinstance(targets, list) else [targets]):
            at = f"{path}.{source}" + (f"[{number}]" if isinstance(targets, list) else "")
            match = _FLOW.fullmatch(said) if isinstance(said, str) else None
            if match is None:
                cure = 'Write: to "NODE" in "HANDLE" as "CONTENT" naming "LABEL".'
                builder.notes.error("bad-value", at, f"Expected where it leads, got {kind(said)}.", cure)
                continue
            part = {key: (value or "").strip('"') for key, value in match.groupdict().items()}
            output, input_ = (part[key].strip("_").lower() or "default" for key in ("output", "input"))
            builder.arrow(
                (source, output), (part["target"], input_), part["content"] or None, part["label"] or None, at
            )
    _persons(fields, builder)
    about = {name: fields.take(name) for name in _ABOUT if name in fields}
    fields.tell_left()
    return builder.diagram(about)


def _guessed(label: str, props: Mapping[str, Any]) -> str:
    """The type of a node that does not say it: by what it says instead."""
    for type_, keys in _TELLING.items():
        if not keys.isdisjoint(props):
            return type_
    words = label.lower().split()
    return "start" if "start" in words else "endpoint" if words and words[0] in {"end", "endpoint"} else ""


_TELLING = {
    "condition": frozenset({"condition_type"}),
    "person_job": frozenset({"person", "default_prompt", "first_only_prompt", "max_iteration"}),
    "code_job": frozenset({"code", "language"}),
    "sub_diagram": frozenset({"diagram_name", "diagram_data"}),
    "template_job": frozenset({"template_content", "template_path"}),
    "db": frozenset({"operation", "sub_type"}),
    "endpoint": frozenset({"save_to_file", "file_format"}),
    "hook": frozenset({"hook_type"}),
    "api_job": frozenset({"url"}),
    "user_response": frozenset({"prompt"}),
    "start": frozenset({"trigger_mode", "custom_data"}),
}


# --- native ---


def _native(fields: Fields, builder: Builder) -> Diagram:  # noqa: C901 - part by part
    fields.take("version")
    labels: dict[str, str] = {}
    for path, raw in _by_id(fields, "nodes", builder):
        node = Fields(raw, path, builder.notes)
        data = node.mapping("data")
        label = data.get("label")
        if not isinstance(label, str | None):
            builder.notes.error("bad-value", f"{path}.data.label", f"Expected a text, got {kind(label)}.")
        props = without_frame(data)
        found = builder.node(
            label if isinstance(label, str) else node.text("id"), node.text("type"), props, node.take("position"),
            path, f"{path}.data",
        )  # fmt: skip
        node.take("__typename")
        if node.text("id") in labels:
            builder.notes.error("second-node", f"{path}.id", f"There is a node {node.text('id')!r} already.")
        labels.setdefault(node.text("id"), found)
        node.tell_left()
    handles: dict[str, tuple[str, str]] = {}
    for path, raw in _by_id(fields, "handles", builder):
        said = Fields(raw, path, builder.notes)
        if said.text("node_id") not in labels:
            builder.notes.error("unknown-node", f"{path}.node_id", f"There is no node {said.text('node_id')!r}.")
        handles[said.text("id")] = labels.get(said.text("node_id"), ""), said.text("label", "default").lower()
        if said.text("direction", "input").lower() not in {"input", "output"}:
            builder.notes.error("bad-value", f"{path}.direction", "Expected input or output.")
        for name in ("data_type", "position", "__typename"):
            said.take(name)
        said.tell_left()
    persons: dict[str, str] = {}
    for path, raw in _by_id(fields, "persons", builder):
        said = Fields(raw, path, builder.notes)
        name = said.text("label") or said.text("id")
        persons[said.text("id")] = name
        builder.person(name, raw, path)
    _name_persons(builder, persons)
    for path, raw in _by_id(fields, "arrows", builder):
        wire = Fields(raw, path, builder.notes)
        ends = [_native_end(wire.text(name), handles, labels) for name in ("source", "target")]
        builder.arrow(ends[0], ends[1], wire.take("content_type"), wire.take("label"), path)
        wire.mapping("data")
        for name in ("id", "__typename"):
            wire.take(name)
        wire.tell_left()
    metadata = fields.mapping("metadata")
    about = {name: metadata[name] for name in _ABOUT if metadata.get(name)}
    fields.tell_left()
    return builder.diagram(about)


def _native_end(said: str, handles: Mapping[str, tuple[str, str]], labels: Mapping[str, str]) -> tuple[str, str]:
    if said in handles:
        return handles[said]
    match = re.fullmatch(rf"(.*)_({'|'.join(HANDLES)}|\w+?)_(?:input|output)", said)
    if match is not None and match[1] in labels:
        return labels[match[1]], match[2].lower()
    return (labels[said], "default") if said in labels else (said, "default")


def _name_persons(builder: Builder, persons: Mapping[str, str]) -> None:
    """Let nodes call persons by their names, as the other forms do."""
    for label, node in builder.nodes.items():
        person = node.props.get("person")
        if isinstance(person, str) and person in persons:
            builder.nodes[label] = attrs.evolve(node, props={**node.props, "person": persons[person]})


# --- what they share ---


def _entries(fields: Fields, name: str, builder: Builder) -> list[tuple[str, Any]]:
    """The items of a list, or of an object by its keys, each with its path."""
    found = fields.take(name)
    if isinstance(found, dict) and name in {"flow", "nodes"}:
        return [(f"{name}", {key: value}) for key, value in cast("dict[str, Any]", found).items()]
    return [(f"{name}[{number}]", each) for number, each in enumerate(fields.items(name))]


def _by_id(fields: Fields, name: str, builder: Builder) -> list[tuple[str, Any]]:
    """The items of a list, or of an object by their ids."""
    found = fields.take(name)
    if isinstance(found, dict):
        return [
            (f"{name}.{key}", {"id": key, **value} if isinstance(value, dict) else value)
            for key, value in cast("dict[str, Any]", found).items()
        ]
    return [(f"{name}[{number}]", each) for number, each in enumerate(fields.items(name))]


def _persons(fields: Fields, builder: Builder) -> None:
    found = fields.take("persons")
    if isinstance(found, list):
        for number, each in enumerate(found):
            path = f"persons[{number}]"
            name, said = _single(each, path, builder)
            builder.person(name, said, f"{path}.{name}")
        return
    for name, said in fields.mapping("persons").items():
        builder.person(name, said, f"persons.{name}")


def _single(raw: Any, path: str, builder: Builder) -> tuple[str, Any]:
    """The only key of an object, and its value; a text stands for itself."""
    if isinstance(raw, str):
        return raw, None
    if isinstance(raw, dict) and len(cast("dict[str, Any]", raw)) == 1:
        return next(iter(cast("dict[str, Any]", raw).items()))
    builder.notes.error("bad-value", path, f"Expected an object with one key, got {kind(raw)}.")
    return "", None


def _number(text: str) -> float | int:
    try:
        found = float(text)
    except ValueError:
        return 0
    return int(found) if found.is_integer() else found
