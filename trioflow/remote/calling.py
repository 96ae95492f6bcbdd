"""A call of a body in another process, and its answer: what is sent, what the other side does, what comes back."""

from __future__ import annotations

import hashlib
import pickle
import random
import traceback
from functools import partial
from types import CodeType
from typing import TYPE_CHECKING, Any

import attrs
import trio

from trioflow.errors import NodeError
from trioflow.model.by_name import by_name
from trioflow.model.exits import chosen
from trioflow.model.node_type import FunctionBody, NodeType
from trioflow.model.types import checkable, is_exact
from trioflow.model.unfinished import Unfinished
from trioflow.remote.errors import ElsewhereTraceback, VersionSkew
from trioflow.remote.places import HERE
from trioflow.runtime.host.moved import carry_out, node_of, version_of_call
from trioflow.runtime.wrapping.portable import CONTEXT, Portable, PortableCall, Returned

if TYPE_CHECKING:
    from collections.abc import Sequence

    from trioflow.model.context import FeedbackLevel
    from trioflow.remote.keeping import Keeper


@attrs.frozen
class Keep:
    """Which outputs stay there, by place, if they take so many bytes, and what keeps them."""

    outputs: frozenset[int]
    least: int
    keeper: Keeper


@attrs.frozen
class Call:
    """A body, or all of a called graph, with all that it needs, and a digest of its code here."""

    body: Portable | PortableCall
    code: str
    key: str | None = None
    """`ctx.key` of an activation (J4)."""
    keep: Keep | None = None


@attrs.frozen
class Batch:
    """Several calls in one message; the answer is one answer for each."""

    calls: Sequence[bytes]


@attrs.frozen
class Answer:
    """What became of a call: a result, or an error and where it was raised; and what the body has told."""

    result: Any = None
    error: BaseException | None = None
    where: str = ""
    told: tuple[tuple[str, tuple[Any, ...]], ...] = ()


def code_of(node_type: NodeType) -> str:
    """A digest of the code of a function's type: what it calls its version, or else what Python has compiled."""
    if node_type.version is not None:
        return node_type.version
    assert isinstance(node_type.body, FunctionBody)
    code: Any = node_type.body.function
    return hashlib.sha256(repr(_told(code.__code__)).encode("utf-8", "surrogatepass")).hexdigest()[:16]


def _told(code: CodeType) -> Any:
    inner = [_told(each) if isinstance(each, CodeType) else repr(each) for each in code.co_consts if _lasts(each)]
    return code.co_code.hex(), code.co_names, inner


def _lasts(constant: Any) -> bool:
    """Whether a constant looks the same in each process: sets of texts have another order in each."""
    return not isinstance(constant, frozenset)


def packed(call: Call) -> bytes:
    """A call as it is sent. Raises `NodeError` for values that can't be."""
    try:
        return pickle.dumps(call)
    except Exception as error:  # whatever a value raises where it is pickled
        raise NodeError(
            f"An input of {call.body.type} can't be sent to another process: {first_line(error)}. Give it values that "
            "can be pickled, or let it run here: remove run_on."
        ) from error


def packed_batch(calls: Sequence[bytes]) -> bytes:
    """Several calls as they are sent together."""
    return pickle.dumps(Batch(calls))


def unpacked(answer: bytes) -> Answer:
    """An answer that has come back; its error has its cause, which says where it was raised."""
    found: Answer = pickle.loads(answer)  # noqa: S301 - from a process of ours
    if found.error is not None and found.where:
        found.error.__cause__ = ElsewhereTraceback(found.where)
    return found


# --- on the other side -----------------------------------------------------------------------------------------------


class ElsewhereContext:
    """What a body sees of its context in another process: it can draw, tell, and say who it is."""

    def __init__(self, body: Portable, key: str | None, told: list[tuple[str, tuple[Any, ...]]]) -> None:
        self.path = body.path
        self._body = body
        self._key = key
        self._told = told
        self._random: random.Random | None = None

    @property
    def random(self) -> random.Random:
        """As the run's own would be."""
        if self._random is None:
            self._random = self._body.generator()
        return self._random

    @property
    def key(self) -> str:
        """As `Context.key`."""
        if self._key is None:
            raise NodeError("A data node has no key: it does nothing that could be done twice.")
        return self._key

    def emit_feedback(self, message: str, level: FeedbackLevel = "info", tag: object = None) -> None:
        """Told when the body has ended."""
        self._told.append(("emit_feedback", (message, level, tag)))

    def report_progress(self, done: float, total: float | None = None, message: str = "") -> None:
        """Told when the body has ended."""
        self._told.append(("report_progress", (done, total, message)))

    def __getattr__(self, name: str) -> Any:
        raise NodeError(
            f"ctx.{name} is of the run, which is in another process than this body of {self._body.type}. Give the "
            "body what it needs as inputs, or let it run there: remove run_on."
        )


def answered(data: bytes) -> bytes:
    """Do a call, in the other process: never raises but for what ends the process."""
    told: list[tuple[str, tuple[Any, ...]]] = []
    try:
        call: Call | Batch = pickle.loads(data)  # noqa: S301 - from the process that has started this one
        if isinstance(call, Batch):
            return pickle.dumps([answered(each) for each in call.calls])
        if isinstance(call.body, PortableCall):
            return pickle.dumps(Answer(_called(call.body, call.code)))
        result = _result(call, call.body, told)
        if call.keep is not None:
            result = _kept(call.keep, call.body, result)
        return pickle.dumps(Answer(result, told=tuple(told)))
    except BaseException as error:
        return _failed(error, told)


def _called(call: PortableCall, code: str) -> Returned:
    if version_of_call(*node_of(call)) != code:
        raise _skewed(f"A node type in {call.type!r}")
    return trio.run(partial(carry_out, call, {HERE: True}))


def _skewed(what: str) -> VersionSkew:
    return VersionSkew(
        f"{what} has other code in the process that is to run it than where the run is. "
        "Start both anew with the same version."
    )


def _type(shipped: Portable) -> tuple[NodeType, FunctionBody]:
    found = by_name(shipped.function, shipped.type)
    node_type: NodeType = getattr(found, "type", found)
    assert isinstance(node_type.body, FunctionBody)
    return node_type, node_type.body


def _kept(keep: Keep, shipped: Portable, result: Any) -> Any:
    """The result with what is kept in place of large values; one that is not of its output's type is sent."""
    node_type, body = _type(shipped)
    exit_ = None
    if body.chooses:
        exit_, result = chosen(node_type, result)
    values = [*body.values_of(result)]
    for place in keep.outputs:
        target = checkable(node_type.outputs[place].type)
        if target is object or is_exact(values[place], target):
            data = pickle.dumps(values[place], pickle.HIGHEST_PROTOCOL)
            if len(data) >= keep.least:
                values[place] = keep.keeper.keep(data)
    found = tuple(values) if body.result == "fields" else values[0]
    return (exit_, found) if body.chooses else found


def _result(call: Call, shipped: Portable, told: list[tuple[str, tuple[Any, ...]]]) -> Any:
    node_type, body = _type(shipped)
    if code_of(node_type) != call.code:
        raise _skewed(f"Node type {shipped.type!r}")
    context = ElsewhereContext(shipped, call.key, told)
    arguments = [context if isinstance(each, str) and each == CONTEXT else each for each in shipped.arguments]
    if body.is_async:
        return trio.run(body.function, *arguments)
    try:
        return body.function(*arguments)
    except Unfinished as unfinished:
        return trio.run(unfinished.rest)


def _failed(error: BaseException, told: list[tuple[str, tuple[Any, ...]]]) -> bytes:
    where = "".join(traceback.format_exception(error))
    error.__traceback__ = None
    try:
        answer = pickle.dumps(Answer(error=error, where=where, told=tuple(told)))
        pickle.loads(answer)  # noqa: S301 - errors with arguments of their own fail here, not there
    except Exception:
        kind = f"{type(error).__module__}.{type(error).__qualname__}"
        return pickle.dumps(Answer(error=NodeError(f"{kind}: {first_line(error)} (it can't be sent)"), where=where))
    return answer


def first_line(error: BaseException) -> str:
    """What an error says, in a line."""
    return str(error).partition("\n")[0] or type(error).__name__
