"""Node types from classes, functions and lambdas."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, NamedTuple

import pytest

from trioflow.errors import NodeDefinitionError
from trioflow.model.context import Context, DataContext
from trioflow.model.function_node import FromServices, Lazy, as_node_type, data_node, exec_node, inline_node_type
from trioflow.model.node_type import Node
from trioflow.model.sockets import UNSET, DataIn, DataOut, ExecIn, ExecOut, Stream


class Base(Node, id="test.Base"):
    """Does something.

    At length.
    """

    enter = ExecIn()
    value = DataIn(int, default=1)
    then = ExecOut()
    result = DataOut(int)

    async def execute(self, ctx: Context) -> None: ...


def names(sockets: tuple[Any, ...]) -> list[str]:
    return [socket.name for socket in sockets]


def test_class() -> None:
    """A class declares its sockets as attributes, in the order of the source."""
    node_type = Base.type
    assert (node_type.id, node_type.summary, node_type.is_exec) == ("test.Base", "Does something.", True)
    assert names(node_type.inputs) == ["value"]
    assert names(node_type.exec_inputs) == ["enter"]
    assert names(node_type.outputs) == ["result"]
    assert names(node_type.exec_outputs) == ["then"]
    assert node_type.input_index == {Base.value: 0, "value": 0}


def test_default_id_is_module_and_name() -> None:
    """Without an id of its own a type is called by its module and name."""

    @data_node
    def double(value: int) -> int:
        return value * 2

    assert double.type.id == f"{__name__}.test_default_id_is_module_and_name.<locals>.double"
    assert repr(double) == f"<node type '{double.type.id}'>"


def test_subclass_inherits_overrides_and_removes() -> None:
    """A subclass has the sockets of its base, may replace one in place, and takes one away by assigning None."""

    class Derived(Base, id="test.Derived"):
        value = DataIn(int, default=2)
        result = None  # type: ignore[assignment]  # pyright: ignore[reportAssignmentType]

    assert (names(Derived.type.inputs), Derived.type.inputs[0].default) == (["value"], 2)
    assert Derived.type.outputs == ()


def test_abstract_class_is_no_node_type() -> None:
    """An abstract class is not the node type of its base."""

    class Abstract(Base, abstract=True):
        pass

    assert as_node_type(Abstract) is None
    assert as_node_type(Base) is Base.type
    assert as_node_type(Base.type) is Base.type
    assert as_node_type(3) is None


def test_function() -> None:
    """Parameters become inputs with their defaults, the result becomes the output `result`."""

    @data_node(id="test.scale")
    def scale(value: float, factor: float = 2.0) -> float:
        """Scale it."""
        return value * factor

    assert scale(3) == 6.0
    assert [(s.name, s.type, s.default) for s in scale.type.inputs] == [("value", float, UNSET), ("factor", float, 2.0)]
    assert [(s.name, s.type) for s in scale.type.outputs] == [("result", float)]
    assert not scale.type.is_exec


def test_exec_function() -> None:
    """An exec function is entered at `enter` and goes on at `then`; as an initiator it only goes on."""

    @exec_node
    def act() -> None: ...

    @exec_node(initiator=True)
    def start() -> None: ...

    assert (names(act.type.exec_inputs), names(act.type.exec_outputs), act.type.outputs) == (["enter"], ["then"], ())
    assert (start.type.exec_inputs, start.type.initiator) == ((), True)


class Parts(NamedTuple):
    whole: int
    rest: int


def test_named_tuple_has_an_output_per_field() -> None:
    """A result annotated as a NamedTuple makes one output per field."""

    @data_node
    def split(a: int, b: int) -> Parts:
        return Parts(*divmod(a, b))

    assert names(split.type.outputs) == ["whole", "rest"]


def test_parameters_that_are_no_sockets() -> None:
    """Context and services are filled by the engine; a Lazy parameter is a lazy input (D7)."""

    @data_node
    async def pick(which: Lazy[int], ctx: DataContext, service: FromServices[str]) -> int:
        return await which()

    body: Any = pick.type.body
    assert [(p.name, p.fill) for p in body.parameters] == [
        ("which", "lazy"), ("ctx", "context"), ("service", "service"),
    ]  # fmt: skip
    assert [(s.name, s.lazy, s.type) for s in pick.type.inputs] == [("which", True, int)]


def test_a_result_that_may_be_an_input() -> None:
    """A data function that is not async may return a lazy input, whose type is then that of the result (D7)."""

    @data_node
    def either(which: bool, a: Lazy[int], b: Lazy[str]) -> Lazy[int] | Lazy[str] | None:
        return a if which else b

    @data_node
    def other(a: Lazy[int]) -> Lazy[int]:
        return a

    assert [output.type for node in (either, other) for output in node.type.outputs] == [int | str | None, int]
    with pytest.raises(NodeDefinitionError, match="value is Lazy, so the function must be async to await it"):

        @exec_node
        def lazy_sync(value: Lazy[int]) -> int:
            return 1


def test_lambda() -> None:
    """A lambda is a data node whose values have any type."""
    add: Callable[[Any, Any], Any] = lambda a, b: a + b  # noqa: E731 - a lambda is what is tested
    node_type = inline_node_type(add, "inline.0")
    assert (names(node_type.inputs), names(node_type.outputs), node_type.id) == (["a", "b"], ["result"], "inline.0")


def test_callable_without_a_name() -> None:
    """A functools.partial is a function, too."""
    node_type = inline_node_type(functools.partial(pow, 2), "inline.0")
    assert names(node_type.inputs) == ["exp", "mod"]


def variadic(*values: int) -> int:
    return sum(values)


def keyword_only(*, value: int) -> int:
    return value


def no_result() -> None: ...


def unresolvable(value: Nowhere) -> int:  # type: ignore[name-defined]  # noqa: F821 # pyright: ignore[reportUndefinedVariable]
    return 1


@pytest.mark.parametrize(
    ("function", "message"),
    [
        (variadic, "function variadic: *values can't be a socket. Give each input a name of its own."),
        (
            keyword_only,
            "function keyword_only: value is keyword-only, and bodies are called by position. Remove the *.",
        ),
        (no_result, "function no_result: a data node needs a result. Use @exec_node for a function that acts."),
        (unresolvable, "function unresolvable: an annotation can't be resolved: name 'Nowhere' is not defined."),
        (dict, "function dict tells nothing about its parameters. Wrap it in a function of yours."),
    ],
)
def test_bad_function(function: Any, message: str) -> None:
    """A function that can't be a node type is refused with the reason and a cure."""
    with pytest.raises(NodeDefinitionError) as caught:
        data_node(function)
    assert str(caught.value) == message


def test_two_inputs_of_one_name() -> None:
    """A parameter of an exec function can't take the name of its exec input: a wire could not tell them apart."""
    with pytest.raises(NodeDefinitionError) as caught:

        @exec_node
        def act(enter: int) -> None: ...

    where = "function test_two_inputs_of_one_name.<locals>.act"
    assert str(caught.value) == f"{where} can't be a node type: two inputs are called 'enter'; rename one."


def test_bad_classes() -> None:
    """All that is wrong with a class is told at once, with the class's name."""
    stray = DataOut(int)
    with pytest.raises(NodeDefinitionError) as caught:

        class _Wrong(Node, listens="event", volatile=True):  # pyright: ignore[reportUnusedClass]
            body = ExecOut()
            items = Stream(stray, fires=body)

            async def execute(self, ctx: Context) -> None: ...

    assert str(caught.value) == (
        "class test_bad_classes.<locals>._Wrong can't be a node type: stream 'items' uses <DataOut ''>, which is not a "
        "socket of this type; listens='event' is not one of its data inputs; volatile is for data nodes; an exec node "
        "runs at each dispatch anyway."
    )


def test_initiator_needs_exec() -> None:
    """A data node can't be an initiator (M4)."""
    with pytest.raises(NodeDefinitionError) as caught:

        class _Wrong(Node, initiator=True):  # pyright: ignore[reportUnusedClass]
            value = DataOut(int)

            async def execute(self, ctx: Context) -> None: ...

    assert str(caught.value) == (
        "class test_initiator_needs_exec.<locals>._Wrong can't be a node type: an initiator needs an exec output; "
        "a data node runs only when its value is asked for."
    )


def test_one_socket_for_two_attributes() -> None:
    """A socket can't be two attributes; the refusal names both, on every Python."""
    with pytest.raises(NodeDefinitionError) as caught:

        class _Wrong(Node):  # pyright: ignore[reportUnusedClass]
            first = ExecIn()
            second = first

    assert str(caught.value) == (
        "class test_one_socket_for_two_attributes.<locals>._Wrong: 'second' is the socket that is already called "
        "'first'. Make a new ExecIn for each attribute."
    )


def test_reserved_name() -> None:
    """A socket can't hide what nodes use themselves."""
    with pytest.raises(NodeDefinitionError) as caught:

        class _Wrong(Node):  # pyright: ignore[reportUnusedClass]
            type = DataIn(str)  # type: ignore[assignment]  # pyright: ignore[reportAssignmentType]

    assert str(caught.value) == (
        "class test_reserved_name.<locals>._Wrong: no socket can be called 'type', which nodes use themselves. "
        "Rename it."
    )


class Plain(Node, abstract=True):
    enter = ExecIn()


def sync(self: Node, ctx: Context) -> None: ...


def one_by_one(self: Node, ctx: Context) -> Any:
    yield 1


async def later(self: Node, ctx: Context) -> Any:
    yield 1


async def alone(self: Node) -> None: ...


async def right(self: Node, ctx: Context) -> None: ...


GENERATOR = (
    "is a generator function, and a call of one runs nothing. Return a value; to send several, declare a Stream in a "
    "class, and `await ctx.emit(self.item, value)` for each"
)


@pytest.mark.parametrize(
    ("methods", "problem"),
    [
        ({}, "it has no body: write `async def execute(self, ctx)`"),
        ({"excute": right}, "it has no body: write `async def execute(self, ctx)` (rename 'excute'?)"),
        ({"exec": right, "other": right}, "it has no body: write `async def execute(self, ctx)` (rename 'exec'?)"),
        ({"other": right}, "it has no body: write `async def execute(self, ctx)`"),
        ({"execute": sync}, "execute is awaited, so it must be async: write `async def execute(self, ctx)`"),
        ({"execute": one_by_one}, f"execute {GENERATOR}"),
        ({"execute": later}, f"execute {GENERATOR}"),
        (
            {"execute": alone},
            "execute can't be called as `execute(ctx)` (too many positional arguments): "
            "write `async def execute(self, ctx)`",
        ),
        (
            {"execute": right, "setup": sync},
            "setup is awaited, so it must be async: write `async def setup(self, ctx)`",
        ),
        (
            {"execute": right, "teardown": right},
            "teardown can't be called as `teardown()` (missing a required argument: 'ctx'): "
            "write `async def teardown(self)`",
        ),
    ],
)
def test_methods(methods: dict[str, Any], problem: str) -> None:
    """What the engine will call and await is looked at when the class is made."""
    with pytest.raises(NodeDefinitionError) as caught:
        type("_Wrong", (Plain,), methods)
    assert str(caught.value) == f"class _Wrong can't be a node type: {problem}."


def test_method_behind_a_decorator() -> None:
    """A wrapper that gives an async method's coroutine on counts as async."""

    @functools.wraps(right)
    def logged(self: Node, ctx: Context) -> Any:
        return right(self, ctx)

    assert names(type("Logged", (Plain,), {"execute": logged}).type.exec_inputs) == ["enter"]  # type: ignore[attr-defined]


def numbers(n: int) -> Any:
    yield n


async def waiting_numbers(n: int) -> Any:
    yield n


@pytest.mark.parametrize("make", [exec_node, data_node, lambda function: inline_node_type(function, "inline.0")])
@pytest.mark.parametrize("function", [numbers, waiting_numbers, functools.partial(numbers)])
def test_generator_functions(make: Callable[[Any], Any], function: Any) -> None:
    """A call of a generator function would run nothing of it."""
    with pytest.raises(NodeDefinitionError) as caught:
        make(function)
    name = getattr(function, "__qualname__", repr(function))
    assert str(caught.value) == f"function {name} {GENERATOR}."


def test_function_that_returns_a_generator() -> None:
    """A value is a value, whatever it is."""
    assert names(data_node(lambda n: (each for each in n)).type.outputs) == ["result"]


def test_defaults_that_do_not_fit() -> None:
    """A default is a value of its input's type: all that are not are told when the type is made (D11)."""
    with pytest.raises(NodeDefinitionError) as caught:

        @data_node
        def add(a: int = "s", b: float = True, c: list[int] = ["x"]) -> int:  # type: ignore  # noqa: B006 # pyright: ignore
            return 1

    assert str(caught.value) == (
        "function test_defaults_that_do_not_fit.<locals>.add can't be a node type: "
        "the default of 'a' is str 's', but its type is int; change one of them; "
        "the default of 'b' is bool True, but its type is float; change one of them; "
        "the default of 'c' is list ['x'], but its type is list[int]; change one of them."
    )
    with pytest.raises(NodeDefinitionError, match="the default of 'value' is str 's', but its type is int"):
        type("_Wrong", (Plain,), {"value": DataIn(int, default="s"), "execute": right})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "stream",
    [{"mode": "parallel"}, {"on_error": "ignore"}, {"limit": -1}, {"limit": 1.5}, {"limit": True}],
)
def test_settings_of_streams(stream: dict[str, Any]) -> None:
    """What a stream is by itself is one of what a graph may set (S2-S4)."""
    item, body = DataOut(int), ExecOut()
    members = {"item": item, "body": body, "each": Stream(item, fires=body, **stream), "execute": right}
    with pytest.raises(NodeDefinitionError, match=r"stream 'each' has (mode|on_error|limit)=.*; use "):
        type("_Wrong", (Plain,), members)
