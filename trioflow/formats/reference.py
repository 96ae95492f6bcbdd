"""Node types for people: what each is, its sockets, and all of them as one page of Markdown."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import groupby
from pathlib import Path

import attrs

from trioflow.model.node_type import NodeType
from trioflow.model.policy import described
from trioflow.model.sockets import DataIn, DataOut, ExecOut, Socket, Stream
from trioflow.model.types import describe_type


@attrs.frozen
class SocketRow:
    """A socket in words. `facts` is its type and default, or what else is to be known of it."""

    name: str
    facts: str
    doc: str


def kind_of(node_type: NodeType) -> str:
    """What kind of node it is."""
    traits = {
        "listens for events": node_type.listens is not None,
        "runs start here": node_type.initiator,
        "remembers": node_type.remembers,
        "volatile": node_type.volatile,
    }
    kind = "exec node" if node_type.is_exec else "data node"
    policy = [] if node_type.policy is None else described(node_type.policy)
    return ", ".join([kind, *(trait for trait, has in traits.items() if has), *policy])


def text_of(node_type: NodeType) -> str:
    """The documentation without its examples."""
    return node_type.doc[: _example_start(node_type.doc)].rstrip()


def example_of(node_type: NodeType) -> str:
    """The examples at the end of the documentation, as one types them into Python; empty if there are none."""
    return node_type.doc[_example_start(node_type.doc) :].strip()


def _example_start(doc: str) -> int:
    if doc.startswith(">>> "):
        return 0
    start = doc.find("\n>>> ")
    return len(doc) if start < 0 else start + 1


def sockets_of(node_type: NodeType) -> Iterator[tuple[str, list[SocketRow]]]:
    """The sockets by their kind, those kinds that there are."""
    for kind, sockets in (
        ("exec inputs", node_type.exec_inputs),
        ("data inputs", node_type.inputs),
        ("exec outputs", node_type.exec_outputs),
        ("data outputs", node_type.outputs),
        ("streams", node_type.streams),
    ):
        if sockets:
            yield kind, [SocketRow(socket.name, _facts(socket), socket.doc) for socket in sockets]


def _facts(socket: Socket) -> str:
    if isinstance(socket, DataIn):
        words = [describe_type(socket.type)]
        default = str(socket.default) if isinstance(socket.default, Path) else socket.default
        words.append("(required)" if socket.required else f"= {default!r}")
        words += ["(lazy)"] if socket.lazy else []
        words += [f"(name of a {socket.names})"] if socket.names == "variable" else []
        words += [f"(name of an {socket.names})"] if socket.names == "event" else []
        return " ".join(words)
    if isinstance(socket, DataOut):
        return describe_type(socket.type)
    if isinstance(socket, ExecOut):
        words = ["must be wired"] if socket.must_handle else []
        words += ["concurrent"] if socket.concurrent else []
        return f"({', '.join(words)})" if words else ""
    if isinstance(socket, Stream):
        items = ", ".join(item.name for item in socket.items)
        done = f", then {socket.done.name}" if socket.done is not None else ""
        discards = ", discarded after each item" if socket.discard else ""
        return f"{items}: fires {socket.fires.name} per item{done}; {socket.mode} unless set otherwise{discards}"
    return ""


def area_of(node_type: NodeType) -> str:
    """The part of its id before the last point."""
    return node_type.id.rpartition(".")[0]


def to_markdown(node_types: Iterable[NodeType]) -> str:
    """A page of all the types, by area, with a table of contents."""
    areas = [(area, list(found)) for area, found in groupby(sorted(node_types, key=lambda each: each.id), key=area_of)]
    lines = [
        "# Node types",
        "",
        f"Node types: {sum(len(found) for _, found in areas)}, areas: {len(areas)}. This page is made by",
        "`trioflow nodes --markdown`. What it says stands in the docstrings of the nodes, whose examples are tested:",
        "there `fire` and `evaluate` are those of `trioflow.testing`, `tf` is `trioflow`.",
        "",
        "| area | node types |",
        "|---|---|",
    ]
    for area, found in areas:
        names = ", ".join(f"[{each.id.rpartition('.')[2]}](#{_anchor(each.id)})" for each in found)
        lines.append(f"| [{area}](#{_anchor(area)}) | {names} |")
    for area, found in areas:
        lines += ["", f"## {area}"]
        for node_type in found:
            lines += ["", *section_of(node_type)]
    return "\n".join([*lines, ""])


def _anchor(title: str) -> str:
    """The name that GitHub and others give to a heading."""
    return title.lower().replace(".", "")


def section_of(node_type: NodeType, *, level: int = 3, python: str | None = None) -> Iterator[str]:
    """All about one type as lines of Markdown, below a heading of that level; `python` is its name there."""
    yield from (f"{'#' * level} {node_type.id}", "", f"*{kind_of(node_type)}*{f', `{python}`' if python else ''}")
    if text_of(node_type):
        yield from ("", text_of(node_type))
    yield from ("", "| | name | type | |", "|---|---|---|---|")
    for kind, rows in sockets_of(node_type):
        for row in rows:
            facts = f"`{_cell(row.facts)}`" if row.facts else ""
            name = kind.removesuffix("s")
            yield f"| {name} | `{row.name}` | {facts} | {_cell(row.doc, prose=True)} |"
    if example_of(node_type):
        yield from ("", "```python", example_of(node_type), "```")


def _cell(text: str, *, prose: bool = False) -> str:
    """What a cell of a table says; in code only the mark between cells has a meaning."""
    text = text.replace("|", "\\|").replace("\n", " ")
    return text.replace("*", "\\*") if prose else text
