"""What is around elements: processes, sub-processes, guards with boundary events; how they are ended from inside.

The tokens behind the exec output `body` are a scope of their own (W13). Who is around an element is known by context.
"""

from __future__ import annotations

from collections.abc import Generator, Iterable, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

import attrs
import trio

import trioflow as tf
from trioflow.errors import NodeError
from trioflow.formats.bpmn.bus import Race, Wait
from trioflow.formats.bpmn.common import REPEATED, OnBus, first, race_of, receive, see, set_known, values_of


class BpmnError(NodeError):
    """An error end event was reached, and no boundary event around it catches its error."""

    def __init__(self, message: str, error_code: str) -> None:
        super().__init__(message)
        self.error_code = error_code


@attrs.frozen(eq=False)
class _Around:
    """A scope that can be ended from inside: a process or sub-process, or a guard with what it catches from there.

    That is thrown to it: errors, escalations, and that a transaction is cancelled. `beside` are escalations that end
    nothing, and of which those are told that watch the session.
    """

    outer: _Around | None
    guard: tuple[Wait, ...] | None = None
    beside: tuple[Wait, ...] = ()
    session: Session | None = None
    race: Race | None = None


class _Leave(tf.Unwind):
    """A token ends the scope that it is in, or one further out; the variables are as it found them.

    With an error if it has thrown one; `wait` is what catches that.
    """

    def __init__(
        self, scope: _Around, values: Mapping[str, Any], wait: Wait | None = None, error: BpmnError | None = None
    ) -> None:
        super().__init__(f"to end {'a process' if scope.guard is None else 'an activity'}")
        self.scope, self.values, self.wait, self.error = scope, values, wait, error


THROWN = frozenset({"error", "escalation", "cancel"})
"""What is not waited for: it is thrown from inside an activity."""

_around: ContextVar[_Around | None] = ContextVar("trioflow_bpmn_around", default=None)


@contextmanager
def _inside(
    guard: tuple[Wait, ...] | None = None,
    beside: tuple[Wait, ...] = (),
    session: Session | None = None,
    race: Race | None = None,
) -> Generator[_Around]:
    scope = _Around(_around.get(), guard, beside, session, race)
    token = _around.set(scope)
    try:
        yield scope
    finally:
        _around.reset(token)


def _catcher(kind: str, code: str = "") -> tuple[_Around | None, Wait | None]:
    """The nearest guard that catches what is thrown, or the outermost scope."""
    scope, outermost = _around.get(), None
    while scope is not None:
        for wait in (*(scope.guard or ()), *scope.beside):
            if wait.kind == kind and wait.name in ("", code):
                return scope, wait
        scope, outermost = scope.outer, scope
    return outermost, None


class TerminateEnd(tf.Node, id="bpmn.terminate_end", durable="replayed"):
    """Ends the process or sub-process that it is in at once. Variables stay as this token found them."""

    enter = tf.ExecIn()
    data: tf.DataIn[Any] = tf.DataIn(list, default=[], doc="the names of the variables that stay")

    async def execute(self, ctx: tf.Context) -> None:
        scope = _around.get()
        while scope is not None and scope.guard is not None:
            scope = scope.outer
        if scope is None:
            raise NodeError(f"{ctx.node.id!r} is in no bpmn.process and in no bpmn.sub_process that it could end.")
        raise _Leave(scope, values_of(ctx, await ctx.get_input(self.data)))


class ErrorEnd(tf.Node, id="bpmn.error_end", durable="replayed"):
    """Throws an error: the nearest boundary event around it that catches its code goes on; else the process fails."""

    enter = tf.ExecIn()
    code = tf.DataIn(str, default="", doc="the code of the error")
    data: tf.DataIn[Any] = tf.DataIn(list, default=[], doc="the names of the variables that stay")

    async def execute(self, ctx: tf.Context) -> None:
        code = await ctx.get_input(self.code)
        named = f" {code!r}" if code else ""
        error = BpmnError(f"{ctx.node.id!r} ends with the error{named}, and no boundary event catches that.", code)
        scope, wait = _catcher("error", code)
        if scope is None:
            raise error
        raise _Leave(scope, values_of(ctx, await ctx.get_input(self.data)), wait, error)


class EscalationEvent(tf.Node, id="bpmn.escalation_event", durable="replayed"):
    """Throws an escalation to the nearest boundary event around it that catches its code, and goes on.

    Not if that event interrupts its activity, and this with it. If none catches it, nothing comes of it.
    """

    enter = tf.ExecIn()
    code = tf.DataIn(str, default="", doc="the code of the escalation")
    data: tf.DataIn[Any] = tf.DataIn(list, default=[], doc="the names of the variables that stay if it is interrupted")
    then = tf.ExecOut()

    async def execute(self, ctx: tf.Context) -> tf.ExecOut:
        scope, wait = _catcher("escalation", await ctx.get_input(self.code))
        if scope is None or wait is None:
            return self.then
        if wait not in scope.beside:
            raise _Leave(scope, values_of(ctx, await ctx.get_input(self.data)), wait)
        assert scope.session is not None, "whoever catches beside an activity watches it"
        scope.session.throw(wait)
        return self.then


class Changed(OnBus, id="bpmn.changed", durable="replayed"):
    """Tells those that wait for a condition what variables are now; then goes on, unless that ends what it is in."""

    enter = tf.ExecIn()
    names: tf.DataIn[Any] = tf.DataIn(list, default=[], doc="the names of the variables")
    then = tf.ExecOut()

    async def execute(self, ctx: tf.Context) -> tf.ExecOut:
        see(ctx, self.bus.changed(values_of(ctx, await ctx.get_input(self.names))))
        scope = _around.get()
        while scope is not None:
            if scope.race is not None and scope.race.winner is not None:
                await trio.sleep_forever()  # it is being cancelled
            scope = scope.outer
        return self.then


class CancelEnd(tf.Node, id="bpmn.cancel_end", durable="replayed"):
    """Ends the transaction that it is in at once, to go on at the boundary event that says so."""

    enter = tf.ExecIn()
    data: tf.DataIn[Any] = tf.DataIn(list, default=[], doc="the names of the variables that stay")

    async def execute(self, ctx: tf.Context) -> None:
        scope, wait = _catcher("cancel")
        if scope is None or wait is None:
            raise NodeError(f"{ctx.node.id!r} is in no transaction with a boundary event for its cancellation.")
        raise _Leave(scope, values_of(ctx, await ctx.get_input(self.data)), wait)


class _Scope(tf.Node, abstract=True):
    enter = tf.ExecIn()
    body = tf.ExecOut(doc="what is inside")
    then = tf.ExecOut(doc="when all tokens inside have ended")

    async def execute(self, ctx: tf.Context) -> tf.ExecOut:
        with _inside() as scope:
            try:
                await ctx.trigger(self.body)
            except _Leave as leave:
                if leave.scope is not scope:
                    raise
                set_known(ctx, leave.values)
                if leave.error is not None:
                    raise leave.error from None
        return self.then


class Process(_Scope, id="bpmn.process", durable="replayed"):
    """A process that may end before all its tokens have: its start events are behind `body`."""


class SubProcess(_Scope, id="bpmn.sub_process", durable="replayed"):
    """A sub-process: its start events are behind `body`."""


class CallActivity(_Scope, id="bpmn.call_activity", durable="replayed"):
    """The call of a process of the same document: its start events are behind `body`. It has the same variables."""


class Session:
    """One execution of an activity, for those who watch it."""

    def __init__(self) -> None:
        self.ended = False
        self._races: list[tuple[Wait, Race]] = []
        self._thrown: list[Wait] = []

    def add(self, wait: Wait, race: Race) -> None:
        """Close this race when the activity ends. An escalation that was thrown before decides it at once."""
        self._races = [each for each in self._races if not each[1].over.is_set()]
        self._races.append((wait, race))
        if wait in self._thrown and race.win(wait):
            self._thrown.remove(wait)

    def throw(self, wait: Wait) -> None:
        """An escalation: whoever watches for it gets it, or will."""
        if not any(mine == wait and race.win(wait) for mine, race in self._races):
            self._thrown.append(wait)

    def is_over(self, wait: Wait) -> bool:
        """Whether the activity has ended, and nothing is left that was thrown before."""
        return self.ended and wait not in self._thrown

    def end(self) -> None:
        """The activity has ended."""
        self.ended = True
        for _, race in self._races:
            race.close()


class Guard(OnBus, id="bpmn.guard", durable="replayed"):
    """An activity with boundary events that interrupt it: the first that comes ends it, and goes on at `caught`.

    An error event without a code catches any failure; one with a code also a failure whose class has that name.
    Escalations, and the cancellation of a transaction, are thrown from inside as errors are.
    """

    enter = tf.ExecIn()
    waits = tf.DataIn(list, default=[], doc="the events: mappings with element, kind, name, form")
    beside: tf.DataIn[Any] = tf.DataIn(list, default=[], doc="escalations that those are told of who watch it")
    session: tf.DataIn[Any] = tf.DataIn(object, default=None, doc="whom those watch that do not interrupt it")
    event = tf.DataOut(str, doc="the id of the boundary event that came")
    code = tf.DataOut(str, doc="the code of the error")
    body = tf.ExecOut(doc="the activity")
    then = tf.ExecOut(doc="when it has ended by itself")
    caught = tf.ExecOut(doc="when it was interrupted")

    async def execute(self, ctx: tf.Context) -> tf.ExecOut:
        waits = [Wait.of(each) for each in await ctx.get_input(self.waits)]
        session: Session | None = await ctx.get_input(self.session)
        beside = tuple(Wait.of(each) for each in await ctx.get_input(self.beside))
        errors = tuple(each for each in waits if each.kind == "error")
        thrown = tuple(each for each in waits if each.kind in THROWN)
        others = [each for each in waits if each.kind not in THROWN]
        race = race_of(ctx)
        with _inside(thrown, beside, session, race) as scope:
            try:
                await self._body(ctx, others, race)
            except _Leave as leave:
                if leave.scope is not scope:
                    raise
                set_known(ctx, leave.values)
                return self._caught(ctx, leave.wait, leave.error, leave.error.error_code if leave.error else "")
            except Exception as error:
                return self._caught(ctx, _failed(errors, error), error, type(error).__name__)
            finally:
                if session is not None:
                    session.end()
        if race.winner is None:
            return self.then
        receive(ctx, race)
        ctx.set_output(self.event, race.winner.element)
        return self.caught

    async def _body(self, ctx: tf.Context, waits: list[Wait], race: Race) -> None:
        """The activity, until one of these events comes."""
        if not waits:
            await ctx.trigger(self.body)
            return
        failure: BaseException | None = None
        async with trio.open_nursery() as nursery:
            activity = trio.CancelScope()
            nursery.start_soon(self._watch, ctx, waits, race, activity)
            try:
                with activity:
                    await ctx.trigger(self.body)
            except (_Leave, Exception) as error:
                failure = error
            race.close()
        if failure is not None:
            raise failure

    async def _watch(self, ctx: tf.Context, waits: list[Wait], race: Race, activity: trio.CancelScope) -> None:
        await first(self.bus, ctx, waits, race)
        if race.winner is not None:
            activity.cancel()

    def _caught(self, ctx: tf.Context, wait: Wait | None, error: Exception | None, code: str) -> tf.ExecOut:
        if wait is None:
            assert error is not None, "who ends a guard throws what it catches"
            raise error
        ctx.set_output(self.event, wait.element)
        ctx.set_output(self.code, code)
        return self.caught


def _failed(errors: Iterable[Wait], error: Exception) -> Wait | None:
    """The boundary event that catches a failure which is no error end event."""
    names = ("", type(error).__name__, str(getattr(error, "error_code", "") or ""))
    return next((each for each in errors if each.name in names), None)


class Watched(tf.Node, id="bpmn.watched", durable="replayed"):
    """Before an activity with boundary events that do not interrupt it: those wait beside it."""

    enter = tf.ExecIn()
    session: tf.DataOut[Any] = tf.DataOut(object, doc="this execution of the activity")
    then = tf.ExecOut()

    async def execute(self, ctx: tf.Context) -> tf.ExecOut:
        ctx.set_output(self.session, Session())
        return self.then


class Watch(OnBus, id="bpmn.watch", durable="replayed"):
    """Waits for the event of a boundary event that does not interrupt; goes on at `caught`, or not if all is over."""

    enter = tf.ExecIn()
    waits = tf.DataIn(list, doc="the event: a mapping with element, kind, name, form")
    session: tf.DataIn[Any] = tf.DataIn(object, doc="the execution of the activity")
    caught = tf.ExecOut()

    async def execute(self, ctx: tf.Context) -> tf.ExecOut | None:
        session: Session = await ctx.get_input(self.session)
        wait = Wait.of((await ctx.get_input(self.waits))[0])
        count = ctx.state.get("count", 0) if ctx.state.get("session") is session else 0
        if session.is_over(wait) or count >= _times(wait):
            return None
        race = race_of(ctx)
        session.add(wait, race)
        await first(self.bus, ctx, [wait], race, again=count > 0)
        if race.winner is None:
            return None
        ctx.state["session"], ctx.state["count"] = session, count + 1
        receive(ctx, race)
        return self.caught


def _times(wait: Wait) -> float:
    """How often an event comes at most."""
    if wait.kind != "timer":
        return float("inf")
    match = REPEATED.match(wait.name)
    if match is None:
        return 1
    return float(match[1] or "inf")
