"""What arrows bring a node: put together by their labels, as names for scripts, templates and prompts."""

from __future__ import annotations

import re

import attrs

from trioflow.formats.dipeo.diagram import Node
from trioflow.formats.dipeo.draft import Draft
from trioflow.formats.dipeo.expressions import names_in
from trioflow.model.graph import Connection, Endpoint, Variable

NAME = re.compile(r"\{\{-?\s*([A-Za-z_]\w*)")


def find_variables(draft: Draft) -> None:
    """Names that one node sets and another reads without getting them over an arrow are variables of the graph."""
    assigned: dict[str, str] = {}
    for label, code in draft.code.items():
        for name in code.values:
            assigned.setdefault(name, label)
    given = {
        key: value
        for node in draft.diagram.nodes
        if node.type == "start" and isinstance(node.props.get("custom_data"), dict)
        for key, value in node.props["custom_data"].items()
    }
    for node in draft.diagram.nodes:
        for name in names_asked(draft, node) - draft.labels(node):
            if name in assigned and name not in draft.variables:
                draft.variables[name] = Variable(name, "any", given.get(name))
                message = (
                    f"{name!r} is a variable of the graph: {assigned[name]!r} sets it, and {node.label!r} reads it "
                    "without an arrow that brings it."
                )
                draft.notes.info("variable", draft.by_label[assigned[name]].path, message)


def names_asked(draft: Draft, node: Node) -> set[str]:
    """The names that a node asks for."""
    found: set[str] = set(draft.code[node.label].asked) if node.label in draft.code else set()
    if node.type == "condition":
        text = node.props.get("expression")
        found |= names_in(text) if isinstance(text, str) else frozenset()
    for key in ("default_prompt", "first_only_prompt", "template_content", "prompt"):
        text = node.props.get(key)
        found |= {*NAME.findall(text)} if isinstance(text, str) else set()
    return found


def objects_of(draft: Draft, node: Node) -> set[str]:
    """The labels of arrows whose objects a node finds the entries of, too, and not only under the label."""
    arrows = draft.incoming.get(node.label, ())
    return {
        arrow.label or "default"
        for arrow in arrows
        if arrow.content == "object" or not (arrow.label or gives_text(draft.by_label[arrow.source]))
    }


def gives_text(node: Node) -> bool:
    """Whether what a node gives has no entries: the answer of a person to whom no format is said."""
    return node.type == "person_job" and not (node.props.get("text_format") or node.props.get("text_format_file"))


def source_of(draft: Draft, node: Node, label: str) -> Endpoint | None:
    """Where the value of a name is found: of several arrows, that which came over one from its own circle first."""
    circle = draft.circle.get(node.label, frozenset[str]())
    arrows = [arrow for arrow in draft.incoming.get(node.label, ()) if (arrow.label or "default") == label]
    arrows.sort(key=lambda arrow: arrow.source not in circle)
    found = [*dict.fromkeys(value_at(draft, arrow.source) for arrow in arrows)]
    if len(found) < 2:
        return found[0] if found else None
    helper = f"{node.label} {label}"
    if helper not in draft.place:
        names = [f"in_{number}" for number in range(1, len(found) + 1)]
        draft.helper(helper, "value.first", config={"inputs": names})
        for name, each in zip(names, found, strict=True):
            draft.connections.append(Connection(each, Endpoint(helper, name)))
    return Endpoint(helper, "result")


def value_at(draft: Draft, label: str) -> Endpoint:
    """Where what a node gives is found, which may not be made yet: then it is filled in at the end."""
    made = draft.made.get(label)
    if made is not None and made.value is not None:
        return made.value
    return Endpoint(f"\0{label}", "value")


def default_source(draft: Draft, node: Node) -> Endpoint | None:
    """Where what came is found: over an arrow without a label, or else over the only one."""
    labels = draft.labels(node)
    if "default" in labels or not labels:
        return source_of(draft, node, "default")
    return source_of(draft, node, next(iter(labels))) if len(labels) == 1 else collect_inputs(draft, node)


def collect_inputs(draft: Draft, node: Node) -> Endpoint:
    """Where a dictionary of all that came is found, by labels."""
    helper = f"{node.label} inputs"
    if helper not in draft.place:
        names = {f"in_{number}": label for number, label in enumerate(sorted(draft.labels(node)), 1)}
        draft.helper(helper, "value.collect", config={"inputs": names})
        for name, label in names.items():
            source = source_of(draft, node, label)
            assert source is not None
            draft.connections.append(Connection(source, Endpoint(helper, name)))
    return Endpoint(helper, "result")


def spread_inputs(draft: Draft, node: Node) -> Endpoint:
    """The same with the entries of objects, and with the variables that it asks for."""
    variables = [name for name in draft.variables if name in names_asked(draft, node) - draft.labels(node)]
    objects = sorted(objects_of(draft, node))
    if not objects and not variables:
        return collect_inputs(draft, node)
    helper = f"{node.label} all inputs"
    if helper not in draft.place:
        names = [f"var_{number}" for number in range(1, len(variables) + 1)]
        parts = {f"in_{number}": label for number, label in enumerate(objects, 1)}
        config = {**dict(zip(names, variables, strict=True)), **parts, "named": "named"}
        draft.helper(helper, "value.join", config={"inputs": config})
        for name, variable in zip(names, variables, strict=True):
            get = f"variable {variable}"
            if get not in draft.place:
                draft.helper(get, "variable.get", {"name": variable})
            draft.wire(get, "result", helper, name)
        for name, label in parts.items():
            source = source_of(draft, node, label)
            assert source is not None
            draft.connections.append(Connection(source, Endpoint(helper, name)))
        draft.connections.append(Connection(collect_inputs(draft, node), Endpoint(helper, "named")))
    return Endpoint(helper, "result")


def resolve_sources(draft: Draft) -> None:
    """Fill in where values are found of nodes that were made later."""

    def value_of(end: Endpoint) -> Endpoint | None:
        seen: set[str] = set()
        found: Endpoint | None = end
        while found is not None and found.node.startswith("\0"):
            label = found.node[1:]
            if label in seen:
                return None
            seen.add(label)
            found = draft.made[label].value
        return found

    wires: list[Connection] = []
    for wire in draft.connections:
        source = value_of(wire.source)
        if source is not None:
            wires.append(wire if source is wire.source else attrs.evolve(wire, source=source))
    draft.connections = wires
