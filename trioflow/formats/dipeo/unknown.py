"""What there is nothing for: placeholders that the host gives bodies."""

from __future__ import annotations

from trioflow.formats.dipeo.diagram import Node
from trioflow.formats.dipeo.draft import Draft, Made
from trioflow.formats.dipeo.inputs import spread_inputs
from trioflow.formats.fields import Fields
from trioflow.formats.placeholder import Sockets, body_for, placeholder
from trioflow.model.graph import Connection, Endpoint


def unknown(draft: Draft, node: Node, fields: Fields) -> Made:
    """A node of a type that is not known."""
    for name, _ in [*fields.left()]:
        fields.take(name)
    return placeholder_of(draft, node, f"nodes of type {node.type or '(none)'} are not known here")


def placeholder_of(draft: Draft, node: Node, what: str) -> Made:
    """A node that the host has to give a body."""
    cure = f"Give it a body: {body_for(node.label)}"
    draft.notes.error("no-counterpart", node.path, f"{node.label!r}: {what}.", cure, node=node.label)
    own = {key: value for key, value in node.props.items() if key.isidentifier() and key not in {"inputs", "flipped"}}
    inputs = dict.fromkeys(own, "any") | {"inputs": "any"}
    sockets = Sockets(inputs=inputs, outputs={"result": "any"})
    draft.add(placeholder(node.label, f"dipeo.{node.type or 'unknown'}", own, sockets=sockets))
    draft.connections.append(Connection(spread_inputs(draft, node), Endpoint(node.label, "inputs")))
    return draft.plain(node.label)
