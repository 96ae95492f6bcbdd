"""`trioflow nodes`: which node types there are, and what each takes and gives."""

from __future__ import annotations

from collections.abc import Iterator

import click

from trioflow.cli.bad_input import BadInput
from trioflow.cli.source import nodes_option, open_registry
from trioflow.errors import RegistryError, did_you_mean
from trioflow.model.node_type import NodeType
from trioflow.model.sockets import DataIn, DataOut, ExecOut, Socket, Stream
from trioflow.model.types import describe_type


@click.command(epilog="Exit codes: 0 listed; 2 there is no such node type.")
@click.argument("name", required=False)
@nodes_option
def nodes(name: str | None, modules: tuple[str, ...]) -> int:
    """List node types: all, those of an area such as `flow`, or one such as `flow.for` with its sockets."""
    registry = open_registry(modules)
    ids = registry.ids()
    if name is not None:
        try:
            found = registry.find(name)
        except RegistryError as error:
            raise BadInput(str(error)) from error
        if found is not None:
            click.echo("\n".join(_describe(found)))
            return 0
        areas = {each.rpartition(".")[0] for each in ids}
        if name not in areas:
            raise BadInput(f"there is no node type {name!r}.{did_you_mean(name, [*ids, *areas])}")
        ids = [each for each in ids if each.rpartition(".")[0] == name]
    width = max(map(len, ids))
    for each in ids:
        click.echo(f"{each:<{width}}  {registry.get(each).summary}".rstrip())
    return 0


def _describe(node_type: NodeType) -> Iterator[str]:
    yield f"{node_type.id}: {_kind(node_type)}"
    if node_type.doc:
        yield ""
        yield from node_type.doc.splitlines()
    for title, sockets in (
        ("exec inputs", node_type.exec_inputs),
        ("data inputs", node_type.inputs),
        ("exec outputs", node_type.exec_outputs),
        ("data outputs", node_type.outputs),
        ("streams", node_type.streams),
    ):
        if sockets:
            rows = [(socket.name, _facts(socket), socket.doc) for socket in sockets]
            name_width = max(len(name) for name, _, _ in rows)
            fact_width = max(len(facts) for _, facts, _ in rows)
            yield ""
            yield f"{title}:"
            for name, facts, doc in rows:
                yield f"    {name:<{name_width}}  {facts:<{fact_width}}  {doc}".rstrip()


def _kind(node_type: NodeType) -> str:
    if node_type.listens is not None:
        return "exec node, listens for events"
    if node_type.initiator:
        return "exec node, runs start here"
    if node_type.is_exec:
        return "exec node"
    return "data node, volatile" if node_type.volatile else "data node"


def _facts(socket: Socket) -> str:
    if isinstance(socket, DataIn):
        words = [describe_type(socket.type)]
        words.append("(required)" if socket.required else f"= {socket.default!r}")
        words += ["(lazy)"] if socket.lazy else []
        words += [f"(name of a {socket.names})"] if socket.names == "variable" else []
        words += [f"(name of an {socket.names})"] if socket.names == "event" else []
        return " ".join(words)
    if isinstance(socket, DataOut):
        return describe_type(socket.type)
    if isinstance(socket, ExecOut):
        return "(must be wired)" if socket.must_handle else ""
    if isinstance(socket, Stream):
        items = ", ".join(item.name for item in socket.items)
        done = f", then {socket.done.name}" if socket.done is not None else ""
        discards = ", discarded after each item" if socket.discard else ""
        return f"{items}: fires {socket.fires.name} per item{done}; {socket.mode} unless set otherwise{discards}"
    return ""
