"""A call of a body in another process, and its answer: what is sent, what the other side does, what comes back."""

from __future__ import annotations

import hashlib
import pickle
import random
import traceback
from types import CodeType
from typing import TYPE_CHECKING, Any

import attrs
import trio

from trioflow.errors import NodeError
from trioflow.model.by_name import by_name
from trioflow.model.node_type import FunctionBody, NodeType
from trioflow.model.unfinished import Unfinished
from trioflow.remote.errors import ElsewhereTraceback, VersionSkew
from trioflow.runtime.wrapping.portable import CONTEXT, Portable

if TYPE_CHECKING:
    from trioflow.model.context import FeedbackLevel


@attrs.frozen
class Call:
    """A body with all that it needs, and a digest of its code here."""

    body: Portable
    code: str
    key: str | None
    """`ctx.key` of an activation (J4)."""


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
            f"An input of {call.body.type} can't be sent to another process: {_first_line(error)}. Give it values that "
            "can be pickled, or let it run here: remove run_on."
        ) from error


def unpacked(answer: bytes) -> Answer:
    """An answer that has come back; its error has its cause, which says where it was raised."""
    found: Answer = pickle.loads(answer)  # noqa: S301 - from a process of ours
    if found.error is not None and found.where:
        found.error.__cause__ = ElsewhereTraceback(found.where)
    return found


# --- on the other side -----------------------------------------------------------------------------------------------


class ElsewhereContext:
    """What a body sees of its context in another process: it can draw, tell, and say who it is."""

    def __init__(self, call: Call, told: list[tuple[str, tuple[Any, ...]]]) -> None:
        self.path = call.body.path
        self._call = call
        self._told = told
        self._random: random.Random | None = None

    @property
    def random(self) -> random.Random:
        """As the run's own would be."""
        if self._random is None:
            self._random = self._call.body.generator()
        return self._random

    @property
    def key(self) -> str:
        """As `Context.key`."""
        if self._call.key is None:
            raise NodeError("A data node has no key: it does nothing that could be done twice.")
        return self._call.key

    def emit_feedback(self, message: str, level: FeedbackLevel = "info", tag: object = None) -> None:
        """Told when the body has ended."""
        self._told.append(("emit_feedback", (message, level, tag)))

    def report_progress(self, done: float, total: float | None = None, message: str = "") -> None:
        """Told when the body has ended."""
        self._told.append(("report_progress", (done, total, message)))

    def __getattr__(self, name: str) -> Any:
        raise NodeError(
            f"ctx.{name} is of the run, which is in another process than this body of {self._call.body.type}. Give the "
            "body what it needs as inputs, or let it run there: remove run_on."
        )


def answered(data: bytes) -> bytes:
    """Do a call, in the other process: never raises but for what ends the process."""
    told: list[tuple[str, tuple[Any, ...]]] = []
    try:
        call: Call = pickle.loads(data)  # noqa: S301 - from the process that has started this one
        return pickle.dumps(Answer(_result(call, told), told=tuple(told)))
    except BaseException as error:
        return _failed(error, told)


def _result(call: Call, told: list[tuple[str, tuple[Any, ...]]]) -> Any:
    shipped = call.body
    found = by_name(shipped.function, shipped.type)
    node_type: NodeType = getattr(found, "type", found)
    body = node_type.body
    assert isinstance(body, FunctionBody)
    code = code_of(node_type)
    if code != call.code:
        raise VersionSkew(
            f"Node type {shipped.type!r} has other code in the process that is to run it than where the run is. "
            "Start both anew with the same version."
        )
    context = ElsewhereContext(call, told)
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
        return pickle.dumps(Answer(error=NodeError(f"{kind}: {_first_line(error)} (it can't be sent)"), where=where))
    return answer


def _first_line(error: BaseException) -> str:
    return str(error).partition("\n")[0] or type(error).__name__
