"""What a row of the tables says: a node type of the format, what it is here, and which socket is which.

Sockets are written `Their name: kind = default > ours`; one without a kind is an exec socket, one without `> ours` has
no counterpart here. The values of one of their inputs may go to several of ours. `> ours / 1000` says that a thousand
of theirs make one of ours, `> ours + 1` that ours is one more. Where one node of theirs is several of ours, the others
are *parts*, and sockets are written `part.socket`.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

import attrs

from trioflow.formats.nodeeditor.dotnet import ZEROS

MAIN = ""
"""The name of the part that is the node itself."""

_ONLY_MAIN = frozenset({MAIN})


class Place(NamedTuple):
    """A socket of ours within what a row makes."""

    part: str
    socket: str


@attrs.frozen
class Input:
    """One of their inputs: its kind, what it has if nothing gives it a value, and where its value goes."""

    name: str
    kind: str | None
    default: Any
    to: tuple[Place, ...]
    stated: bool = False
    """Whether the default is the node's own, rather than what .NET has for the kind."""
    per: int = 1
    """How many of theirs make one of ours."""
    more: int = 0
    """How much more ours is."""
    least: int | None = None
    """What theirs is taken for if it is less."""

    @property
    def is_exec(self) -> bool:
        return self.kind == "exec"


@attrs.frozen
class Output:
    """One of their outputs: its kind, and where its value comes from."""

    name: str
    kind: str | None
    source: Place | None
    per: int = 1
    """How many of theirs make one of ours."""

    @property
    def is_exec(self) -> bool:
        return self.kind == "exec"


@attrs.frozen(eq=False)
class Row:
    """A node type of theirs.

    `type` is ours, None if there is none; then `note` says why. `given` are literals that make ours mean theirs,
    `parts` the types of the other nodes that it takes, `wires` how they are joined to it. `note` says where meanings
    differ. An `omitted` one means nothing when a graph runs. `family` is how ids of types begin that end in the id of a
    variable or event, whose name goes to `bound`.
    """

    name: str
    type: str | None
    inputs: tuple[Input, ...]
    outputs: tuple[Output, ...]
    aliases: tuple[str, ...] = ()
    given: Mapping[Place, Any] = attrs.Factory(dict[Place, Any])
    parts: Mapping[str, str] = attrs.Factory(dict[str, str])
    wires: tuple[tuple[Place, Place], ...] = ()
    starts: bool = False
    note: str = ""
    family: str = ""
    bound: Place | None = None
    omitted: bool = False
    writes_texts: bool = False
    """Whether it makes a text of what its inputs of any kind are."""
    inputs_by_key: Mapping[str, Input] = attrs.field(init=False)
    outputs_by_key: Mapping[str, Output] = attrs.field(init=False)
    inputs_at: Mapping[Place, tuple[Input, ...]] = attrs.field(init=False)
    outputs_at: Mapping[Place, tuple[Output, ...]] = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        object.__setattr__(self, "inputs_by_key", {key_of(each.name): each for each in self.inputs})
        object.__setattr__(self, "outputs_by_key", {key_of(each.name): each for each in self.outputs})
        inputs_at: dict[Place, tuple[Input, ...]] = {}
        outputs_at: dict[Place, tuple[Output, ...]] = {}
        for input_ in self.inputs:
            for place in input_.to:
                inputs_at[place] = (*inputs_at.get(place, ()), input_)
        for output in self.outputs:
            if output.source is not None:
                outputs_at[output.source] = (*outputs_at.get(output.source, ()), output)
        object.__setattr__(self, "inputs_at", inputs_at)
        object.__setattr__(self, "outputs_at", outputs_at)

    def needed(self, wired: Iterable[Place]) -> frozenset[str]:
        """The parts that it takes if these of our outputs are wired: those that they and the node get values from."""
        if not self.parts:
            return _ONLY_MAIN
        needed = {MAIN, *(place.part for place in wired)}
        while more := {source.part for source, target in self.wires if target.part in needed} - needed:
            needed |= more
        return frozenset(needed)

    @property
    def listens(self) -> bool:
        """Whether it waits for an event, and never starts by itself."""
        return self.family == "event.listener."

    @property
    def is_exec(self) -> bool:
        """Whether it has an exec socket."""
        return any(each.is_exec for each in self.inputs) or any(each.is_exec for each in self.outputs)


@functools.lru_cache(maxsize=10_000)
def key_of(name: str) -> str:
    """A name as names are compared: without case, spaces and punctuation."""
    return "".join(filter(str.isalnum, name.casefold()))


def row(
    name: str,
    type: str | None = None,
    inputs: str = "",
    outputs: str = "",
    *,
    aka: str = "",
    given: Mapping[str, Any] | None = None,
    parts: Mapping[str, str] | None = None,
    wires: str = "",
    concurrent: bool = False,
    starts: bool = False,
    note: str = "",
    family: str = "",
    bound: str = "",
    omitted: bool = False,
    least: Mapping[str, int] | None = None,
    writes_texts: bool = False,
) -> Row:
    """A row from its notation; `aka` are other names, `inputs`, `outputs` and `wires` lists, all parted by `;`."""
    return Row(
        name,
        type,
        tuple(attrs.evolve(each, least=(least or {}).get(each.name)) for each in map(_input, _listed(inputs))),
        tuple(map(_output, _listed(outputs))),
        tuple(_listed(aka)),
        {_place(place): value for place, value in (given or {}).items()},
        dict(parts or {}),
        tuple(map(_wire, _listed(wires))),
        starts,
        note,
        family,
        _place(bound) if bound else None,
        omitted,
        writes_texts,
    )


_SOCKET = re.compile(
    r"(?P<name>[^:>]+?)"
    r"(: (?P<kind>\w+)( = (?P<default>.*?))?)?"
    r"( > (?P<ours>[\w., ]+?)( / (?P<per>\d+))?( (?P<more>[+-] \d+))?)?"
)
_CONSTANTS = {"true": True, "false": False}


def _listed(text: str) -> list[str]:
    return [each.strip() for each in text.split(";") if each.strip()]


def _place(text: str) -> Place:
    part, _, socket = text.strip().rpartition(".")
    return Place(part, socket)


def _wire(text: str) -> tuple[Place, Place]:
    source, _, target = text.partition(" > ")
    return _place(source), _place(target)


def _parse(text: str) -> tuple[str, str, str | None, tuple[Place, ...], int, int]:
    found = _SOCKET.fullmatch(text)
    if found is None:
        raise ValueError(f"{text!r} is not a socket of a row.")
    ours = found["ours"]
    return (
        found["name"],
        found["kind"] or "exec",
        found["default"],
        tuple(map(_place, ours.split(","))) if ours else (),
        int(found["per"] or 1),
        int((found["more"] or "0").replace(" ", "")),
    )


def _input(text: str) -> Input:
    name, kind, default, to, per, more = _parse(text)
    value = ZEROS.get(kind)
    if default is not None:
        number = float if "." in default and kind == "float" else int
        value = _CONSTANTS[default] if kind == "bool" else default[1:-1] if kind == "str" else number(default)
    return Input(name, kind, value, to, default is not None, per, more)


def _output(text: str) -> Output:
    name, kind, _, ours, per, _ = _parse(text)
    return Output(name, kind, ours[0] if ours else None, per)
