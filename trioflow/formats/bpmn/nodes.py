"""The elements of a process as nodes: what a token does in each of them."""

from __future__ import annotations

from typing import Any

import trio

import trioflow as tf
from trioflow.formats.bpmn import evaluation
from trioflow.formats.bpmn.bus import Wait, hold, release
from trioflow.formats.bpmn.common import (
    DONE,
    OnBus,
    asked,
    first,
    race_of,
    receive,
    see,
    values_of,
    variables_of,
)
from trioflow.formats.bpmn.scripting import Script, script_of


class _Passed(tf.Node, abstract=True):
    enter = tf.ExecIn()
    then = tf.ExecOut()

    async def execute(self, ctx: tf.Context) -> tf.ExecOut:
        return self.then


class StartEvent(_Passed, id="bpmn.start_event", durable="replayed"):
    """Where a process or a sub-process begins."""


class EndEvent(_Passed, id="bpmn.end_event", durable="replayed"):
    """Where a token ends."""


class Event(_Passed, id="bpmn.event", durable="replayed"):
    """An event that has happened."""


class Task(_Passed, id="bpmn.task", durable="replayed"):
    """A task of which nothing is said but that it is done, and a manual task, of which no engine knows more."""


class Gateway(_Passed, id="bpmn.gateway", durable="replayed"):
    """A gateway: how it joins and which ways it takes, its node and its wires say."""


class ScriptTask(tf.Node, id="bpmn.script_task", durable="replayed"):
    """Runs a script over the variables of the graph: assignments, conditions, loops, harmless functions, and print.

    A name is a variable.

    >>> fire("bpmn.script_task", variables={"x": 1}, script="x = x + 1\\nprint(x)")
    2
    [('then', {})]
    """

    enter = tf.ExecIn()
    script = tf.DataIn(str, default="", doc="the text, in Python")
    then = tf.ExecOut()

    async def execute(self, ctx: tf.Context) -> tf.ExecOut:
        _run_script(ctx, script_of(await ctx.get_input(self.script)))
        return self.then


class OtherScriptTask(tf.Node, id="bpmn.other_script_task", durable="replayed"):
    """Runs a script that is not in Python: assignments and prints are understood.

    >>> fire("bpmn.other_script_task", variables={"x": 1}, script="x++; println(x)", language="groovy")
    2
    [('then', {})]
    """

    enter = tf.ExecIn()
    script = tf.DataIn(str, default="", doc="the text")
    language = tf.DataIn(str, default="", doc="its language")
    then = tf.ExecOut()

    async def execute(self, ctx: tf.Context) -> tf.ExecOut:
        _run_script(ctx, script_of(await ctx.get_input(self.script), await ctx.get_input(self.language)))
        return self.then


class ExpressionTask(tf.Node, id="bpmn.expression_task", durable="replayed"):
    """Sets a variable of the graph to what an expression over the variables is.

    >>> fire("bpmn.expression_task", variables={"x": 1, "y": 0}, expression="x + 1", result="y")
    [('then', {})]
    """

    enter = tf.ExecIn()
    expression = tf.DataIn(str, doc="the text")
    result = tf.DataIn(str, doc="the variable that gets its value")
    then = tf.ExecOut()

    async def execute(self, ctx: tf.Context) -> tf.ExecOut:
        ctx.set_variable(await ctx.get_input(self.result), asked(ctx, await ctx.get_input(self.expression)))
        return self.then


def _run_script(ctx: tf.Context, script: Script) -> None:
    values = variables_of(ctx, script.touched)
    evaluation.run(script.action, values, _show, f"The script of {ctx.node.id!r}")
    for name in script.written:
        if name in values:
            ctx.set_variable(name, values[name])


def _show(text: str) -> None:
    print(text)  # noqa: T201 - this is what a script's print does


class NoWay(tf.Node, id="bpmn.no_way", durable="replayed"):
    """Where a token comes to that leaves a gateway of which no condition holds and that has no default: it fails."""

    enter = tf.ExecIn()
    element = tf.DataIn(str, doc="the id of the gateway")

    async def execute(self, ctx: tf.Context) -> None:
        raise tf.NoWay(
            f"{await ctx.get_input(self.element)!r}: no condition of its flows holds, and it has no default flow. Give "
            "it one."
        )


# --- waiting ---


class _Waiting(OnBus, abstract=True):
    enter = tf.ExecIn()
    waits = tf.DataIn(list, doc="the events: mappings with element, kind, name, form")
    then = tf.ExecOut()

    async def execute(self, ctx: tf.Context) -> tf.ExecOut:
        race = await first(self.bus, ctx, map(Wait.of, await ctx.get_input(self.waits)))
        receive(ctx, race)
        return self.then


class CatchEvent(_Waiting, id="bpmn.catch_event", durable="replayed"):
    """Waits for a message, a signal, a time or a condition, then goes on; of several for the first, or for `all`.

    Whoever runs the graph sends with `run.publish(NAME, payload)`, and to a run that is kept with `send_signal`. The
    entries of a payload that is a mapping are set as variables.
    """

    all = tf.DataIn(bool, default=False, doc="whether all of the events are waited for")

    async def execute(self, ctx: tf.Context) -> tf.ExecOut:
        if not await ctx.get_input(self.all):
            return await super().execute(ctx)
        waits = [*map(Wait.of, await ctx.get_input(self.waits))]
        races = [race_of(ctx) for _ in waits]
        async with trio.open_nursery() as nursery:
            for wait, race in zip(waits, races, strict=True):
                nursery.start_soon(first, self.bus, ctx, [wait], race)
        for race in races:
            receive(ctx, race)
        return self.then


class ReceiveTask(_Waiting, id="bpmn.receive_task", durable="replayed"):
    """Waits for a message, as `bpmn.catch_event` does."""


class UserTask(_Waiting, id="bpmn.user_task", durable="replayed"):
    """Waits until somebody says that it is done: by the message whose name is the id of the task."""

    async def execute(self, ctx: tf.Context) -> tf.ExecOut:
        ctx.emit_feedback(f"{ctx.node.id!r} waits until it is done: publish or send {ctx.node.id!r}")
        return await super().execute(ctx)


class EventGateway(OnBus, id="bpmn.event_gateway", durable="replayed"):
    """Waits for the first of several events, and goes on at `caught`; `event` is the id of the one that came."""

    enter = tf.ExecIn()
    waits = tf.DataIn(list, doc="the events: mappings with element, kind, name, form")
    event = tf.DataOut(str, doc="the id of the element whose event came")
    caught = tf.ExecOut()

    async def execute(self, ctx: tf.Context) -> tf.ExecOut:
        race = await first(self.bus, ctx, map(Wait.of, await ctx.get_input(self.waits)))
        receive(ctx, race)
        assert race.winner is not None
        ctx.set_output(self.event, race.winner.element)
        return self.caught


class Listen(tf.Node, id="bpmn.listen", durable="replayed", listens="event"):
    """Hands on what whoever runs the graph publishes: a message, or a signal."""

    event = tf.DataIn(str, names="event", doc="an event that the graph declares, as a literal")
    kind = tf.DataIn(str, default="message", doc="message or signal")
    then = tf.ExecOut(doc="when those that waited for it have it")

    async def setup(self, ctx: tf.SetupContext) -> None:
        self._services = ctx.services
        self._bus = hold(ctx.services)

    async def teardown(self) -> None:
        release(self._services)

    async def execute(self, ctx: tf.Context) -> tf.ExecOut:
        send = self._bus.signal if await ctx.get_input(self.kind) == "signal" else self._bus.send
        send(await ctx.get_input(self.event), ctx.payload)
        return self.then


# --- throwing ---


class ThrowEvent(OnBus, id="bpmn.throw_event", durable="replayed"):
    """Sends a message, which one receiver takes, or a signal, which all get that wait for it; then goes on.

    Of the variables in `data` the values are sent along.
    """

    enter = tf.ExecIn()
    kind = tf.DataIn(str, default="message", doc="message or signal")
    name = tf.DataIn(str, doc="its name")
    data: tf.DataIn[Any] = tf.DataIn(list, default=[], doc="the names of variables")
    then = tf.ExecOut()

    async def execute(self, ctx: tf.Context) -> tf.ExecOut:
        name, payload = await ctx.get_input(self.name), values_of(ctx, await ctx.get_input(self.data))
        if await ctx.get_input(self.kind) == "signal":
            see(ctx, self.bus.signal(name, payload))
        else:
            self.bus.send(name, payload)
        return self.then


class CompensateEvent(tf.Node, id="bpmn.compensate_event", durable="replayed"):
    """Undoes activities that have completed, the last first: each by `undo`, with its id as `activity`."""

    enter = tf.ExecIn()
    activities: tf.DataIn[Any] = tf.DataIn(list, default=[], doc="the ids of those that it undoes")
    activity = tf.DataOut(str, doc="the id of the one that is to be undone")
    undo = tf.ExecOut()
    then = tf.ExecOut()

    async def execute(self, ctx: tf.Context) -> tf.ExecOut:
        meant = set(await ctx.get_input(self.activities))
        done: list[str] = list(ctx.get_variable(DONE) or ())
        ctx.set_variable(DONE, [each for each in done if each not in meant])
        for each in reversed(done):
            if each in meant:
                await ctx.trigger(self.undo, {self.activity: each})
        return self.then
