"""Sockets: what a node type declares so that wires can be attached (M2, M3).

A socket is a class attribute of a node type. It is compared by identity, carries the name of the attribute, and is
generic in the type of its values, so that a type checker sees a wrong value on a wrong socket.
"""

from __future__ import annotations

import enum
from collections.abc import Callable
from typing import Any, Final, Generic, Literal, Protocol, TypeVar, final, overload

from trioflow.errors import NodeDefinitionError
from trioflow.model.secret import hide

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)

StreamMode = Literal["sequential", "concurrent"]
ErrorMode = Literal["fail", "collect"]


@final
class Unset(enum.Enum):
    """The type of `UNSET`."""

    UNSET = "UNSET"

    def __repr__(self) -> str:
        return "UNSET"


UNSET: Final = Unset.UNSET
"""No value at all; not the same as `None`, which is a value (D1)."""


class Socket:
    """What all sockets share: a name, which is the attribute's, and a line of documentation."""

    __slots__ = ("doc", "name")

    def __init__(self, *, doc: str = "") -> None:
        self.name = ""
        self.doc = doc

    def __set_name__(self, owner: type, name: str) -> None:
        # A second name is refused by the node type: what is raised here, Python 3.11 hides in a RuntimeError.
        self.name = self.name or name

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.name!r}>"


class ExecIn(Socket):
    """An exec input: where control enters a node. `doc` is one line for the reference."""

    __slots__ = ()


class ExecOut(Socket):
    """An exec output: where control leaves a node, awaited with `ctx.trigger` or returned from the body (T6).

    `must_handle`: a graph that leaves it unconnected gets a warning (M5). `concurrent`: what is behind it runs at the
    same time as what is behind the node's other concurrent outputs, each on its own view of the data, as the outputs
    that `ctx.branches()` starts (F1); those that a stream fires need not say so. A node that remembers gets a warning
    behind several of them (F6).
    """

    __slots__ = ("concurrent", "must_handle")

    def __init__(self, *, must_handle: bool = False, concurrent: bool = False, doc: str = "") -> None:
        super().__init__(doc=doc)
        self.must_handle = must_handle
        self.concurrent = concurrent


class DataIn(Socket, Generic[T]):
    """A data input of type `T`.

    `default` is used when neither a wire nor a literal gives a value (D1); without one the input is required. A *lazy*
    input is not resolved before the body starts but when the body asks (D7). `names` says that the value is the name
    of a variable or an event of the graph, so that validation can check it. `secret`: its literal may be
    `{"secret": "NAME"}`, which the host's secrets resolve when it is demanded (A10).
    """

    __slots__ = ("default", "lazy", "names", "secret", "type")

    @overload
    def __init__(
        self: DataIn[T],
        type_: type[T],
        *,
        default: T | Unset = ...,
        lazy: bool = ...,
        names: Literal["variable", "event"] | None = ...,
        secret: bool = ...,
        doc: str = ...,
    ) -> None: ...
    @overload
    def __init__(
        self: DataIn[Any],
        type_: object = ...,
        *,
        default: Any = ...,
        lazy: bool = ...,
        names: Literal["variable", "event"] | None = ...,
        secret: bool = ...,
        doc: str = ...,
    ) -> None: ...
    def __init__(
        self,
        type_: object = object,
        *,
        default: Any = UNSET,
        lazy: bool = False,
        names: Literal["variable", "event"] | None = None,
        secret: bool = False,
        doc: str = "",
    ) -> None:
        super().__init__(doc=doc)
        self.type: Any = type_
        self.default = default
        self.lazy = lazy
        self.names = names
        self.secret = secret

    def __supplies__(self) -> T:
        """Never called: tells type checkers that a value read from here may be used where a wider type is wanted."""
        raise NotImplementedError

    @property
    def required(self) -> bool:
        """Whether the graph must supply a value."""
        return self.default is UNSET


class Supplies(Protocol[T_co]):
    """Anything that a body can read values of a type from: a data input."""

    def __supplies__(self) -> T_co:
        """Never called: see `DataIn.__supplies__`."""
        ...


class DataOut(Socket, Generic[T]):
    """A data output of type `T`.

    When it is written, `convert` makes of a value what is written, and `check` says whether that may be. They raise
    `ValueError` or `TypeError` for what they can't, and the body fails with `CoercionError`. Values that were converted
    may come again, and must be given back as they are.
    """

    __slots__ = ("check", "convert", "type")

    @overload
    def __init__(
        self: DataOut[T],
        type_: type[T],
        *,
        doc: str = ...,
        check: Callable[[Any], object] | None = ...,
        convert: Callable[[Any], T] | None = ...,
    ) -> None: ...
    @overload
    def __init__(
        self: DataOut[Any],
        type_: object = ...,
        *,
        doc: str = ...,
        check: Callable[[Any], object] | None = ...,
        convert: Callable[[Any], Any] | None = ...,
    ) -> None: ...
    def __init__(
        self,
        type_: object = object,
        *,
        doc: str = "",
        check: Callable[[Any], object] | None = None,
        convert: Callable[[Any], Any] | None = None,
    ) -> None:
        super().__init__(doc=doc)
        self.type: Any = type_
        self.check = check
        self.convert = convert

    def accepted(self, value: Any) -> Any:
        """What is written of a value. Raises `ValueError` for one that is refused."""
        if self.convert is not None:
            try:
                value = self.convert(value)
            except (TypeError, ValueError) as error:
                raise ValueError(f"{_called(self.convert)} can't convert {_shown(value)}: {error}") from error
        if self.check is not None:
            why = "refuses"
            try:
                holds = self.check(value)
            except (TypeError, ValueError) as error:
                holds, why = False, f"can't judge ({error})"
            if not holds:
                raise ValueError(f"{_called(self.check)} {why} {_shown(value)}")
        return value

    def __produces__(self) -> T:
        """Never called: tells type checkers that an output of a subtype may feed an input of the wider type."""
        raise NotImplementedError


class Stream(Socket):
    """A stream: item outputs, the exec output fired once per item, and optionally one fired when done (S1).

    `mode`, `limit` (items in flight, None for any number) and `on_error` are what a graph gets unless the node in the
    graph or the run says otherwise (S2-S4). `discard`: an item's store is dropped when its chain ends instead of being
    merged, for streams without an end (S6).
    """

    __slots__ = ("discard", "done", "fires", "items", "limit", "mode", "on_error")

    def __init__(
        self,
        *items: DataOut[Any],
        fires: ExecOut,
        done: ExecOut | None = None,
        mode: StreamMode = "sequential",
        limit: int | None = None,
        on_error: ErrorMode = "fail",
        discard: bool = False,
        doc: str = "",
    ) -> None:
        super().__init__(doc=doc)
        if not items:
            raise NodeDefinitionError("A stream needs at least one item output: Stream(item, fires=body).")
        self.items = items
        self.fires = fires
        self.done = done
        self.mode: StreamMode = mode
        self.limit = limit
        self.on_error: ErrorMode = on_error
        self.discard = discard


def _shown(value: object) -> str:
    text = hide(repr(value))
    return text if len(text) <= 60 else f"{text[:57]}..."


def _called(function: Callable[..., Any]) -> str:
    return getattr(function, "__name__", repr(function))
