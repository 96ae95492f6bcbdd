"""`trioflow nodes`: what there is to build graphs from."""

from __future__ import annotations

from collections.abc import Sequence

import click

from trioflow.cli.source import fail, nodes_option, open_registry
from trioflow.errors import TrioflowError
from trioflow.model.node_type import NodeType
from trioflow.model.sockets import UNSET
from trioflow.model.types import describe_type


@click.command()
@click.argument("name", required=False)
@nodes_option
def nodes(name: str | None, modules: Sequence[str]) -> None:
    """List the node types, or describe one, with its sockets, types and documentation."""
    try:
        registry = open_registry(modules)
        if name is not None:
            click.echo(describe(registry.get(name)), nl=False)
            return
        for node_type in registry:
            click.echo(f"{node_type.id:<24} {node_type.summary}")
    except TrioflowError as error:
        fail(error)


def describe(node_type: NodeType) -> str:
    """The page of one node type."""
    marks = [
        "exec node" if node_type.is_exec else "data node",
        *(["starts runs"] if node_type.initiator else []),
        *(["volatile"] if node_type.volatile else []),
        *(["listens for an event"] if node_type.listens else []),
    ]
    rows: list[tuple[str, str, str]] = [("exec in", socket.name, socket.doc) for socket in node_type.exec_inputs]
    for data_in in node_type.inputs:
        default = "" if data_in.default is UNSET else f" = {data_in.default!r}"
        lazy = ", asked for when needed" if data_in.lazy else ""
        rows.append(("data in", f"{data_in.name}: {describe_type(data_in.type)}{default}{lazy}", data_in.doc))
    rows += [("exec out", socket.name, socket.doc) for socket in node_type.exec_outputs]
    rows += [("data out", f"{socket.name}: {describe_type(socket.type)}", socket.doc) for socket in node_type.outputs]
    for stream in node_type.streams:
        items = ", ".join(item.name for item in stream.items)
        ends = f"; then {stream.done.name}" if stream.done else ""
        rows.append(("stream", f"{items} fires {stream.fires.name}{ends}", stream.doc))
    width = max((len(text) for _, text, _ in rows), default=0)
    lines = [f"{kind:<9} {text:<{width}}  {doc}".rstrip() for kind, text, doc in rows]
    return "\n".join([f"{node_type.id} ({', '.join(marks)})", "", node_type.doc, "", *lines]) + "\n"
