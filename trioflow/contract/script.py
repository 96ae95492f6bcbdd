"""Scripts: the node bodies that every port can run (spec/INTERPRETING.md, 4 and 5).

A script runs as a generator of *effects*, such as `("get", "a")`; whoever runs it carries them out and sends back what
came of them, or throws the failure in. So the operations stand here once, what they mean in each engine.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from typing import Any

import attrs

MODULUS = 1000003

Operations = Sequence[Sequence[Any]]
Effects = Generator[Any, Any, str | None]
"""Ends with the exec output to hand over to, or None."""


def effect(*words: Any) -> Any:
    """What a script yields if nothing else is said: the name of the effect and its arguments."""
    return words


DATA_EFFECTS = frozenset({"get", "tryget", "set", "getvar", "sleep", "now", "fail"})
"""What a data node may do (D8)."""

CANCELLATION_POINTS = frozenset({"get", "tryget", "trigger", "emit", "join", "branches", "twice", "publish", "sleep"})


@attrs.frozen
class Sockets:
    """The sockets of one scripted type; `None` as a type takes any value, `required` inputs have no default."""

    exec_inputs: tuple[str, ...]
    inputs: tuple[str, ...]
    lazy: tuple[str, ...] = ()
    outputs: tuple[str, ...] = ("x", "y")
    exec_outputs: tuple[str, ...] = ()
    types: dict[str, str] = attrs.field(factory=dict[str, str])
    required: tuple[str, ...] = ()
    defaults: dict[str, Any] = attrs.field(factory=dict[str, Any])
    """Of inputs whose default is not None."""
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


_WAYS = ("o0", "o1", "o2")
_ITEM = ("x", "y", "item")

TYPES = {
    "script.exec": Sockets(("enter", "again"), ("script", "a", "life"), ("b",), _ITEM, (*_WAYS, "body", "done")),
    "script.endless": Sockets(("enter",), ("script", "a"), ("b",), _ITEM, (*_WAYS, "body"), discards=True),
    "script.listen": Sockets(
        (), ("script", "a", "event"), ("b",), exec_outputs=_WAYS, types={"event": "str"}, required=("event",)
    ),
    "script.strict": Sockets(
        ("enter",), ("script", "n"), ("m",), exec_outputs=_WAYS, types={"n": "int", "m": "int"}, required=("n", "m")
    ),
    "script.data": Sockets((), ("script", "a", "b"), ("c", "d")),
    "script.volatile": Sockets((), ("script", "a", "b"), ("c", "d"), volatile=True),
    "script.number": Sockets((), ("script", "n"), (), ("x",), types={"n": "int"}, required=("n",)),
    "script.text": Sockets((), ("script", "t"), (), ("x",), types={"t": "str"}, defaults={"t": ""}),
}


def num(value: Any) -> int:
    """A value as a number: texts and lists count by their length."""
    if value is None:
        return 0
    return len(value) if isinstance(value, str | list) else int(value)


class Script:
    """One run of a script: the accumulator and the kept value.

    `code_of` names a failure for `try`; what `do` makes of the words of an effect is yielded.
    """

    def __init__(self, code_of: Callable[[Exception], str], do: Callable[..., Any] = effect) -> None:
        self.acc: Any = None
        self.kept: Any = 0
        self._code_of = code_of
        self._do = do

    def run(self, operations: Operations) -> Effects:
        """The effects of these operations, up to their end or a `return`."""
        for operation in operations:
            way = yield from self._effects(operation)
            if way is not None:
                return way
        return None

    def _effects(self, operation: Sequence[Any]) -> Effects:  # noqa: C901 - the table of operations, row by row
        match operation:
            case "const", value:
                self.acc = value
            case "add", number:
                self.acc = (num(self.acc) + number) % MODULUS
            case "mul", number:
                self.acc = num(self.acc) * number % MODULUS
            case ["keep"]:
                self.kept = self.acc
            case ["mix"]:
                self.acc = (31 * num(self.kept) + num(self.acc)) % MODULUS
            case "addvar", name:
                old = yield self._do("getvar", name)
                yield self._do("setvar", name, (num(old) + num(self.acc)) % MODULUS)
            case "appendvar", name:
                old = yield self._do("getvar", name)
                yield self._do("setvar", name, [*old, self.acc])
            case "loop", times, inner:
                for self.acc in range(times):
                    way = yield from self.run(inner)
                    if way is not None:
                        return way
            case "if", then, otherwise:
                return (yield from self.run(then if num(self.acc) else otherwise))
            case "try", inner, catch, last:
                return (yield from self._try(inner, catch, last))
            case "within", ticks, inner:
                expired, way = yield self._do("within", ticks, self.run(inner))
                if not expired:
                    return str(way) if way is not None else None
                self.acc = 1
            case "branches", sockets, inner:
                joined: str | None = yield self._do("branches", sockets, self.run(inner))
                return joined
            case "return", socket:
                return str(socket)
            case ["set" | "setvar" | "setstate" | "trigger" | "emit" | "publish" | "feedback", *_]:
                yield self._do(*operation, self.acc)
            case ["join" | "twice" | "sleep" | "fail", *_]:
                yield self._do(*operation)
            case _:
                self.acc = yield self._do(*operation)
        return None

    def _try(self, inner: Operations, catch: Operations, last: Operations) -> Effects:
        try:
            try:
                way = yield from self.run(inner)
            except Exception as error:
                self.acc = self._code_of(error)
                way = yield from self.run(catch)
        except GeneratorExit:  # nobody runs this script any more
            raise
        except BaseException:
            yield from self.run(last)
            raise
        yield from self.run(last)
        return way
