"""A node of a document with its row of the tables: which type it is, and which of its sockets is which."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import TypeVar

import attrs

from trioflow.formats.nodeeditor.document import Node, Raw, Socket
from trioflow.formats.nodeeditor.dotnet import fits
from trioflow.formats.nodeeditor.row import MAIN, Input, Output, Place, Row, key_of
from trioflow.formats.nodeeditor.tables import FAMILIES, ROWS_BY_KEY

PLACEHOLDER = "nodeeditor."
"""How the types of placeholders begin: nodes of the format that have no counterpart here."""


@attrs.frozen
class Names:
    """The names of variables and events by their ids in the document."""

    variables: Mapping[str, str]
    events: Mapping[str, str]


@attrs.frozen(eq=False)
class Placed:
    """A node and its row.

    `inputs` and `outputs` find sockets by any name that they have; `input_names` and `output_names` say how the
    document spells those that it has. `stale` are sockets whose names could only be guessed, `unknown` those that are
    nothing here. `problem` says why it is a placeholder.
    """

    id: str
    row: Row
    inputs: Mapping[str, Input]
    outputs: Mapping[str, Output]
    input_names: Mapping[str, str]
    output_names: Mapping[str, str]
    sockets: Mapping[str, Socket]
    """The inputs that the document has, by the names of the row."""
    output_kinds: Mapping[str, str | None]
    stale: tuple[tuple[Socket, Input | Output], ...] = ()
    unknown: tuple[Socket, ...] = ()
    problem: str = ""

    @property
    def is_placeholder(self) -> bool:
        return self.row.type is not None and self.row.type.startswith(PLACEHOLDER)

    def output_at(self, place: Place) -> Output | None:
        """The output whose value comes from a socket of ours; of several the one that the document has."""
        found = [each for each in self.row.outputs if each.source == place]
        return next((each for each in found if each.name in self.output_names), found[0] if found else None)

    def input_at(self, place: Place) -> Input | None:
        """The input whose value goes to a socket of ours; of several the one that the document has."""
        found = [each for each in self.row.inputs if place in each.to]
        return next((each for each in found if each.name in self.input_names), found[0] if found else None)


def place(node: Node, names: Names) -> Placed:
    """Find the row of a node, and match its sockets with those of the row."""
    row, problem = _row_of(node, names)
    inputs, input_names, stale_inputs, unknown_inputs = _match(node.inputs, row.inputs, row.inputs_by_key)
    outputs, output_names, stale_outputs, unknown_outputs = _match(node.outputs, row.outputs, row.outputs_by_key)
    kinds = {socket.name: socket.kind for socket in node.outputs}
    by_name = {socket.name: socket for socket in node.inputs}
    return Placed(
        id=node.id,
        row=row,
        inputs=inputs,
        outputs=outputs,
        input_names=input_names,
        output_names=output_names,
        sockets={name: by_name[spelled] for name, spelled in input_names.items()},
        output_kinds={name: kinds[spelled] for name, spelled in output_names.items()},
        stale=(*stale_inputs, *stale_outputs),
        unknown=(*unknown_inputs, *unknown_outputs),
        problem=problem,
    )


def place_new(node_id: str, row: Row) -> Placed:
    """A node of a row that no document has yet."""
    return Placed(node_id, row, row.inputs_by_key, row.outputs_by_key, {}, {}, {}, {})


def usual_connection(source: Placed, start: Place, target: Placed, end: Place) -> Raw | None:
    """The connection between two sockets of ours as an export writes it; None if there is none in the format."""
    output, input_ = source.output_at(start), target.input_at(end)
    if output is None or input_ is None:
        return None
    return {
        "outputNodeId": source.id,
        "outputSocketName": source.output_names.get(output.name, output.name),
        "inputNodeId": target.id,
        "inputSocketName": target.input_names.get(input_.name, input_.name),
        "isExecution": output.is_exec,
    }


# --- rows ---


def _row_of(node: Node, names: Names) -> tuple[Row, str]:
    for row in FAMILIES if node.type_id else ():
        if node.type_id.lower().startswith(row.family):
            return _member(row, node, names)
    found = _candidates(node)
    if not found:
        return _placeholder(node), f"no node type of that name is known ({node.type_id or node.name!r})"
    row = found[0]
    if len(found) > 1:  # node types there share a name: the sockets tell which is meant
        row = max(found, key=lambda row: _known_sockets(row, node))
    return (row, "") if row.type is not None or row.omitted else (_placeholder(node), row.note)


def _member(family: Row, node: Node, names: Names) -> tuple[Row, str]:
    """The row of a node whose type says which variable or event it is about."""
    what, known = ("variable", names.variables) if family.family.startswith("variable") else ("event", names.events)
    id_ = node.type_id[len(family.family) :]
    if id_ not in known:
        return _placeholder(node), f"the document has no {what} with the id {id_!r}"
    return bound_to(family, known[id_]), ""


def bound_to(family: Row, name: str) -> Row:
    """The row of a family that is about the variable or event of this name."""
    assert family.bound is not None
    parts = [Place(part, family.bound.socket) for part in family.parts]
    return attrs.evolve(family, given={**family.given, **dict.fromkeys([family.bound, *parts], name)})


def _candidates(node: Node) -> tuple[Row, ...]:
    if node.type_id:
        # The type may be the name itself, or a .NET name of a class such as Some.Where.ForLoopNode, or of a method.
        last = re.split(r"[(,`]", node.type_id, maxsplit=1)[0].rpartition(".")[2]
        for name in (node.type_id, last, re.sub(r"(?i)(node|async)$", "", last)):
            if key_of(name) in ROWS_BY_KEY:
                return ROWS_BY_KEY[key_of(name)]
    return ROWS_BY_KEY.get(key_of(node.name), ())


def _known_sockets(row: Row, node: Node) -> int:
    return sum(key_of(socket.name) in row.inputs_by_key for socket in node.inputs) + sum(
        key_of(socket.name) in row.outputs_by_key for socket in node.outputs
    )


def _placeholder(node: Node) -> Row:
    last = re.split(r"[(,`]", node.type_id, maxsplit=1)[0].rpartition(".")[2]
    return Row(
        node.name,
        PLACEHOLDER + _snake(node.name or last),
        tuple(
            Input(socket.name, socket.kind, None, (Place(MAIN, name),))
            for socket, name in zip(node.inputs, _unique(node.inputs), strict=True)
        ),
        tuple(
            Output(socket.name, socket.kind, Place(MAIN, name))
            for socket, name in zip(node.outputs, _unique(node.outputs), strict=True)
        ),
    )


def _unique(sockets: Iterable[Socket]) -> list[str]:
    names: list[str] = []
    for socket in sockets:
        name = stem = _snake(socket.name)
        number = 1
        while name in names:
            number += 1
            name = f"{stem}_{number}"
        names.append(name)
    return names


def _snake(name: str) -> str:
    parted = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name)
    return re.sub(r"\W+", "_", parted).strip("_").lower() or "unnamed"


# --- sockets ---

S = TypeVar("S", Input, Output)


def _match(
    sockets: tuple[Socket, ...], known: tuple[S, ...], by_key: Mapping[str, S]
) -> tuple[Mapping[str, S], dict[str, str], list[tuple[Socket, S]], list[Socket]]:
    names: dict[str, str] = {}
    left: list[Socket] = []
    for socket in sockets:
        found = by_key.get(key_of(socket.name))
        if found is None or (found.is_exec != (socket.kind == "exec")) or found.name in names:
            left.append(socket)
        else:
            names[found.name] = socket.name
    if not left:
        return by_key, names, [], []
    # A stale name is understood if only one socket of its kind is left over on either side.
    every = dict(by_key)
    stale: list[tuple[Socket, S]] = []
    unknown: list[Socket] = []
    for socket in left:
        is_exec = socket.kind == "exec"
        rivals = [each for each in left if (each.kind == "exec") == is_exec]
        free = [each for each in known if each.name not in names and each.is_exec == is_exec]
        if len(rivals) == 1 and len(free) == 1 and fits(socket.kind, free[0].kind):
            names[free[0].name] = socket.name
            every[key_of(socket.name)] = free[0]
            stale.append((socket, free[0]))
        else:
            unknown.append(socket)
    return every, names, stale, unknown
