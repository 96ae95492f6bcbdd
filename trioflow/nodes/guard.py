"""Failures and time limits: raising, catching, trying again, giving up in time.

Cancellation is no failure, and neither is `flow.break`: nothing here catches them.
"""

from __future__ import annotations

from contextvars import ContextVar
from math import inf
from typing import NamedTuple

import trio

import trioflow as tf
from trioflow.nodes import _expect as expect


class NodeRaised(Exception):
    """What `flow.raise` raises, and what its message says."""


class AssertionFailed(Exception):
    """What `flow.assert` raises when its condition does not hold."""


class Try(tf.Node, id="flow.try", durable="replayed"):
    """Runs `body`; if it fails, `catch`; in any case `cleanup`; then goes on at `done`.

    If `catch` leads nowhere, the failure goes on to whoever triggered, after `cleanup`. A failure in `catch` or
    `cleanup` does so too. Cancellation is no failure: it is never caught, and ends `cleanup` at its first wait.
    `flow.break` and `flow.continue` are none either: they pass through, after all of `cleanup`. What the body wrote
    before it failed stays written.

    >>> [output for output, _ in fire("flow.try", body="flow.raise")]
    ['body', 'catch', 'cleanup', 'done']
    """

    enter = tf.ExecIn()
    error = tf.DataOut(object, doc="the exception that was caught")
    message = tf.DataOut(str, doc="its text, without the class")
    body = tf.ExecOut(doc="what may fail")
    catch = tf.ExecOut(doc="when it failed")
    cleanup = tf.ExecOut(doc="whether it failed or not")
    done = tf.ExecOut(doc="afterwards")

    async def execute(self, ctx: tf.Context) -> tf.ExecOut:
        try:
            try:
                await ctx.trigger(self.body)
            except Exception as error:
                if not ctx.is_connected(self.catch):
                    raise
                await ctx.trigger(self.catch, {self.error: error, self.message: str(error)})
        finally:
            await ctx.trigger(self.cleanup)
        return self.done


class Raise(tf.Node, id="flow.raise", durable="replayed"):
    """Fails with a message: `NodeRaised`.

    >>> [values["message"] for output, values in fire("flow.try", body="flow.raise") if output == "catch"]
    ['raised by the graph']
    """

    enter = tf.ExecIn()
    message = tf.DataIn(str, default="raised by the graph", doc="what the error says")

    async def execute(self, ctx: tf.Context) -> None:
        raise NodeRaised(await ctx.get_input(self.message))


class RaiseAgain(tf.Node, id="flow.raise_again", durable="replayed"):
    """Fails with an exception that was caught before, the very same; where it arose stays known.

    A value that is not an exception is an error.

    >>> try:
    ...     fire("flow.raise_again", error=KeyError("lost"))
    ... except KeyError as error:
    ...     print("raised", error)
    raised 'lost'
    """

    enter = tf.ExecIn()
    error = tf.DataIn(object, doc="an exception, such as `flow.try` gives")

    async def execute(self, ctx: tf.Context) -> None:
        error = await ctx.get_input(self.error)
        if not isinstance(error, Exception):
            raise TypeError(f"flow.raise_again needs an exception, got {expect.short(error)}.")
        raise error


class Assert(tf.Node, id="flow.assert", durable="replayed"):
    """Goes on if the condition holds, and fails with `AssertionFailed` if not.

    >>> fire("flow.assert", condition=True)
    [('then', {})]
    """

    enter = tf.ExecIn()
    condition = tf.DataIn(bool, doc="what must hold")
    message = tf.DataIn(str, default="assertion failed", doc="what the error says")
    then = tf.ExecOut()

    async def execute(self, ctx: tf.Context) -> tf.ExecOut:
        if not await ctx.get_input(self.condition):
            raise AssertionFailed(await ctx.get_input(self.message))
        return self.then


class ErrorParts(NamedTuple):
    """What is known of an exception."""

    kind: str
    message: str
    notes: list[str]


@tf.data_node(id="flow.describe_error")
def describe_error(error: object) -> ErrorParts:
    """The class of an exception, its text, and the notes on it, which say where it arose. Anything else is an error.

    >>> describe_error(ValueError("no"))
    ErrorParts(kind='ValueError', message='no', notes=[])
    """
    if not isinstance(error, BaseException):
        raise TypeError(f"flow.describe_error needs an exception, got {expect.short(error)}.")
    return ErrorParts(type(error).__name__, str(error), list(getattr(error, "__notes__", ())))


class Retry(tf.Node, id="flow.retry", durable="replayed"):
    """Triggers `body` until it does not fail, at most `attempts` times, then goes on at `done` or at `failed`.

    Before the second attempt it waits `delay` seconds, before each later one `factor` times as long as before, but
    never longer than `longest`. If `failed` leads nowhere, the failure of the last attempt goes on to whoever
    triggered. What a failed attempt wrote stays written. Cancellation is never caught, and ends a wait at once.

    Less than one attempt, a negative delay or a factor below 0 are errors.

    >>> fire("flow.retry", attempts=2, body=lambda: 1 / 0)[-1]
    ('failed', {'error': ZeroDivisionError('division by zero'), 'message': 'division by zero'})
    """

    enter = tf.ExecIn()
    attempts = tf.DataIn(int, default=3, doc="how often to try, the first time included")
    delay = tf.DataIn(float, default=1.0, doc="seconds before the second attempt, on trio's clock")
    factor = tf.DataIn(float, default=2.0, doc="how many times longer each further wait is")
    longest = tf.DataIn(float, default=60.0, doc="seconds that no wait exceeds")
    attempt = tf.DataOut(int, doc="the number of this attempt, from 1")
    error = tf.DataOut(object, doc="the exception of the last attempt")
    message = tf.DataOut(str, doc="its text, without the class")
    body = tf.ExecOut(doc="one attempt")
    done = tf.ExecOut(doc="when an attempt did not fail")
    failed = tf.ExecOut(doc="when all attempts failed")

    async def execute(self, ctx: tf.Context) -> tf.ExecOut:
        attempts = expect.at_least_one("flow.retry", await ctx.get_input(self.attempts))
        delay, factor, longest = [
            expect.at_least_zero("flow.retry", socket.name, await ctx.get_input(socket))
            for socket in (self.delay, self.factor, self.longest)
        ]
        wait = min(delay, longest)
        for attempt in range(1, attempts + 1):
            try:
                await ctx.trigger(self.body, {self.attempt: attempt})
            except Exception as error:
                if attempt < attempts:
                    await ctx.sleep(wait)
                    wait = min(wait * factor, longest)
                elif ctx.is_connected(self.failed):
                    ctx.set_output(self.error, error)
                    ctx.set_output(self.message, str(error))
                else:
                    raise
            else:
                return self.done
        return self.failed


class Fallback(tf.Node, id="flow.fallback", durable="replayed"):
    """Tries one way after the other until one does not fail, then goes on at `done`.

    Only ways that are wired count. If all fail, so does this node: with the failure itself if it is the only one,
    otherwise with a group of all. What a failed way wrote stays written.

    >>> [output for output, _ in fire("flow.fallback", first="flow.raise")]
    ['first', 'second', 'done']
    """

    enter = tf.ExecIn()
    taken = tf.DataOut(str, doc="the name of the way that did not fail")
    first = tf.ExecOut()
    second = tf.ExecOut()
    third = tf.ExecOut()
    fourth = tf.ExecOut()
    done = tf.ExecOut(doc="when one did not fail")

    async def execute(self, ctx: tf.Context) -> tf.ExecOut:
        failures: list[Exception] = []
        for way in (self.first, self.second, self.third, self.fourth):
            if not ctx.is_connected(way):
                continue
            try:
                await ctx.trigger(way)
            except Exception as error:
                failures.append(error)
            else:
                ctx.set_output(self.taken, way.name)
                return self.done
        if len(failures) == 1:
            raise failures[0]
        if failures:
            raise ExceptionGroup("flow.fallback: every way failed", failures)
        return self.done


class Timeout(tf.Node, id="flow.timeout", durable="replayed"):
    """Runs `body` for at most so many seconds, then goes on at `done` or, if it took longer, at `timed_out`.

    What takes too long is cancelled, and nothing else; what it had written stays written. If `timed_out` leads nowhere,
    taking too long is a failure, `TimeoutError`. A negative number of seconds, or not a number, is an error.

    >>> fire("flow.timeout", seconds=1, body=lambda: trio.sleep(5))
    [('body', {}), ('timed_out', {})]
    """

    enter = tf.ExecIn()
    seconds = tf.DataIn(float, doc="how long the body may take, on trio's clock")
    body = tf.ExecOut(doc="what must be done in time")
    done = tf.ExecOut(doc="when it was")
    timed_out = tf.ExecOut(doc="when it was not")

    async def execute(self, ctx: tf.Context) -> tf.ExecOut:
        seconds = expect.at_least_zero("flow.timeout", "seconds", await ctx.get_input(self.seconds))
        with ctx.time_limit(seconds):
            await ctx.trigger(self.body)
            return self.done
        if not ctx.is_connected(self.timed_out):
            raise TimeoutError(f"flow.timeout: the body took longer than {seconds:g} s.")
        return self.timed_out


_SHIELDED_UNTIL: ContextVar[float] = ContextVar("_SHIELDED_UNTIL", default=inf)
"""When the shield around this one ends: no shield inside of another makes it last longer."""


class Shield(tf.Node, id="flow.shield", durable="replayed"):
    """Runs `body` to its end even if everything around it is cancelled meanwhile, for at most so many seconds; `done`.

    For what must not be left half done once it has begun. A body that takes longer is cancelled, and fails with
    `TimeoutError` unless everything was cancelled anyway. A number of seconds below 0, infinite or not a number is an
    error: nothing may hold up a cancellation for ever. The host may allow less (`RunOptions(max_shield=...)`), and a
    shield inside another ends with it at the latest.

    >>> fire("flow.shield", seconds=1, body=lambda: trio.sleep(0.5))
    [('body', {}), ('done', {})]
    """

    enter = tf.ExecIn()
    seconds = tf.DataIn(float, doc="how long the body may take, on trio's clock")
    body = tf.ExecOut(doc="what is not cancelled")
    done = tf.ExecOut(doc="afterwards")

    async def execute(self, ctx: tf.Context) -> tf.ExecOut:
        seconds = expect.at_least_zero("flow.shield", "seconds", await ctx.get_input(self.seconds))
        if seconds == float("inf"):
            raise ValueError("flow.shield needs a number of seconds that ends, got inf.")
        options: tf.RunOptions = ctx.services.get(tf.RunOptions)
        seconds = min(seconds, options.max_shield or inf)
        until = min(trio.current_time() + seconds, _SHIELDED_UNTIL.get())
        around = _SHIELDED_UNTIL.set(until)
        try:
            with trio.CancelScope(deadline=until, shield=True):
                await ctx.trigger(self.body)
                return self.done
        finally:
            _SHIELDED_UNTIL.reset(around)
        await trio.lowlevel.checkpoint_if_cancelled()
        raise TimeoutError(f"flow.shield: the body took longer than {seconds:g} s.")
