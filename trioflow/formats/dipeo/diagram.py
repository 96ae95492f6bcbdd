"""What a diagram of DiPeO is, whichever of its three forms it is written in: nodes by label, arrows, persons."""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping
from typing import Any

import attrs

from trioflow.errors import did_you_mean
from trioflow.formats.fields import Fields, kind
from trioflow.formats.port import Notes

TYPES = (
    "start", "person_job", "condition", "code_job", "api_job", "endpoint", "db", "user_response", "hook",
    "template_job", "json_schema_validator", "typescript_ast", "sub_diagram", "integrated_api", "ir_builder",
    "diff_patch",
)  # fmt: skip
CONTENT = ("raw_text", "object", "conversation_state", "variable", "generic", "binary", "empty")
HANDLES = ("default", "first", "condtrue", "condfalse")
_ALIASES = {"file_name": "file_path", "memory_profile": "memorize_to", "source_details": "file"}
_EVERYWHERE = frozenset({"label", "type", "position", "props", "id", "data"})


@attrs.frozen
class Node:
    """A node: its label, which no other has, its type, one of `TYPES` or another word, and what it says."""

    label: str
    type: str
    props: Mapping[str, Any]
    position: Mapping[str, Any] | None
    path: str
    """Where its properties stand in the document."""
    names: Mapping[str, str]
    """What the document calls them, where that differs."""


@attrs.frozen
class Arrow:
    """An arrow from one handle to another."""

    source: str
    output: str
    target: str
    input: str
    content: str
    label: str
    path: str = attrs.field(eq=False)

    def as_data(self) -> dict[str, Any]:
        """What the light form says of it."""
        ends = {"from": handle(self.source, self.output), "to": handle(self.target, self.input)}
        more = {"label": self.label, "content_type": self.content}
        return {**ends, **{key: value for key, value in more.items() if value}}


@attrs.frozen
class Diagram:
    """Nodes, arrows and persons in the order of the document, and what it says of itself."""

    nodes: tuple[Node, ...]
    arrows: tuple[Arrow, ...]
    persons: Mapping[str, Mapping[str, Any]]
    about: Mapping[str, Any]

    def renamed(self, names: Mapping[str, str]) -> Diagram:
        """The same with other labels for some nodes."""

        def name(label: str) -> str:
            return names.get(label, label)

        def props(node: Node) -> dict[str, Any]:
            lists = {key: node.props[key] for key in ("target_nodes", "node_indices") if key in node.props}
            named = {
                key: [name(each) if isinstance(each, str) else each for each in value]
                for key, value in lists.items()
                if isinstance(value, list)
            }
            return {**node.props, **named}

        return attrs.evolve(
            self,
            nodes=tuple(attrs.evolve(node, label=name(node.label), props=props(node)) for node in self.nodes),
            arrows=tuple(
                attrs.evolve(arrow, source=name(arrow.source), target=name(arrow.target)) for arrow in self.arrows
            ),
        )


def handle(label: str, name: str) -> str:
    """An end of an arrow as the light form writes it."""
    return label if name == "default" else f"{label}[{name}]"


class Builder:
    """Puts a diagram together from what one of the forms says, and tells what is wrong with it."""

    def __init__(self, notes: Notes) -> None:
        self.notes = notes
        self.nodes: dict[str, Node] = {}
        self.arrows: list[Arrow] = []
        self.persons: dict[str, Mapping[str, Any]] = {}

    def node(self, label: str, type_: str, props: Mapping[str, Any], position: Any, path: str, inside: str) -> str:
        """Add a node at a path, with its properties at another one; gives its label, another one if it is taken."""
        if not label:
            self.notes.error("bad-value", f"{path}.label", "A node needs a label.")
            label = f"node {len(self.nodes) + 1}"
        stem, number = label, 0
        while label in self.nodes:
            number += 1
            label = f"{stem}~{number}"
        found = type_.lower()
        if not found:
            self.notes.error(
                "bad-value", f"{path}.type", f"Node {label!r} has no type.", f"It may be: {', '.join(TYPES)}."
            )
        if not isinstance(position, Mapping | None):
            self.notes.error(
                "bad-value", f"{path}.position", f"Expected a position with x and y, got {kind(position)}."
            )
            position = None
        plain = {key: value for key, value in (position or {}).items() if key != "__typename"}
        for key in [each for each in plain if each not in {"x", "y"}]:
            self.notes.warning("unknown-field", f"{path}.position.{key}", "It is not known here, and left out.")
            del plain[key]
        for key, value in plain.items():
            if isinstance(value, bool) or not isinstance(value, int | float):
                self.notes.error("bad-value", f"{path}.position.{key}", f"Expected a number, got {kind(value)}.")
        # A name of today counts before one of yesterday.
        keys = sorted((key for key in props if key != "__typename"), key=lambda key: _snake(key) not in _ALIASES)
        names = {_name(key): key for key in keys}
        clean = {name: props[names[name]] for name in dict.fromkeys(map(_name, props)) if name in names}
        self.nodes[label] = Node(label, found, clean, plain or None, inside, names)
        return label

    def arrow(
        self, source: tuple[str, str], target: tuple[str, str], content: Any, label: Any, path: str, at: str = ""
    ) -> None:
        """Add an arrow, if its ends are there."""
        for end in (source[0], target[0]):
            if end not in self.nodes:
                near = did_you_mean(end, self.nodes)
                said = f"There is no node {end!r}.{near}" if end else "An end is missing."
                self.notes.error("unknown-node", path, said, "The connection is left out.")
                return
        for name, value in (("content_type", content), ("label", label)):
            if not isinstance(value, str | None):
                self.notes.error("bad-value", f"{path}.{name}", f"Expected a text, got {kind(value)}.")
        content = content.lower() if isinstance(content, str) else ""
        if content and content not in CONTENT:
            near = did_you_mean(content, CONTENT)
            self.notes.error("bad-value", f"{path}.content_type", f"{content!r} is not a type of content.{near}")
        self.arrows.append(Arrow(*source, *target, content, label if isinstance(label, str) else "", path + (at or "")))

    def end(self, said: str) -> tuple[str, str]:
        """A label and a handle: `Node`, `Node[condtrue]` or `Node_condtrue`."""
        if said in self.nodes:
            return said, "default"
        match = re.fullmatch(r"(.*)\[(\w+)\]", said) or re.fullmatch(rf"(.*)_({'|'.join(HANDLES)})", said)
        if match is not None and match[1] in self.nodes:
            return match[1], match[2].lower()
        return said, "default"

    def person(self, name: str, said: Any, path: str) -> None:
        """Add a person."""
        if not isinstance(said, Mapping):
            self.notes.warning("bad-value", path, f"Expected a person, an object, got {kind(said)}.", "It is left out.")
            return
        fields = Fields(said, path, self.notes)
        found: dict[str, Any] = {}
        inner = fields
        if "llm_config" in fields:
            inner = Fields(fields.take("llm_config"), f"{path}.llm_config", self.notes)
        for place in (fields, inner):
            place.take("__typename")
        for key in ("service", "model", "system_prompt", "prompt_file", "api_key_id", "base_url"):
            value = inner.text(key)
            if value:
                found[key] = value
        for key in ("temperature", "max_tokens"):
            if key in inner:
                found[key] = inner.number(key, 0)
        for key in ("id", "label", "type"):
            fields.take(key)
        fields.tell_left()
        if inner is not fields:
            inner.tell_left()
        self.persons[name] = found

    def diagram(self, about: Mapping[str, Any]) -> Diagram:
        """The diagram as it was put together."""
        return Diagram(tuple(self.nodes.values()), tuple(self.arrows), self.persons, about)


def without_frame(raw: Mapping[str, Any]) -> dict[str, Any]:
    """The properties of a node that stand beside its label and type."""
    return {key: value for key, value in raw.items() if key not in _EVERYWHERE and not key.startswith("__")}


@functools.lru_cache(maxsize=256)
def _name(key: str) -> str:
    """What a property is called here, whatever the form and the age of the document."""
    return _ALIASES.get(_snake(key), _snake(key))


@functools.lru_cache(maxsize=256)
def _snake(name: str) -> str:
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()
