"""Node types: sockets plus a body (M2), and classes that are node types. `function_node` makes functions into them."""

from __future__ import annotations

import inspect
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import (
    TYPE_CHECKING,
    Any,
    ClassVar,
    Literal,
    ParamSpec,
    TypeVar,
    cast,
    get_args,
)

import attrs

from trioflow.errors import NodeDefinitionError, nearest
from trioflow.model.by_name import importable_name
from trioflow.model.context import Context, SetupContext
from trioflow.model.durability import DOUBT, KINDS, Doubt, Durability, Transaction
from trioflow.model.policy import Policy
from trioflow.model.sockets import UNSET, DataIn, DataOut, ErrorMode, ExecIn, ExecOut, Socket, Stream, StreamMode
from trioflow.model.types import describe_type, describe_value, may_stand_for
from trioflow.model.values import NO_VALUES

if TYPE_CHECKING:
    from trioflow.model.composition import Boundary, GraphBody

P = ParamSpec("P")
R = TypeVar("R")
T = TypeVar("T")
S = TypeVar("S", bound=Socket)


Capability = Literal["pure", "files", "processes", "network", "scripts"]
"""What a body may touch outside of the run; `pure` is nothing but what it says and what clock and chance give."""


@attrs.frozen(eq=False)
class Parameter:
    """How one parameter of a function node is filled."""

    name: str
    fill: Literal["input", "lazy", "context", "service"]
    service: Any = None


@attrs.frozen(eq=False)
class FunctionBody:
    """A function as a body: which parameter gets what, and where the result goes."""

    function: Callable[..., Any]
    parameters: tuple[Parameter, ...]
    is_async: bool
    result: Literal["none", "single", "fields"]
    in_slices: bool = False
    """Whether it may raise `Unfinished`, for what is too long to be done in one go."""
    chooses: bool = False
    """Whether it returns the exec output at which control goes on: alone, or before its result."""

    @property
    def is_plain(self) -> bool:
        """Whether all there is to do is to call it with the values of all inputs."""
        return not self.is_async and self.takes_values

    @property
    def may_pick(self) -> bool:
        """Whether it may return one of its lazy inputs, which it can't await, and gets nothing but inputs."""
        fills = {parameter.fill for parameter in self.parameters}
        return not self.is_async and "lazy" in fills and fills <= {"lazy", "input"}

    @property
    def takes_values(self) -> bool:
        """Whether it is called with the values of all inputs, and nothing else."""
        return all(parameter.fill == "input" for parameter in self.parameters)

    def values_of(self, result: Any) -> Sequence[Any]:
        """The values of the outputs, in order, of what the function of a type with outputs has returned."""
        return tuple(result) if self.result == "fields" else (result,)


@attrs.frozen(eq=False)
class Beside:
    """A node that stands beside one that is configured, as if it were in the graph, and how the two are wired (M2).

    `inward` leads from outputs of the configured node to inputs of this one, `outward` the other way round.
    """

    type: NodeType
    inward: Mapping[str, str] = NO_VALUES
    outward: Mapping[str, str] = NO_VALUES


@attrs.frozen
class Configured:
    """What a node has because of its configuration: further sockets, and nodes beside it, by name."""

    sockets: Mapping[str, Socket] = attrs.Factory(dict)
    beside: Mapping[str, Beside] = attrs.Factory(dict)


@attrs.frozen(eq=False)
class NodeType:
    """A node type as the engine sees it. Compared by identity."""

    id: str
    doc: str
    inputs: tuple[DataIn[Any], ...]
    outputs: tuple[DataOut[Any], ...]
    exec_inputs: tuple[ExecIn, ...]
    exec_outputs: tuple[ExecOut, ...]
    streams: tuple[Stream, ...]
    body: type[Node] | FunctionBody | GraphBody | Boundary
    initiator: bool = False
    volatile: bool = False
    remembers: bool = False
    """Whether what it does depends on its node state, and so on who entered it before in the same strand (F6)."""
    listens: str | None = None
    """The data input whose literal names the event that this type listens for (B1)."""
    capabilities: frozenset[Capability] | None = None
    """What its body may touch; None if it does not say."""
    needs_packages: Mapping[str, str] = NO_VALUES
    """Python packages that it imports when it runs, each with the requirement by which it is installed."""
    durable: Durability | None = None
    """What a journalled run keeps of its bodies; None for what is usual for such a type (J1)."""
    on_doubt: Doubt = "again"
    """What becomes of a recorded body of which nobody knows whether it came to its end (J4)."""
    version: str | None = None
    """What the type calls its version; None to tell by its source (J13)."""
    policy: Policy | None = None
    """What is done where its nodes fail, take long or are called often, unless they say otherwise (P1)."""
    config: Mapping[str, Any] = NO_VALUES
    """What a type with further sockets was made from, by `configured`."""
    beside: Mapping[str, Beside] = NO_VALUES
    """The nodes that stand beside each of its nodes, because of its configuration."""
    input_index: Mapping[object, int] = attrs.field(init=False, repr=False)
    output_index: Mapping[object, int] = attrs.field(init=False, repr=False)
    written_index: Mapping[object, int] = attrs.field(init=False, repr=False)
    """The same, but for outputs that say what may be written to them."""
    exec_output_index: Mapping[object, int] = attrs.field(init=False, repr=False)
    stream_index: Mapping[object, int] = attrs.field(init=False, repr=False)
    """The place of the stream of each item output."""
    is_exec: bool = attrs.field(init=False, repr=False)
    """Whether it declares any exec socket; otherwise it is a data node (M2)."""

    def __attrs_post_init__(self) -> None:
        for name, sockets in (
            ("input_index", self.inputs),
            ("output_index", self.outputs),
            ("exec_output_index", self.exec_outputs),
        ):
            index: dict[object, int] = {}
            for place, socket in enumerate(sockets):
                index[socket] = index[socket.name] = place
            object.__setattr__(self, name, index)
        strict = [each for each in self.outputs if each.check is not None or each.convert is not None]
        names = {*strict, *(each.name for each in strict)}
        written = {key: place for key, place in self.output_index.items() if key not in names}
        object.__setattr__(self, "written_index", written if strict else self.output_index)
        stream_of: dict[object, int] = {}
        for place, stream in enumerate(self.streams):
            for socket in stream.items:
                for key in (socket, socket.name):
                    stream_of.setdefault(key, place)
        object.__setattr__(self, "stream_index", stream_of)
        object.__setattr__(self, "is_exec", bool(self.exec_inputs or self.exec_outputs))

    def configured(self, config: Mapping[str, Any], find: Callable[[str], NodeType | None]) -> NodeType:
        """This type with the sockets that a node of it has for a configuration.

        `find` gives the type that an id means where the node is. Raises `NodeDefinitionError` for a configuration that
        is wrong, or for a type that has none.
        """
        body = self.body
        try:
            made = (body if isinstance(body, type) else Node).configured(config, find)
        except ValueError as error:
            raise NodeDefinitionError(f"{self.id}: {str(error).rstrip('.')}.") from error
        for name, socket in made.sockets.items():
            socket.name = name

        def more(kind: type[S]) -> tuple[S, ...]:
            return tuple(each for each in made.sockets.values() if isinstance(each, kind))

        node_type = attrs.evolve(
            self,
            inputs=(*self.inputs, *more(DataIn)),
            outputs=(*self.outputs, *more(DataOut)),
            exec_outputs=(*self.exec_outputs, *more(ExecOut)),
            config=config,
            beside=made.beside,
        )
        check_type(node_type, where=f"{self.id}, as it is configured,")
        return node_type

    def __reduce__(self) -> tuple[Any, ...]:
        from trioflow.model.function_node import reconfigured, remade  # noqa: PLC0415 - which knows functions, too

        if self.config:
            name = importable_name(self)
            if name is None or self.beside:
                raise NodeDefinitionError(
                    f"Node type {self.id!r} can't be pickled as it is configured here: pickle the graph instead."
                )
            return reconfigured, (name, self.id, dict(self.config))
        remake = getattr(self.body, "remake", None)
        if remake is not None:
            return remake(self)  # type: ignore[no-any-return]
        name = importable_name(self)
        if name is None:
            raise NodeDefinitionError(
                f"Node type {self.id!r} can't be pickled: types are pickled by name, and this one can't be imported by "
                "a name. Put the function or class at the top of a module, and decorate a function with @data_node or "
                "@exec_node."
            )
        return remade, (name, self.id)

    def __copy__(self) -> NodeType:
        return self

    def __deepcopy__(self, memo: object) -> NodeType:
        return self

    @property
    def own_exec_outputs(self) -> tuple[ExecOut, ...]:
        """The exec outputs but those that lead to nodes beside it: where a node goes on."""
        return tuple(each for each in self.exec_outputs if each.name not in self.beside)

    @property
    def summary(self) -> str:
        """The first line of the documentation."""
        return self.doc.strip().partition("\n")[0]


class Node:
    """The base of node types written as classes: sockets are class attributes, the body is `execute`.

    Class arguments: `id` (default: module and class name), `initiator=True` for types that start runs (M4),
    `volatile=True` for data nodes whose value changes by itself (D6), `remembers=True` for exec nodes that do what they
    do according to `ctx.state` (F6), `listens="input"` for listeners (B1), `capabilities={"files", "network"}` for what
    the body may touch, which hosts choose by, `durable`, `on_doubt` and `version` for journalled runs (J1, J4, J13),
    `policy` for what is done where its nodes fail, `abstract=True` for bases that are no node types themselves. A class
    that can't be a node type is refused where it is defined, with all that is wrong with it: `NodeDefinitionError`.

    One instance lives as long as the run. State kept on `self` is shared by concurrent strands, and so not
    deterministic; state that must fork and merge belongs in `ctx.state` (F6).
    """

    type: ClassVar[NodeType]
    needs_packages: ClassVar[Mapping[str, str]] = NO_VALUES
    """Python packages that it imports when it runs, each with the requirement by which it is installed.

    A graph with a node whose packages are missing is not valid (M5): {"httpx": "httpx>=0.28"}.
    """
    _durable: ClassVar[Durability | None] = None
    _on_doubt: ClassVar[Doubt] = "again"

    def __init_subclass__(
        cls,
        *,
        id: str | None = None,
        initiator: bool = False,
        volatile: bool = False,
        remembers: bool = False,
        listens: str | None = None,
        capabilities: Iterable[Capability] | None = None,
        durable: Durability | None = None,
        on_doubt: Doubt | None = None,
        version: str | None = None,
        policy: Policy | None = None,
        abstract: bool = False,
    ) -> None:
        super().__init_subclass__()
        # What a journalled run keeps goes by the body, which subclasses inherit.
        durable = cls._durable = durable or cls._durable
        on_doubt = cls._on_doubt = on_doubt or cls._on_doubt
        if abstract:
            return
        cls.type = _type_of_class(
            cls,
            id or f"{cls.__module__}.{cls.__qualname__}",
            initiator=initiator,
            volatile=volatile,
            remembers=remembers,
            listens=listens,
            capabilities=as_capabilities(capabilities),
            durable=durable,
            on_doubt=on_doubt,
            version=version,
            policy=policy,
        )

    @classmethod
    def configured(cls, config: Mapping[str, Any], find: Callable[[str], NodeType | None]) -> Configured:
        """What a node has because of what stands as `config` at it: further sockets, by name, new ones at each call.

        For types that say so; `find` gives the type that an id means in the graph around. Raises `ValueError` for a
        configuration that is wrong, saying what was expected.
        """
        raise ValueError("it has no configuration")

    async def setup(self, ctx: SetupContext) -> None:
        """Run once per run, before the first dispatch, in document order (R1)."""

    async def execute(self, ctx: Context) -> ExecOut | None:
        """The body. Returning an exec output goes on there; returning None ends here (T6)."""
        raise NotImplementedError  # a class that says nothing else is refused when it is made

    async def teardown(self) -> None:
        """Run once per run, whatever happened, in reverse order of setup, within the grace period (R1)."""


def _type_of_class(cls: type[Node], type_id: str, **traits: Any) -> NodeType:
    declared: dict[str, Socket] = {}
    for base in reversed(cls.__mro__):
        for name, value in vars(base).items():
            if isinstance(value, Socket):
                declared[name] = value
            elif name in declared:
                del declared[name]  # a subclass may take a socket away by assigning None
    sockets = list(declared.values())
    where = f"class {cls.__qualname__}"
    for name, socket in declared.items():
        if socket.name != name:
            raise NodeDefinitionError(
                f"{where}: {name!r} is the socket that is already called {socket.name!r}. "
                f"Make a new {type(socket).__name__} for each attribute."
            )
        if hasattr(Node, name) or name == "type":
            raise NodeDefinitionError(
                f"{where}: no socket can be called {name!r}, which nodes use themselves. Rename it."
            )

    def of(kind: type[T]) -> tuple[T, ...]:
        return tuple(socket for socket in sockets if isinstance(socket, kind))

    node_type = NodeType(
        id=type_id,
        doc=inspect.cleandoc(cls.__doc__ or ""),
        inputs=of(DataIn),
        outputs=of(DataOut),
        exec_inputs=of(ExecIn),
        exec_outputs=of(ExecOut),
        streams=of(Stream),
        body=cls,
        needs_packages=cls.needs_packages,
        **traits,
    )
    check_type(node_type, where=where, problems=_wrong_methods(cls))
    return node_type


def _wrong_methods(cls: type[Node]) -> list[str]:
    """What is wrong with the methods that the engine calls and awaits."""
    if cls.execute is Node.execute:
        own = {
            name for base in cls.__mro__[: cls.__mro__.index(Node)] for name in vars(base) if callable(vars(base)[name])
        }
        near = "".join(f" (rename {name!r}?)" for name in nearest("execute", own - {*vars(Node)})[:1])
        return [f"it has no body: write `async def execute(self, ctx)`{near}"]
    problems: list[str] = []
    for name, arguments in (("execute", ("ctx",)), ("setup", ("ctx",)), ("teardown", ())):
        method = getattr(cls, name)
        written = f"async def {name}({', '.join(('self', *arguments))})"
        if method is getattr(Node, name) or not inspect.isfunction(method):
            continue
        if is_generator(method):
            problems.append(f"{name} {GENERATOR}")
        elif not inspect.iscoroutinefunction(method) and not inspect.iscoroutinefunction(inspect.unwrap(method)):
            problems.append(f"{name} is awaited, so it must be async: write `{written}`")
        else:
            try:
                inspect.signature(method).bind(cls, *arguments)
            except TypeError as error:
                problems.append(
                    f"{name} can't be called as `{name}({', '.join(arguments)})` ({error}): write `{written}`"
                )
    return problems


GENERATOR = (
    "is a generator function, and a call of one runs nothing. Return a value; to send several, declare a Stream in a "
    "class, and `await ctx.emit(self.item, value)` for each"
)


def is_generator(function: Callable[..., Any]) -> bool:
    """Whether a function can't be a body, as `GENERATOR` says why."""
    return inspect.isgeneratorfunction(function) or inspect.isasyncgenfunction(function)


def as_capabilities(capabilities: Iterable[Capability] | None) -> frozenset[Capability] | None:
    """What a type declares that its body may touch."""
    return None if capabilities is None else frozenset(capabilities)


def check_type(node_type: NodeType, *, where: str, problems: Sequence[str] = ()) -> None:  # noqa: C901 - one by one
    """Refuse a type that can't be one, with all that is wrong with it, and these problems: `NodeDefinitionError`."""
    problems = [*problems]
    problems += [
        f"the default of {socket.name!r} is {describe_value(socket.default)}, but its type is "
        f"{describe_type(socket.type)}; change one of them"
        for socket in node_type.inputs
        if socket.default is not UNSET and not may_stand_for(socket.default, socket.type)
    ]
    for role, sockets in (
        ("inputs", (*node_type.inputs, *node_type.exec_inputs)),
        ("outputs", (*node_type.outputs, *node_type.exec_outputs)),
    ):
        counted = Counter(socket.name for socket in sockets)
        problems += [f"two {role} are called {name!r}; rename one" for name, count in counted.items() if count > 1]
    for stream in node_type.streams:
        own = (*stream.items, stream.fires, *((stream.done,) if stream.done else ()))
        problems += [
            f"stream {stream.name!r} uses {socket!r}, which is not a socket of this type"
            for socket in own
            if socket not in node_type.outputs and socket not in node_type.exec_outputs
        ]
        problems += [
            f"stream {stream.name!r} has {key}={value!r}; use {' or '.join(map(repr, allowed))}"
            for key, value, allowed in (
                ("mode", stream.mode, get_args(StreamMode)),
                ("on_error", stream.on_error, get_args(ErrorMode)),
            )
            if value not in allowed
        ]
        limit: object = stream.limit
        if limit is not None and (type(limit) is not int or limit < 0):
            problems.append(
                f"stream {stream.name!r} has limit={limit!r}; use a whole number, 0 for any number of items"
            )
    if node_type.listens is not None and node_type.listens not in node_type.input_index:
        problems.append(f"listens={node_type.listens!r} is not one of its data inputs")
    problems += [
        f"there is no capability {each!r}; use some of {', '.join(get_args(Capability))}"
        for each in sorted(map(str, (node_type.capabilities or frozenset()) - {*get_args(Capability)}))
    ]
    if node_type.volatile and node_type.is_exec:
        problems.append("volatile is for data nodes; an exec node runs at each dispatch anyway")
    if node_type.remembers and not node_type.is_exec:
        problems.append("remembers is for exec nodes; a data node keeps nothing")
    problems += [
        f"{key}={value!r}; use {' or '.join(map(repr, allowed))}"
        for key, value, allowed in (
            ("durable", node_type.durable or "auto", KINDS),
            ("on_doubt", node_type.on_doubt, DOUBT),
        )
        if value not in allowed
    ]
    if not node_type.is_exec and node_type.durable not in {None, "replayed", "recorded"}:
        problems.append(f"durable={node_type.durable!r} is for exec nodes; a data node is 'replayed' or 'recorded'")
    if node_type.durable == "source" and not node_type.streams:
        problems.append("durable='source' is for nodes that emit items, and it declares no stream")
    body = node_type.body
    transacts = isinstance(body, FunctionBody) and any(each.service is Transaction for each in body.parameters)
    if (node_type.durable == "transaction") is not transacts or (transacts and cast("FunctionBody", body).is_async):
        problems.append(  # J5
            "a transaction is a plain function, not async, that takes a parameter annotated `Transaction`, and says "
            "durable='transaction'"
        )
    if node_type.initiator and not node_type.is_exec:
        problems.append("an initiator needs an exec output; a data node runs only when its value is asked for")
    if problems:
        raise NodeDefinitionError(f"{where} can't be a node type: {'; '.join(problems)}.")
