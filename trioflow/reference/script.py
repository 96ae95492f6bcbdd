"""Scripts: the node bodies that every port can run (spec/INTERPRETING.md, 4 and 5).

A script runs as a generator of *effects*, tuples such as `("get", "a")`; whoever runs it carries them out and sends
back what came of them, or throws the failure in. So the operations stand here once, what they mean in each semantics.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from typing import Any

import attrs

MODULUS = 1000003

Operations = Sequence[Sequence[Any]]
Effects = Generator[tuple[Any, ...], Any, str | None]
"""Ends with the exec output to hand over to, or None."""

DATA_EFFECTS = frozenset({"get", "tryget", "set", "getvar", "sleep", "now", "fail"})
"""What a data node may do (D8)."""

CANCELLATION_POINTS = frozenset(
    {"get", "tryget", "trigger", "emit", "join", "branches", "twice", "publish", "sleep"}
)  # fmt: skip


@attrs.frozen
class Sockets:
    """The sockets of one scripted type; `None` as a type takes any value, `required` inputs have no default."""

    exec_inputs: tuple[str, ...] = ()
    inputs: tuple[str, ...] = ()
    lazy: tuple[str, ...] = ()
    outputs: tuple[str, ...] = ("x", "y")
    exec_outputs: tuple[str, ...] = ()
    types: dict[str, type] = attrs.field(factory=dict[str, type])
    defaults: dict[str, Any] = attrs.field(factory=dict[str, Any])
    """Of inputs whose default is not None."""
    required: tuple[str, ...] = ()
    volatile: bool = False
    discards: bool = False

    @property
    def is_exec(self) -> bool:
        """Whether it is an exec node (M2)."""
        return bool(self.exec_inputs or self.exec_outputs)

    @property
    def listens(self) -> bool:
        """Whether it is dispatched by events (B1)."""
        return "event" in self.inputs

    @property
    def has_stream(self) -> bool:
        """Whether it declares the stream of `item` and `body`."""
        return "item" in self.outputs


_WAYS = ("o0", "o1", "o2")

TYPES = {
    "script.exec": Sockets(
        ("enter", "again"), ("script", "a", "life"), ("b",), ("x", "y", "item"), (*_WAYS, "body", "done")
    ),
    "script.endless": Sockets(
        ("enter",), ("script", "a"), ("b",), ("x", "y", "item"), (*_WAYS, "body"), discards=True
    ),
    "script.listen": Sockets(
        (), ("script", "a", "event"), ("b",), exec_outputs=_WAYS, types={"event": str}, required=("event",)
    ),
    "script.strict": Sockets(
        ("enter",), ("script", "n"), ("m",), exec_outputs=_WAYS, types={"n": int, "m": int}, required=("n", "m")
    ),
    "script.data": Sockets((), ("script", "a", "b"), ("c", "d")),
    "script.volatile": Sockets((), ("script", "a", "b"), ("c", "d"), volatile=True),
    "script.number": Sockets((), ("script", "n"), (), ("x",), types={"n": int, "x": int}, required=("n",)),
    "script.text": Sockets((), ("script", "t"), (), ("x",), types={"t": str, "x": str}, defaults={"t": ""}),
}  # fmt: skip


def num(value: Any) -> int:
    """A value as a number: texts and lists count by their length."""
    if value is None:
        return 0
    return len(value) if isinstance(value, str | list) else int(value)


class Script:
    """One run of a script: the accumulator and the kept value. `code_of` names a failure for `try`."""

    def __init__(self, code_of: Callable[[Exception], str]) -> None:
        self.acc: Any = None
        self.kept: Any = 0
        self._code_of = code_of

    def run(self, operations: Operations) -> Effects:
        """The effects of these operations, up to their end or a `return`."""
        for operation, *arguments in operations:
            if operation == "return":
                return str(arguments[0])
            block = _BLOCKS.get(operation)
            if block is not None:
                way = yield from block(self, *arguments)
                if way is not None:
                    return way
            elif operation in _PURE:
                _PURE[operation](self, *arguments)
            elif operation in _GIVING:
                yield (operation, *arguments, *((self.acc,) if operation in _TAKING else ()))
            else:
                self.acc = yield (operation, *arguments)
        return None

    def _const(self, value: Any) -> None:
        self.acc = value

    def _add(self, number: int) -> None:
        self.acc = (num(self.acc) + number) % MODULUS

    def _mul(self, number: int) -> None:
        self.acc = num(self.acc) * number % MODULUS

    def _keep(self) -> None:
        self.kept = self.acc

    def _mix(self) -> None:
        self.acc = (31 * num(self.kept) + num(self.acc)) % MODULUS

    def _addvar(self, name: str) -> Effects:
        old = yield ("getvar", name)
        yield ("setvar", name, (num(old) + num(self.acc)) % MODULUS)
        return None

    def _appendvar(self, name: str) -> Effects:
        old = yield ("getvar", name)
        yield ("setvar", name, [*old, self.acc])
        return None

    def _loop(self, times: int, operations: Operations) -> Effects:
        for number in range(times):
            self.acc = number
            way = yield from self.run(operations)
            if way is not None:
                return way
        return None

    def _if(self, then: Operations, otherwise: Operations) -> Effects:
        return (yield from self.run(then if num(self.acc) else otherwise))

    def _fail(self, text: str) -> Effects:
        yield ("fail", text)
        return None

    def _try(self, operations: Operations, catch: Operations, finally_: Operations) -> Effects:
        try:
            way = yield from self._caught(operations, catch)
        except GeneratorExit:  # nobody runs this script any more
            raise
        except BaseException:
            yield from self.run(finally_)
            raise
        yield from self.run(finally_)
        return way

    def _caught(self, operations: Operations, catch: Operations) -> Effects:
        try:
            return (yield from self.run(operations))
        except Exception as error:
            self.acc = self._code_of(error)
        return (yield from self.run(catch))

    def _within(self, ticks: int, operations: Operations) -> Effects:
        expired, way = yield ("within", ticks, self.run(operations))
        if expired:
            self.acc = 1
        return None if expired else way

    def _branches(self, sockets: Sequence[str], operations: Operations) -> Effects:
        way: str | None = yield ("branches", sockets, self.run(operations))
        return way


_PURE: dict[str, Callable[..., None]] = {
    "const": Script._const,
    "add": Script._add,
    "mul": Script._mul,
    "keep": Script._keep,
    "mix": Script._mix,
}
_BLOCKS: dict[str, Callable[..., Effects]] = {
    "addvar": Script._addvar, "appendvar": Script._appendvar, "loop": Script._loop, "if": Script._if,
    "fail": Script._fail, "try": Script._try, "within": Script._within, "branches": Script._branches,
}  # fmt: skip
_GIVING = frozenset(
    {"set", "setvar", "setstate", "trigger", "emit", "join", "twice", "publish", "feedback", "sleep"}
)  # fmt: skip
"""Operations that leave the accumulator alone."""
_TAKING = frozenset({"set", "setvar", "setstate", "trigger", "emit", "publish", "feedback"})
"""Those whose effect carries its value, at the end."""
