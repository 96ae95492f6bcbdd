"""Work in slices: no node holds the host's loop for more than a few milliseconds, whatever it gets.

A body that may have much to do is written as a generator. It yields after each slice, and what the loop does then is
to let others have their turn; with small inputs it ends before the first, and costs hardly more than a plain function.
What can't be cut into slices, since Python does it in one piece, is yielded as a `Job`, which leaves the process. Where
the slices end depends on the input alone, never on a clock: the same graph takes the same turns everywhere.
"""

from __future__ import annotations

import functools
import inspect
import itertools
from collections.abc import Callable, Coroutine, Generator, Iterable, Iterator, Sequence
from typing import Any, Final, ParamSpec, Protocol, TypeAlias, TypeVar, cast

import attrs
import trio

import trioflow as tf
from trioflow.model.durability import Durability
from trioflow.model.function_node import FunctionNode
from trioflow.model.node_type import FunctionBody
from trioflow.model.unfinished import Unfinished

P = ParamSpec("P")
R = TypeVar("R")
T = TypeVar("T")
S = TypeVar("S", bound=Sequence[Any])

SLICE = 1_000
"""Items that are looked at between two turns: a fraction of a millisecond where each takes a hundred nanoseconds."""

COPIED = 100_000
"""Items that are only copied between two turns."""


class Job(Protocol):
    """Something that Python does in one piece, and that may take long."""

    def here(self) -> Any:
        """The result, computed here and now."""
        ...

    async def away(self) -> Any:
        """The result, computed in another process. Cancelled at any time."""
        ...


TURN: Final = None
"""What a body yields to give others their turn."""

Steps: TypeAlias = Generator[Job | None, Any, R]
"""A body in slices: yields after each, or a job whose result it gets back, and returns its result."""


def finished(steps: Steps[R]) -> R:
    """The result, in one go: for Python that calls a node's function itself."""
    answer: Any = None
    asked: Job | None = None
    try:
        while True:
            try:
                answer = asked.here() if asked is not None else None
            except Exception as error:
                asked = steps.throw(error)
                continue
            asked = steps.send(answer)
    except StopIteration as stop:
        return cast("R", stop.value)


async def in_turns(steps: Steps[R]) -> R:
    """The result, with a turn for others after each slice. A cancellation point if there is more than one."""
    return await _rest(steps, None, begun=False)


async def _rest(steps: Steps[R], asked: Job | None, *, begun: bool) -> R:
    answer: Any = None
    try:
        while True:
            if begun and asked is None:
                await trio.lowlevel.checkpoint()
                answer = None
            elif begun and asked is not None:
                try:
                    answer = await asked.away()
                except Exception as error:
                    asked = steps.throw(error)
                    continue
            begun = True
            asked = steps.send(answer)
    except StopIteration as stop:
        return cast("R", stop.value)
    finally:
        steps.close()


def sliced(
    *, id: str, volatile: bool = False, durable: Durability | None = None
) -> Callable[[Callable[P, Steps[R]]], FunctionNode[P, R]]:
    """Make a generator function a data node, as `tf.data_node` makes a function one.

    The node type's function does the first slice, and raises `Unfinished` if there are more; called from Python the
    node does everything in one go.
    """

    def decorate(function: Callable[P, Steps[R]]) -> FunctionNode[P, R]:
        if not inspect.isgeneratorfunction(function):
            raise tf.NodeDefinitionError(f"{id} is not a generator function: nothing is yielded in it.")

        @functools.wraps(function)
        def whole(*args: P.args, **kwargs: P.kwargs) -> R:
            return finished(function(*args, **kwargs))

        @functools.wraps(whole)
        def first(*args: P.args, **kwargs: P.kwargs) -> R:
            steps = function(*args, **kwargs)
            try:
                asked = next(steps)
            except StopIteration as stop:
                return cast("R", stop.value)
            rest = functools.partial(_rest, steps, asked, begun=True)
            raise Unfinished(cast("Callable[[], Coroutine[Any, Any, R]]", rest))

        result: str = function.__annotations__["return"]
        whole.__annotations__ = {**function.__annotations__, "return": result.removeprefix("Steps[").removesuffix("]")}
        node: FunctionNode[P, R] = tf.data_node(id=id, volatile=volatile, durable=durable)(whole)
        body = cast("FunctionBody", node.type.body)
        object.__setattr__(node.type, "body", attrs.evolve(body, function=first, in_slices=True))
        return node

    return decorate


def parts(items: S, size: int = SLICE) -> Iterator[S]:
    """A list, a text or bytes in pieces."""
    if len(items) <= size:
        return iter((items,))
    return (cast("S", items[start : start + size]) for start in range(0, len(items), size))


def batches(items: Iterable[T], size: int = SLICE) -> Iterator[list[T]]:
    """Whatever can be iterated over in pieces."""
    source = iter(items)
    return iter(lambda: list(itertools.islice(source, size)), [])


def gathered(pieces: Iterable[Iterable[T]]) -> Steps[list[T]]:
    """All items of all pieces, with a turn between two pieces."""
    found: list[T] = []
    for number, piece in enumerate(pieces):
        if number:
            yield TURN
        found.extend(piece)
    return found


def copied(*lists: Sequence[T]) -> Steps[list[T]]:
    """The items of some lists, one after the other."""
    if sum(map(len, lists)) <= COPIED:
        return [item for items in lists for item in items]
    return (yield from gathered(part for items in lists for part in parts(items, COPIED)))


def mapped(function: Callable[[T], R], items: Sequence[T], size: int = SLICE) -> Steps[list[R]]:
    """What a function gives for each item."""
    return (yield from gathered(map(function, part) for part in parts(items, size)))


def entries(pairs: Iterable[tuple[Any, Any]]) -> Steps[dict[Any, Any]]:
    """The dictionary that pairs make."""
    made: dict[Any, Any] = {}
    for number, batch in enumerate(batches(pairs)):
        if number:
            yield TURN
        made.update(batch)
    return made


def joined(pieces: list[str], separator: str = "") -> Steps[str]:
    """The texts with a separator between, which are forgotten meanwhile."""
    if len(pieces) <= SLICE:
        return separator.join(pieces)
    found: list[str] = []
    for part in parts(pieces):
        found.append(separator.join(part))
        yield TURN
    yield from released(pieces)
    return separator.join(found)


def released(items: list[Any] | set[Any] | dict[Any, Any]) -> Steps[None]:
    """Let go of all items: to forget a million takes longer than one slice may."""
    while len(items) > SLICE * 10:
        if isinstance(items, list):
            del items[-SLICE * 10 :]
        else:
            forget = items.pop if isinstance(items, set) else items.popitem
            for _ in range(SLICE * 2):
                forget()
        yield TURN
    items.clear()
