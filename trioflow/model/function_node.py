"""Functions as node types: decorated ones, lambdas, and what the annotations of their parameters mean (M2)."""

from __future__ import annotations

import builtins
import inspect
import types
from collections.abc import Callable, Coroutine, Iterable, Mapping
from typing import (
    Annotated,
    Any,
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

from trioflow.errors import NodeDefinitionError
from trioflow.model.by_name import by_name, importable_name
from trioflow.model.context import DataContext
from trioflow.model.durability import Doubt, Durability, Transaction
from trioflow.model.exits import Exits, exec_outputs, result_beside
from trioflow.model.node_type import (
    GENERATOR,
    Capability,
    FunctionBody,
    Node,
    NodeType,
    Parameter,
    as_capabilities,
    check_type,
    is_generator,
)
from trioflow.model.policy import Policy
from trioflow.model.sockets import UNSET, DataIn, DataOut, ExecIn, Socket

P = ParamSpec("P")
R = TypeVar("R")
T = TypeVar("T")
S = TypeVar("S", bound=Socket)


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
        traits: dict[str, Any] = {"volatile": volatile, "capabilities": as_capabilities(capabilities)}
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
            "capabilities": as_capabilities(capabilities),
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
    if is_generator(function):
        raise NodeDefinitionError(f"{where} {GENERATOR}.")
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
    check_type(node_type, where=where)
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


def remade(name: str, type_id: str) -> NodeType:
    """A pickled node type: what is at this name."""
    found = by_name(name, type_id)
    return as_node_type(found) or inline_node_type(found, type_id)


def reconfigured(name: str, type_id: str, config: Mapping[str, Any]) -> NodeType:
    """A pickled node type that was configured."""
    return remade(name, type_id).configured(config, lambda _: None)


def inline_node_type(function: Callable[..., Any], type_id: str) -> NodeType:
    """A data node made from a lambda or a bare function, for graphs built in Python."""
    return _type_of_function(function, type_id, exec_node=False)
