"""The graph: nodes, connections, variables and events, as immutable data (M1).

What only means something in a workflow says so; the rules W say what.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal, cast, get_args

import attrs

# Needed at runtime: the document format and its schema are made from the types of the fields.
from trioflow.errors import GraphError, did_you_mean
from trioflow.model.form import Form, Minimum
from trioflow.model.policy import Policy, Priority, Time, time_of
from trioflow.model.sockets import UNSET, ErrorMode, StreamMode
from trioflow.model.trigger import Trigger
from trioflow.model.values import NO_VALUES, frozen, own_copy

if TYPE_CHECKING:
    from trioflow.model.node_type import NodeType

FORMAT_VERSION = "1.2"
"""The version of the document format that this library writes, `major.minor`."""


GraphKind = Literal["graph", "workflow"]
Keeping = Literal["all", "needed"]
JoinPolicy = Literal["all", "each", "first", "parallel", "inclusive"]
Outcome = Literal["completed", "failed", "ended", "exhausted", "next", "progress"]
OUTCOMES: tuple[Outcome, ...] = get_args(Outcome)
UndoFrom = Literal["completed", "started"]
UndoOn = Literal["failed", "cancelled", "timeout"]


def _outcome_problems(value: Any) -> Iterator[tuple[str, str]]:
    known = ", ".join(OUTCOMES)
    several = isinstance(value, list | tuple)  # a document has a list, a graph that is written a tuple
    if several and not value:
        yield "", f"expected at least one of {known}, got an empty list"
    for index, each in enumerate(cast("list[Any]", value) if several else [value]):
        if each not in OUTCOMES:
            near = did_you_mean(each, OUTCOMES) if isinstance(each, str) else ""
            yield f"[{index}]" if several else "", f"expected one of {known}, or a list of them, got {each!r}.{near}"


def _as_outcomes(value: str | Iterable[str]) -> Any:
    several = (value,) if isinstance(value, str) else tuple(dict.fromkeys(value))
    return several[0] if len(several) == 1 else several


def _written_outcomes(value: str | tuple[str, ...]) -> str | list[str]:
    return value if isinstance(value, str) else [*value]


Outcomes = Annotated[
    "Outcome | tuple[Outcome, ...]",
    Form(
        "Outcomes",
        _outcome_problems,
        {
            "description": "How a firing has ended for a wire to be taken: one outcome, or a list.",
            "anyOf": [{"enum": [*OUTCOMES]}, {"type": "array", "items": {"enum": [*OUTCOMES]}, "minItems": 1}],
        },
        write=_written_outcomes,
    ),
]


def _least_problems(value: Any) -> Iterator[tuple[str, str]]:
    if value != "every" and (type(value) is not int or value < 1):
        yield "", f'expected a whole number of at least 1, or "every", got {value!r}'


def _undo_problems(value: Any) -> Iterator[tuple[str, str]]:
    known = ", ".join(get_args(UndoOn))
    if not isinstance(value, list | tuple) or not value:
        yield "", f"expected a list of at least one of {known}, got {value!r}"
        return
    for index, each in enumerate(cast("list[Any]", value)):
        if each not in get_args(UndoOn):
            near = did_you_mean(each, get_args(UndoOn)) if isinstance(each, str) else ""
            yield f"[{index}]", f"expected one of {known}, got {each!r}.{near}"


def _as_reasons(value: UndoOn | Iterable[UndoOn]) -> tuple[UndoOn, ...]:
    return (value,) if isinstance(value, str) else tuple(dict.fromkeys(value))


UNDO_GRACE = 30.0
"""Seconds that undoing may take after a cancellation, if the graph says nothing else (W22)."""

UndoReasons = Annotated[
    tuple[UndoOn, ...],
    Form(
        "UndoReasons",
        _undo_problems,
        {
            "description": "How a workflow must have ended for what was done in it to be undone.",
            "type": "array",
            "items": {"enum": [*get_args(UndoOn)]},
            "minItems": 1,
        },
        tuple,
        list,
    ),
]


Least = Annotated[
    "int | Literal['every']",
    Form(
        "Least",
        _least_problems,
        {
            "description": "Over how many wires tokens must have come; `every` is all that there are.",
            "anyOf": [{"type": "integer", "minimum": 1}, {"const": "every"}],
        },
    ),
]
AtLeastOne = Annotated[int, Minimum(1)]

# Every class below that has `extra` keeps in it what a document of a newer minor version says beyond its fields, so
# that it is written back.


@attrs.frozen
class StreamSettings:
    """How the streams of one node run; None leaves it to the node type (S2-S4).

    `limit` is the number of items in flight, 0 for any number.
    """

    mode: StreamMode | None = None
    limit: Annotated[int, Minimum(0)] | None = None
    on_error: ErrorMode | None = None
    extra: Mapping[str, Any] = attrs.field(default=NO_VALUES, converter=frozen, kw_only=True)


@attrs.frozen
class GraphNode:
    """One node: a unique id, the id of its type, and literals for data inputs.

    `config` is for types whose sockets depend on it: names of further inputs, for example. What it may hold, its type
    says (M2).

    `initiator` marks an exec node as a place where runs start, whatever its type says (M4). `policy` says what is done
    where it fails, takes long or is called often. `metadata` is the business of editors: it is kept, never read.

    In a workflow: `join`, `min` and `unmet` say when the node fires where several wires meet (W4-W8, W19), `rest` what
    becomes of those that it did not wait for, `choose` which wires are taken (W3), `most` how many turns it may have in
    a circle (W15), `priority`, `limit`, `group` and `queue` when it may start (W16), `undo` which node undoes what it
    did (W17), and `undo_from` whether only once it has completed, or as soon as it has started (W21), `set` variables
    and the expressions that they get when it has completed.
    """

    id: str
    type: str
    inputs: Mapping[str, Any] = attrs.field(default=NO_VALUES, converter=frozen)
    initiator: bool | None = None
    stream: StreamSettings | None = None
    config: Mapping[str, Any] = attrs.field(default=NO_VALUES, converter=frozen, kw_only=True)
    policy: Policy | None = attrs.field(default=None, kw_only=True)
    join: JoinPolicy = attrs.field(default="all", kw_only=True)
    min: Least = attrs.field(default=1, kw_only=True)
    unmet: Literal["skip", "fail"] = attrs.field(default="skip", kw_only=True)
    rest: Literal["drop", "cancel"] = attrs.field(default="drop", kw_only=True)
    choose: Literal["all", "first"] = attrs.field(default="all", kw_only=True)
    most: AtLeastOne | None = attrs.field(default=None, kw_only=True)
    priority: Priority = attrs.field(default="normal", kw_only=True)
    limit: AtLeastOne | None = attrs.field(default=None, kw_only=True)
    group: str | None = attrs.field(default=None, kw_only=True)
    queue: AtLeastOne | None = attrs.field(default=None, kw_only=True)
    undo: str | None = attrs.field(default=None, kw_only=True)
    undo_from: UndoFrom = attrs.field(default="completed", kw_only=True)
    set: Mapping[str, str] = attrs.field(default=NO_VALUES, converter=frozen, kw_only=True)
    metadata: Mapping[str, Any] = attrs.field(default=NO_VALUES, converter=frozen)
    extra: Mapping[str, Any] = attrs.field(default=NO_VALUES, converter=frozen, kw_only=True)


@attrs.frozen
class Endpoint:
    """One end of a connection, written `node.socket`. Node ids may contain dots, socket names can't.

    Without a socket, written `node`, it is the node's only exec socket on that side.
    """

    node: str
    socket: str = ""

    def __str__(self) -> str:
        return f"{self.node}.{self.socket}" if self.socket else self.node


@attrs.frozen(kw_only=True)
class WireData:
    """What an input gets that an exec wire speaks of: an expression, or an object with more.

    `value` is in CEL, over what a condition there may name, but for `round` and `turn`. Its value goes through
    `transforms`, which a registry knows by name; `default` stands in if anything that it needs was not written.
    """

    SHORT: ClassVar = "value"
    value: str
    transforms: tuple[str, ...] = attrs.field(default=(), converter=tuple[str, ...])
    default: Any = attrs.field(default=UNSET, converter=own_copy)
    extra: Mapping[str, Any] = attrs.field(default=NO_VALUES, converter=frozen)


def _as_data(given: Mapping[str, WireData | str]) -> Mapping[str, WireData]:
    return frozen({name: WireData(value=each) if isinstance(each, str) else each for name, each in given.items()})


@attrs.frozen
class Connection:
    """A wire from an output to an input of the same kind (M3).

    On an exec wire of a workflow: `on` says how its source must have ended for it to be taken, `when` is the condition
    under which it is, `otherwise` (in documents `else`) that it is where no condition held, `priority` which comes
    first where only one is chosen (W3). A wire that is not `enabled` is kept in the document, and is not there (W18).
    `data` says what inputs of its target get, by name: so many data wires, and data nodes for what is more than one.
    """

    source: Endpoint
    target: Endpoint
    when: str | None = attrs.field(default=None, kw_only=True)
    otherwise: bool = attrs.field(default=False, kw_only=True)
    on: Outcomes = attrs.field(default="completed", converter=_as_outcomes, kw_only=True)
    priority: int = attrs.field(default=0, kw_only=True)
    enabled: bool = attrs.field(default=True, kw_only=True)
    data: Mapping[str, WireData] = attrs.field(default=NO_VALUES, converter=_as_data, kw_only=True)
    extra: Mapping[str, Any] = attrs.field(default=NO_VALUES, converter=frozen, kw_only=True)

    @property
    def outcomes(self) -> tuple[Outcome, ...]:
        """`on`, as a list."""
        return (self.on,) if isinstance(self.on, str) else self.on

    def __str__(self) -> str:
        return f"{self.source} -> {self.target}"


@attrs.frozen
class Variable:
    """A variable of the graph: name, type name, start value, and the policy that merges concurrent writes (F4)."""

    name: str
    type: str = "any"
    default: Any = attrs.field(default=None, converter=own_copy)
    merge: str = "last"
    doc: str = ""
    extra: Mapping[str, Any] = attrs.field(default=NO_VALUES, converter=frozen, kw_only=True)


@attrs.frozen
class CustomEvent:
    """An event that bodies and the host may publish and nodes may listen for (B1).

    A *shared* event of a graph that is called is also published in the graph that calls it, if that declares an event
    of the name (C7).
    """

    name: str
    doc: str = ""
    shared: bool = False
    extra: Mapping[str, Any] = attrs.field(default=NO_VALUES, converter=frozen, kw_only=True)


@attrs.frozen
class Entry:
    """An exec input of a graph that is called as a node: inside, an exec output of its `graph.enter` (C1)."""

    name: str
    doc: str = ""
    extra: Mapping[str, Any] = attrs.field(default=NO_VALUES, converter=frozen, kw_only=True)


@attrs.frozen
class Exit:
    """An exec output of a graph that is called as a node: inside, an exec input of its `graph.leave` (C1).

    The call goes on at an exit when it is over (C5). A *callback* exit is triggered as often as control reaches it, and
    comes back (C6).
    """

    name: str
    callback: bool = False
    doc: str = ""
    extra: Mapping[str, Any] = attrs.field(default=NO_VALUES, converter=frozen, kw_only=True)


@attrs.frozen
class Input:
    """A data input of a graph that is called as a node: inside, a data output of its `graph.enter` (C1).

    Without a `default` it is required; null is a default. A *lazy* one is resolved whenever it is asked for inside,
    any other once, before the call (C4). A data graph asks for all of them when it needs them (C2).
    """

    name: str
    type: str = "any"
    default: Any = attrs.field(default=UNSET, converter=own_copy)
    lazy: bool = False
    doc: str = ""
    extra: Mapping[str, Any] = attrs.field(default=NO_VALUES, converter=frozen, kw_only=True)


@attrs.frozen
class Output:
    """A data output of a graph that is called as a node: inside, a data input of its `graph.leave` (C1)."""

    name: str
    type: str = "any"
    doc: str = ""
    extra: Mapping[str, Any] = attrs.field(default=NO_VALUES, converter=frozen, kw_only=True)


@attrs.frozen
class Interface:
    """What a graph shows as a node type: exec entries and exits, data inputs and outputs (C1).

    Entries and inputs share one namespace, exits and outputs another, as the sockets of any node.
    """

    entries: tuple[Entry, ...] = attrs.field(default=(), converter=tuple[Entry, ...])
    exits: tuple[Exit, ...] = attrs.field(default=(), converter=tuple[Exit, ...])
    inputs: tuple[Input, ...] = attrs.field(default=(), converter=tuple[Input, ...])
    outputs: tuple[Output, ...] = attrs.field(default=(), converter=tuple[Output, ...])
    extra: Mapping[str, Any] = attrs.field(default=NO_VALUES, converter=frozen, kw_only=True)

    @property
    def is_exec(self) -> bool:
        """Whether the graph is an exec node where it is called; otherwise it is a data node (C2)."""
        return bool(self.entries or self.exits)


@attrs.frozen
class Unreadable:
    """A file that a graph refers to and that could not be read as a graph, with the reasons."""

    problems: tuple[str, ...]


class LinkedFiles(Mapping[str, "Graph | Unreadable"]):
    """Graphs in files, by path as written: a view of a dict that `load` fills, since graphs may refer to each other."""

    __slots__ = ("_files",)

    def __init__(self, files: Mapping[str, Graph | Unreadable]) -> None:
        self._files = files

    def __getitem__(self, path: str) -> Graph | Unreadable:
        return self._files[path]

    def __iter__(self) -> Iterator[str]:
        return iter(self._files)

    def __len__(self) -> int:
        return len(self._files)


class Kept:
    """A place for what was made of a graph, as long as that lives; copies and pickles of it have one of their own."""

    __slots__ = ("value",)

    def __init__(self) -> None:
        self.value: Any = None

    def __reduce__(self) -> tuple[type[Kept], tuple[()]]:
        return Kept, ()


@attrs.frozen
class Graph:
    """An immutable graph (M1). The order of nodes and of connections has meaning: dispatch follows it (M3, M4).

    `interface` makes it a node type for other graphs, `graphs` are graphs that its nodes may call by name, as type
    `graph:NAME` (C1). `policies` are those of its own nodes by patterns of their types, such as `http.*`, as far as
    neither the node nor its type says something else.

    A graph of the kind `workflow` is one whose exec wires carry tokens (W1). Its `limit` is how many firings may be
    under way at once, and `groups` are limits by name that nodes share (W16); `on_error` says whether a failure that no
    wire takes ends it at once, or when all others have ended (W12). With `keep_outputs` "needed" an output is let go of
    as soon as nothing that can still fire reads it (W20). `undo_on` says whether what was done is undone only if it has
    failed, or also if it was cancelled, or a time limit was over; then `undo_grace` is how many seconds that may take
    (W22).

    `triggers` say what starts runs of it where a host serves it.

    `types` holds the node types that were given as Python objects when the graph was built; they are found before
    those of a registry. `files` holds the graphs that nodes of a type `file:PATH` call, by path as written; `load`
    fills it. Neither is part of the document. `version` is that of the document format.
    """

    version: str = attrs.field(default=FORMAT_VERSION, kw_only=True)
    kind: GraphKind = attrs.field(default="graph", kw_only=True)
    limit: AtLeastOne | None = attrs.field(default=None, kw_only=True)
    groups: Mapping[str, AtLeastOne] = attrs.field(default=NO_VALUES, converter=frozen, kw_only=True)
    on_error: ErrorMode = attrs.field(default="fail", kw_only=True)
    keep_outputs: Keeping = attrs.field(default="all", kw_only=True)
    undo_on: UndoReasons = attrs.field(default=("failed",), converter=_as_reasons, kw_only=True)
    undo_grace: Time = attrs.field(default=UNDO_GRACE, converter=time_of, kw_only=True)
    interface: Interface | None = attrs.field(default=None, kw_only=True)
    nodes: tuple[GraphNode, ...] = attrs.field(default=(), converter=tuple[GraphNode, ...])
    connections: tuple[Connection, ...] = attrs.field(default=(), converter=tuple[Connection, ...])
    variables: tuple[Variable, ...] = attrs.field(default=(), converter=tuple[Variable, ...])
    events: tuple[CustomEvent, ...] = attrs.field(default=(), converter=tuple[CustomEvent, ...])
    triggers: tuple[Trigger, ...] = attrs.field(default=(), converter=tuple[Trigger, ...], kw_only=True)
    graphs: Mapping[str, Graph] = attrs.field(default=NO_VALUES, converter=frozen, kw_only=True)
    policies: Mapping[str, Policy] = attrs.field(default=NO_VALUES, converter=frozen, kw_only=True)
    metadata: Mapping[str, Any] = attrs.field(default=NO_VALUES, converter=frozen)
    types: Mapping[str, NodeType] = attrs.field(default=NO_VALUES, converter=frozen, eq=False, repr=False)
    # Not copied: graphs in files may refer to each other in a circle, so the mapping is filled when all are there.
    files: Mapping[str, Graph | Unreadable] = attrs.field(default=NO_VALUES, kw_only=True, eq=False, repr=False)
    extra: Mapping[str, Any] = attrs.field(default=NO_VALUES, converter=frozen, kw_only=True)
    kept: Kept = attrs.field(factory=Kept, init=False, eq=False, repr=False)
    """For the plan that runs of this very object share."""

    def all_nodes(self) -> Iterator[GraphNode]:
        """The nodes of this graph, of the graphs in it and in files that it names, and so on; each graph once.

        Also of graphs that nobody calls, and of those behind `graph_node` types that came with the graph. What a host
        wants to know of all nodes, it must ask of these: `nodes` are those of the outermost level.
        """
        seen: dict[int, Graph] = {}
        todo = [self]
        while todo:
            graph = todo.pop()
            if id(graph) in seen:
                continue
            seen[id(graph)] = graph
            yield from graph.nodes
            inner: list[Any] = [*graph.graphs.values(), *graph.files.values()]
            inner += [getattr(node_type.body, "graph", None) for node_type in graph.types.values()]
            todo += [each for each in reversed(inner) if isinstance(each, Graph)]

    def in_order_of_ids(self) -> Graph:
        """The same with its nodes, and those of the graphs in it, in the order of their ids.

        For those who want what could go first to depend on the names of nodes alone, not on where they stand in the
        document: initiators, listeners, firings of a workflow, merges (M4, B1, W10).
        """
        nodes = sorted(self.nodes, key=lambda node: node.id)
        return attrs.evolve(
            self, nodes=nodes, graphs={name: graph.in_order_of_ids() for name, graph in self.graphs.items()}
        )

    def _repr_svg_(self) -> str:
        """The graph as a picture, which notebooks ask for; with the standard node types and those in `types`."""
        # By name: formats stand above the model, and only notebooks ask.
        svg: str = importlib.import_module("trioflow.formats.svg").shown(self)
        return svg


def as_graph(value: object) -> Graph:
    """The value, which has to be a graph. Raises `GraphError` for those without a type checker."""
    if not isinstance(value, Graph):
        held = " Give its `graph`." if isinstance(getattr(value, "graph", None), Graph) else ""
        raise GraphError(f"Expected a graph, not a value of type {type(value).__name__}.{held}")
    return value


SocketKind = Literal["exec", "data"]
