"""A node of a document with its row of the tables: which type it is, and which of its sockets is which."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable, Mapping
from typing import Generic, TypeVar

import attrs

from trioflow.formats.nodeeditor.document import Node, Raw, Socket
from trioflow.formats.nodeeditor.dotnet import fits
from trioflow.formats.nodeeditor.row import MAIN, Input, Output, Place, Row, key_of
from trioflow.formats.nodeeditor.tables import FAMILIES, ROWS_BY_KEY

PLACEHOLDER = "nodeeditor."
"""How the types of placeholders begin: nodes of the format that have no counterpart here."""

_REMEMBERED = 1000
"""How many names and shapes of nodes are looked at only once: documents have thousands of nodes of few types."""


@attrs.frozen
class Names:
    """The names of variables and events by their ids in the document."""

    variables: Mapping[str, str]
    events: Mapping[str, str]


S = TypeVar("S", Input, Output)


@attrs.frozen(eq=False)
class Matched(Generic[S]):
    """Which sockets of a node are which of its row.

    `by_key` finds sockets by any name that they have. Of those that the document has, `names` says how it spells them,
    `places` where they stand. `stale` are sockets whose names could only be guessed, `unknown` those that are nothing
    here.
    """

    by_key: Mapping[str, S]
    names: Mapping[str, str] = attrs.Factory(dict[str, str])
    places: Mapping[str, int] = attrs.Factory(dict[str, int])
    stale: tuple[tuple[int, S], ...] = ()
    unknown: tuple[int, ...] = ()

    def find(self, name: str) -> S | None:
        """The socket of the row that a name of the document means."""
        return self.by_key.get(key_of(name))


@attrs.frozen(eq=False)
class Placed:
    """A node with its row.

    `node` is what the document has, None if it has none yet; `problem` says why the row is that of a placeholder.
    """

    id: str
    row: Row
    inputs: Matched[Input]
    outputs: Matched[Output]
    node: Node | None = None
    problem: str = ""

    @property
    def is_placeholder(self) -> bool:
        return self.row.type is not None and self.row.type.startswith(PLACEHOLDER)

    def socket(self, input_: Input) -> Socket | None:
        """The input as the document has it."""
        index = self.inputs.places.get(input_.name)
        return self.node.inputs[index] if self.node is not None and index is not None else None

    def kind_of(self, output: Output) -> str | None:
        """The kind of an output as the document has it."""
        index = self.outputs.places.get(output.name)
        return self.node.outputs[index].kind if self.node is not None and index is not None else output.kind

    def stale(self) -> list[tuple[Socket, Input | Output]]:
        """The sockets of the document whose names could only be guessed."""
        if self.node is None:
            return []
        inputs = [(self.node.inputs[index], meant) for index, meant in self.inputs.stale]
        return [*inputs, *((self.node.outputs[index], meant) for index, meant in self.outputs.stale)]

    def unknown_inputs(self) -> list[Socket]:
        """The inputs of the document that are nothing here."""
        return [self.node.inputs[index] for index in self.inputs.unknown] if self.node is not None else []

    def output_at(self, place: Place) -> Output | None:
        """The output whose value comes from a socket of ours; of several the one that the document has."""
        found = self.row.outputs_at.get(place, ())
        return next((each for each in found if each.name in self.outputs.names), found[0] if found else None)

    def input_at(self, place: Place) -> Input | None:
        """The input whose value goes to a socket of ours; of several the one that the document has."""
        found = self.row.inputs_at.get(place, ())
        return next((each for each in found if each.name in self.inputs.names), found[0] if found else None)


def place(node: Node, names: Names) -> Placed:
    """Find the row of a node, and match its sockets with those of the row."""
    row, problem = _row_of(node, names)
    inputs = _match_inputs(row, tuple([(each.name, each.kind) for each in node.inputs]))
    outputs = _match_outputs(row, tuple([(each.name, each.kind) for each in node.outputs]))
    return Placed(node.id, row, inputs, outputs, node, problem)


def place_new(node_id: str, row: Row) -> Placed:
    """A node of a row that no document has yet."""
    return Placed(node_id, row, Matched(row.inputs_by_key), Matched(row.outputs_by_key))


def usual_connection(source: Placed, start: Place, target: Placed, end: Place) -> Raw | None:
    """The connection between two sockets of ours as an export writes it; None if there is none in the format."""
    output, input_ = source.output_at(start), target.input_at(end)
    if output is None or input_ is None:
        return None
    return {
        "outputNodeId": source.id,
        "outputSocketName": source.outputs.names.get(output.name, output.name),
        "inputNodeId": target.id,
        "inputSocketName": target.inputs.names.get(input_.name, input_.name),
        "isExecution": output.is_exec,
    }


# --- rows ---


def _row_of(node: Node, names: Names) -> tuple[Row, str]:
    for row in FAMILIES if node.type_id else ():
        if node.type_id.lower().startswith(row.family):
            return _member(row, node, names)
    found = _candidates(node.type_id, node.name)
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


@functools.lru_cache(maxsize=_REMEMBERED)
def _candidates(type_id: str, name: str) -> tuple[Row, ...]:
    if type_id:
        # The type may be the name itself, or a .NET name of a class such as Some.Where.ForLoopNode, or of a method.
        last = re.split(r"[(,`]", type_id, maxsplit=1)[0].rpartition(".")[2]
        for each in (type_id, last, re.sub(r"(?i)(node|async)$", "", last)):
            if key_of(each) in ROWS_BY_KEY:
                return ROWS_BY_KEY[key_of(each)]
    return ROWS_BY_KEY.get(key_of(name), ())


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
    """Names for sockets of ours, no two alike."""
    numbers: dict[str, int] = {}
    names: dict[str, None] = {}
    for socket in sockets:
        name = stem = _snake(socket.name)
        while name in names:
            numbers[stem] = numbers.get(stem, 1) + 1
            name = f"{stem}_{numbers[stem]}"
        names[name] = None
    return [*names]


def _snake(name: str) -> str:
    parted = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name)
    return re.sub(r"\W+", "_", parted).strip("_").lower() or "unnamed"


# --- sockets ---

Shape = tuple[tuple[str, str | None], ...]
"""Names and kinds of sockets."""


@functools.lru_cache(maxsize=_REMEMBERED)
def _match_inputs(row: Row, shape: Shape) -> Matched[Input]:
    return _match(shape, row.inputs, row.inputs_by_key)


@functools.lru_cache(maxsize=_REMEMBERED)
def _match_outputs(row: Row, shape: Shape) -> Matched[Output]:
    return _match(shape, row.outputs, row.outputs_by_key)


def _match(shape: Shape, known: tuple[S, ...], by_key: Mapping[str, S]) -> Matched[S]:
    names: dict[str, str] = {}
    places: dict[str, int] = {}
    left: list[int] = []
    for index, (name, kind) in enumerate(shape):
        found = by_key.get(key_of(name))
        if found is None or (found.is_exec != (kind == "exec")) or found.name in names:
            left.append(index)
        else:
            names[found.name], places[found.name] = name, index
    # A stale name is understood if only one socket of its kind is left over on either side.
    every = by_key
    stale: list[tuple[int, S]] = []
    for is_exec in (True, False):
        rivals = [index for index in left if (shape[index][1] == "exec") == is_exec]
        free = [each for each in known if each.name not in names and each.is_exec == is_exec]
        if len(rivals) == 1 and len(free) == 1 and fits(shape[rivals[0]][1], free[0].kind):
            names[free[0].name], places[free[0].name] = shape[rivals[0]][0], rivals[0]
            every = {**every, key_of(shape[rivals[0]][0]): free[0]}
            stale.append((rivals[0], free[0]))
    guessed = {index for index, _ in stale}
    unknown = [index for index in left if index not in guessed]
    return Matched(every, names, places, tuple(stale), tuple(unknown))
