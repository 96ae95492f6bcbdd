"""Node types: sockets plus a body (M2). Three spellings: a class, a decorated function, a lambda."""

from __future__ import annotations

import builtins
import inspect
import types
from collections import Counter
from collections.abc import Callable, Coroutine, Iterable, Mapping, Sequence
from typing import (
    TYPE_CHECKING,
    Annotated,
    Any,
    ClassVar,
    Generic,
    Literal,
    ParamSpec,
    TypeVar,
    Union,
    cast,
    get_args,
    get_origin,
    get_type_hints,
    overload,
)

import attrs

from trioflow.errors import NodeDefinitionError, nearest
from trioflow.model.by_name import by_name, importable_name
from trioflow.model.context import Context, DataContext, SetupContext
from trioflow.model.durability import DOUBT, KINDS, Doubt, Durability, Transaction
from trioflow.model.exits import Exits, exec_outputs, result_beside
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


class Lazy(Generic[T]):
    """A data input that the body asks for when it needs it: `await value()` (D7).

    As the annotation of a parameter of a function node it makes that input lazy.
    """

    __slots__ = ("_resolve",)

    def __init__(self, resolve: Callable[[], Coroutine[Any, Any, T]]) -> None:
        self._resolve = resolve

    def __call__(self) -> Coroutine[Any, Any, T]:
        """The input's value, resolved when this is awaited. A cancellation point."""
        return self._resolve()


@attrs.frozen
class _FromServices:
    pass


FromServices = Annotated[T, _FromServices()]
"""Annotation of a parameter of a function node: not a socket, but the run's service of that type."""


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
        _check(node_type, where=f"{self.id}, as it is configured,")
        return node_type

    def __reduce__(self) -> tuple[Any, ...]:
        if self.config:
            name = importable_name(self)
            if name is None or self.beside:
                raise NodeDefinitionError(
                    f"Node type {self.id!r} can't be pickled as it is configured here: pickle the graph instead."
                )
            return _reconfigured, (name, self.id, dict(self.config))
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
        return _remade, (name, self.id)

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
            capabilities=_declared(capabilities),
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
    _check(node_type, where=where, problems=_wrong_methods(cls))
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
        if _is_generator(method):
            problems.append(f"{name} {_GENERATOR}")
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


_GENERATOR = (
    "is a generator function, and a call of one runs nothing. Return a value; to send several, declare a Stream in a "
    "class, and `await ctx.emit(self.item, value)` for each"
)


def _is_generator(function: Callable[..., Any]) -> bool:
    return inspect.isgeneratorfunction(function) or inspect.isasyncgenfunction(function)


def _declared(capabilities: Iterable[Capability] | None) -> frozenset[Capability] | None:
    return None if capabilities is None else frozenset(capabilities)


def _check(node_type: NodeType, *, where: str, problems: Sequence[str] = ()) -> None:  # noqa: C901 - one by one
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


class FunctionNode(Generic[P, R]):
    """A function that is a node type. Calling it calls the function, so it can be tested by itself."""

    def __init__(self, function: Callable[P, R], node_type: NodeType) -> None:
        self.__wrapped__ = function
        self.__doc__ = function.__doc__
        self.__name__ = function.__name__
        self.__module__ = function.__module__
        self.__qualname__ = function.__qualname__
        self.type = node_type

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R:
        return self.__wrapped__(*args, **kwargs)

    def __reduce__(self) -> tuple[Any, ...]:
        name = importable_name(self.type)
        return by_name, (name, self.type.id) if name is not None else self.type.__reduce__()  # by name (A9)

    def __copy__(self) -> FunctionNode[P, R]:
        return self

    def __deepcopy__(self, memo: object) -> FunctionNode[P, R]:
        return self

    def __repr__(self) -> str:
        return f"<node type {self.type.id!r}>"


@overload
def data_node(function: Callable[P, R], /) -> FunctionNode[P, R]: ...
@overload
def data_node(
    *,
    id: str | None = ...,
    volatile: bool = ...,
    capabilities: Iterable[Capability] | None = ...,
    durable: Durability | None = ...,
    version: str | None = ...,
    policy: Policy | None = ...,
) -> Callable[[Callable[P, R]], FunctionNode[P, R]]: ...
def data_node(
    function: Callable[P, R] | None = None,
    /,
    *,
    id: str | None = None,
    volatile: bool = False,
    capabilities: Iterable[Capability] | None = None,
    durable: Durability | None = None,
    version: str | None = None,
    policy: Policy | None = None,
) -> FunctionNode[P, R] | Callable[[Callable[P, R]], FunctionNode[P, R]]:
    """Make a function a data node: parameters are data inputs, the result is the output `result`.

    A result annotated as a NamedTuple has one output per field. A parameter annotated `Lazy[T]` is resolved when
    the body asks, or where a function that is not async returns it; one annotated `DataContext` gets the context;
    one annotated `FromServices[T]` gets a service. May be async. `durable`: whether a journalled run keeps its
    values; usual for volatile ones (J1). `policy` says what is done where its nodes fail. Raises
    `NodeDefinitionError`.
    """

    def decorate(function: Callable[P, R]) -> FunctionNode[P, R]:
        traits: dict[str, Any] = {"volatile": volatile, "capabilities": _declared(capabilities)}
        traits |= {"durable": durable, "version": version, "policy": policy}
        return FunctionNode(function, _type_of_function(function, id, exec_node=False, **traits))

    return decorate if function is None else decorate(function)


@overload
def exec_node(function: Callable[P, R], /) -> FunctionNode[P, R]: ...
@overload
def exec_node(
    *,
    id: str | None = ...,
    initiator: bool = ...,
    remembers: bool = ...,
    capabilities: Iterable[Capability] | None = ...,
    durable: Durability | None = ...,
    on_doubt: Doubt = ...,
    version: str | None = ...,
    policy: Policy | None = ...,
    exits: Exits | None = ...,
) -> Callable[[Callable[P, R]], FunctionNode[P, R]]: ...
def exec_node(
    function: Callable[P, R] | None = None,
    /,
    *,
    id: str | None = None,
    initiator: bool = False,
    remembers: bool = False,
    capabilities: Iterable[Capability] | None = None,
    durable: Durability | None = None,
    on_doubt: Doubt = "again",
    version: str | None = None,
    policy: Policy | None = None,
    exits: Exits | None = None,
) -> FunctionNode[P, R] | Callable[[Callable[P, R]], FunctionNode[P, R]]:
    """Make a function an exec node: exec input `enter`, exec output `then`, data sockets as for `data_node`.

    When the function returns, the node goes on at `then` by itself (T6). May be async; may take a `Context`; one that
    does what it does according to `ctx.state` is made with `remembers=True` (F6). `durable`, `on_doubt` and `version`
    are for journalled runs (J1, J4, J13). `policy` says what is done where its nodes fail.

    With `exits` it has these exec outputs in place of `then`, and returns the name of the one at which it goes on:
    annotated `str` or `Literal["yes", "no"]` that alone, annotated `tuple[str, T]` together with its result. None ends
    there. As a mapping `exits` says what each is for. Raises `NodeDefinitionError`.
    """

    def decorate(function: Callable[P, R]) -> FunctionNode[P, R]:
        traits: dict[str, Any] = {
            "initiator": initiator,
            "remembers": remembers,
            "capabilities": _declared(capabilities),
            "durable": durable,
            "on_doubt": on_doubt,
            "version": version,
            "policy": policy,
        }
        return FunctionNode(function, _type_of_function(function, id, exec_node=True, exits=exits, **traits))

    return decorate if function is None else decorate(function)


def _type_of_function(
    function: Callable[..., Any],
    type_id: str | None,
    *,
    exec_node: bool,
    initiator: bool = False,
    exits: Exits | None = None,
    **traits: Any,
) -> NodeType:
    # Not every callable has a name: a functools.partial has none.
    name = getattr(function, "__qualname__", None) or repr(function)
    where = f"function {name}"
    try:
        hints = _hints(function) if hasattr(function, "__annotations__") else {}
    except (NameError, AttributeError, TypeError, SyntaxError) as error:
        raise NodeDefinitionError(f"{where}: an annotation can't be resolved: {error}.") from error
    try:
        signature = inspect.signature(function)
    except (ValueError, TypeError) as error:
        raise NodeDefinitionError(
            f"{where} tells nothing about its parameters. Wrap it in a function of yours."
        ) from error
    if _is_generator(function):
        raise NodeDefinitionError(f"{where} {_GENERATOR}.")
    is_async = inspect.iscoroutinefunction(function)
    inputs: list[DataIn[Any]] = []
    parameters: list[Parameter] = []
    for name, parameter in signature.parameters.items():
        if parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD):
            raise NodeDefinitionError(f"{where}: *{name} can't be a socket. Give each input a name of its own.")
        if parameter.kind is parameter.KEYWORD_ONLY:
            raise NodeDefinitionError(
                f"{where}: {name} is keyword-only, and bodies are called by position. Remove the *."
            )
        hint = hints.get(name, object)
        default = UNSET if parameter.default is parameter.empty else parameter.default
        filled = _fill(name, hint)
        parameters.append(filled)
        if filled.fill == "lazy" and exec_node and not is_async:
            raise NodeDefinitionError(f"{where}: {name} is Lazy, so the function must be async to await it.")
        if filled.fill in ("input", "lazy"):
            type_ = (get_args(hint) or (object,))[0] if filled.fill == "lazy" else hint
            socket = DataIn(type_, default=default, lazy=filled.fill == "lazy")
            socket.name = name
            inputs.append(socket)
    outputs, result = _outputs(result_beside(exits, hints.get("return", object), where))
    node_type = NodeType(
        id=type_id or f"{function.__module__}.{function.__qualname__}",
        doc=inspect.cleandoc(function.__doc__ or ""),
        inputs=tuple(inputs),
        outputs=outputs,
        exec_inputs=(_named(ExecIn(), "enter"),) if exec_node and not initiator else (),
        exec_outputs=exec_outputs(("then",) if exits is None else exits) if exec_node else (),
        streams=(),
        body=FunctionBody(function, tuple(parameters), is_async, result, chooses=exits is not None),
        initiator=initiator,
        **traits,
    )
    _check(node_type, where=where)
    if not exec_node and not outputs:
        raise NodeDefinitionError(f"{where}: a data node needs a result. Use @exec_node for a function that acts.")
    return node_type


def _named(socket: S, name: str) -> S:
    socket.name = name
    return socket


def _fill(name: str, hint: Any) -> Parameter:
    if hint is Lazy or get_origin(hint) is Lazy:
        return Parameter(name, "lazy")
    if hint is Transaction:
        return Parameter(name, "service", Transaction)  # J5
    if isinstance(hint, type) and issubclass(hint, DataContext):
        return Parameter(name, "context")
    if get_origin(hint) is Annotated and any(isinstance(extra, _FromServices) for extra in get_args(hint)[1:]):
        return Parameter(name, "service", get_args(hint)[0])
    return Parameter(name, "input")


def _hints(function: Callable[..., Any]) -> dict[str, Any]:
    """The types of parameters and result.

    Most are the name of a type: that is looked up here, as compiling each would be most of what an import of all
    standard nodes takes.
    """
    names: dict[str, Any] = getattr(inspect.unwrap(function), "__globals__", {})
    simple = {
        name: names.get(hint, vars(builtins).get(hint, hint)) if isinstance(hint, str) else hint
        for name, hint in function.__annotations__.items()
    }
    looked_up = types.SimpleNamespace(__annotations__=simple, __globals__=names)
    return get_type_hints(looked_up, include_extras=True)


def _outputs(hint: Any) -> tuple[tuple[DataOut[Any], ...], Literal["none", "single", "fields"]]:
    hint = _without_lazy(hint)
    if hint is None or hint is types.NoneType:
        return (), "none"
    if isinstance(hint, type) and issubclass(hint, tuple) and hasattr(hint, "_fields"):
        fields = get_type_hints(hint)
        names = cast("tuple[str, ...]", getattr(hint, "_fields"))  # noqa: B009
        return tuple(_named(DataOut(fields.get(name, object)), name) for name in names), "fields"
    return (_named(DataOut(hint), "result"),), "single"


def _without_lazy(hint: Any) -> Any:
    """The type of a result that may be an input: `bool | Lazy[bool]` is bool."""
    if get_origin(hint) not in (Union, types.UnionType):
        return object if hint is Lazy else get_args(hint)[0] if get_origin(hint) is Lazy else hint
    return Union[tuple(map(_without_lazy, get_args(hint)))]  # noqa: UP007 - of as many types as there are


def as_node_type(node: object) -> NodeType | None:
    """The node type that a class, a decorated function or a NodeType stands for; None for anything else."""
    if isinstance(node, NodeType):
        return node
    if isinstance(node, FunctionNode):
        return cast("FunctionNode[..., Any]", node).type
    if isinstance(node, type) and issubclass(node, Node):
        return vars(node).get("type")  # not inherited: an abstract class is not a node type, whatever its base is
    return None


def _remade(name: str, type_id: str) -> NodeType:
    """A pickled node type: what is at this name."""
    found = by_name(name, type_id)
    return as_node_type(found) or inline_node_type(found, type_id)


def _reconfigured(name: str, type_id: str, config: Mapping[str, Any]) -> NodeType:
    """A pickled node type that was configured."""
    return _remade(name, type_id).configured(config, lambda _: None)


def inline_node_type(function: Callable[..., Any], type_id: str) -> NodeType:
    """A data node made from a lambda or a bare function, for graphs built in Python."""
    return _type_of_function(function, type_id, exec_node=False)
