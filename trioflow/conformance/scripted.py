"""The scripted node types on this engine (spec/INTERPRETING.md, 4 and 5): their contexts do what scripts ask for."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import trio
from trio.lowlevel import checkpoint_if_cancelled

import trioflow as tf
from trioflow.contract.script import CANCELLATION_POINTS, DATA_EFFECTS, Effects, Script
from trioflow.runtime.base.failure import leaves
from trioflow.runtime.base.schedule import current_schedule


class ScriptFailed(Exception):
    """What the operation `fail` raises, and a setup or teardown that is to fail."""


class Diary:
    """What nodes note outside of the trace: a service of each run. `began` is when it began, in seconds."""

    def __init__(self) -> None:
        self.life: list[str] = []
        self.began = 0.0


def codes_of(error: BaseException) -> list[str]:
    """What the contract calls a failure, sorted; several for a group (spec/INTERPRETING.md, 6)."""
    return sorted({_code_of(each) for each in leaves(error) if not isinstance(each, trio.Cancelled)})


def _code_of(error: BaseException) -> str:
    if isinstance(error, ScriptFailed):
        return f"fail: {error}"
    if isinstance(error, tf.LimitExceeded):
        return error.limit
    for kind, code in _CODES.items():
        if isinstance(error, kind):
            return code
    return f"{type(error).__name__}: {error}"  # no graph of the kit can bring this about


_CODES: dict[type[BaseException], str] = {
    tf.MissingInput: "missing-input", tf.CoercionError: "coercion", tf.DataNodeEffect: "data-node-effect",
    tf.UnknownSocket: "unknown-socket", tf.UnknownName: "unknown-name", tf.ConcurrentTrigger: "concurrent-trigger",
    tf.MergeError: "merge", tf.JoinUnmet: "join-unmet", tf.NoWay: "no-way", tf.ExpressionFailed: "condition",
}  # fmt: skip


async def run_script(ctx: Any, actions: dict[str, Callable[..., Awaitable[Any]]], effects: Effects) -> str | None:
    """Do what a script asks for. Returns the exec output to hand over to."""
    answer: Any = None
    failure: BaseException | None = None
    while True:
        try:
            effect = effects.send(answer) if failure is None else effects.throw(failure)
        except StopIteration as stop:
            return stop.value  # type: ignore[no-any-return]
        answer, failure = None, None
        kind, *arguments = effect
        try:
            if kind in CANCELLATION_POINTS and kind in actions:
                await checkpoint_if_cancelled()
            action: Callable[..., Awaitable[Any]] = actions.get(kind, _refuse)
            answer = await action(ctx, *arguments)
        except BaseException as error:  # the script sees cancellations too, for its `finally`, and raises them again
            failure = error


def _script() -> Script:
    return Script(lambda error: ", ".join(codes_of(error)))


async def _refuse(ctx: Any, *_arguments: Any) -> None:
    ctx.trigger  # noqa: B018 - a data node's context says that it must not


async def _park(letter: str, ctx: Any) -> None:
    schedule = current_schedule.get()
    if schedule is not None:
        path = ".".join(map(str, ctx.path)) or "root"
        await schedule.turn(f"{letter} {path} {ctx.node.id}")


async def _get(ctx: Any, socket: str) -> Any:
    return await ctx.get_input(socket)


async def _tryget(ctx: Any, socket: str, otherwise: Any) -> Any:
    return await ctx.try_get_input(socket, otherwise)


async def _set(ctx: Any, socket: str, value: Any) -> None:
    ctx.set_output(socket, value)


async def _getvar(ctx: Any, name: str) -> Any:
    return ctx.get_variable(name)


async def _setvar(ctx: tf.Context, name: str, value: Any) -> None:
    ctx.set_variable(name, value)


async def _getstate(ctx: tf.Context, key: str) -> Any:
    return ctx.state.get(key)


async def _setstate(ctx: tf.Context, key: str, value: Any) -> None:
    ctx.state[key] = value


async def _trigger(ctx: tf.Context, socket: str, *values: Any) -> None:
    outputs, value = values if len(values) == 2 else ((), None)
    await ctx.trigger(socket, dict.fromkeys(outputs, value))


async def _emit(ctx: tf.Context, value: Any) -> None:
    await ctx.emit("item", value)


async def _join(ctx: tf.Context) -> None:
    await ctx.join()


async def _failures(ctx: tf.Context) -> int:
    return len(ctx.failures())


async def _branches(ctx: Any, sockets: Sequence[str], effects: Effects) -> str | None:
    for socket in sockets:
        ctx.targets_of(socket)  # T4: all are there, or nothing is forked
    async with ctx.branches() as branches:
        for socket in sockets:
            branches.start(socket)
        return await run_script(ctx, EXEC, effects)


async def _twice(ctx: tf.Context, socket: str) -> None:
    try:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(ctx.trigger, socket)
            nursery.start_soon(ctx.trigger, socket)
    except BaseExceptionGroup as group:
        raise group.exceptions[0] from None


async def _publish(ctx: tf.Context, event: str, value: Any) -> None:
    await ctx.publish(event, value)


async def _payload(ctx: tf.Context) -> Any:
    return ctx.payload


async def _entered(ctx: tf.Context) -> str | None:
    return ctx.entered


async def _feedback(ctx: tf.Context, value: Any) -> None:
    ctx.emit_feedback("script", tag=value)


async def _sleep(ctx: Any, ticks: int) -> None:
    if ticks:
        await trio.sleep(ticks)
    await _park("w", ctx)


async def _now(ctx: Any) -> int:
    diary: Diary = ctx.services.get(Diary)
    return round(trio.current_time() - diary.began)


async def _within(ctx: tf.Context, ticks: int, effects: Effects) -> tuple[bool, str | None]:
    way = None
    with ctx.time_limit(ticks) as limit:
        way = await run_script(ctx, EXEC, effects)
    if limit.expired:
        await _park("m", ctx)
    return limit.expired, way


async def _fail(_ctx: Any, text: str) -> None:
    raise ScriptFailed(text)


EXEC: dict[str, Callable[..., Awaitable[Any]]] = {
    "get": _get, "tryget": _tryget, "set": _set, "getvar": _getvar, "setvar": _setvar, "getstate": _getstate,
    "setstate": _setstate, "trigger": _trigger, "emit": _emit, "join": _join, "failures": _failures,
    "branches": _branches, "twice": _twice, "publish": _publish, "payload": _payload, "entered": _entered,
    "feedback": _feedback, "sleep": _sleep, "now": _now, "within": _within, "fail": _fail,
}  # fmt: skip
DATA = {kind: action for kind, action in EXEC.items() if kind in DATA_EFFECTS}


class Exec(tf.Node, id="script.exec"):
    """Runs a script, with a stream of items."""

    enter = tf.ExecIn()
    again = tf.ExecIn()
    script = tf.DataIn()
    a = tf.DataIn(default=None)
    life = tf.DataIn(default=None)
    b = tf.DataIn(default=None, lazy=True)
    x = tf.DataOut()
    y = tf.DataOut()
    item = tf.DataOut()
    o0 = tf.ExecOut()
    o1 = tf.ExecOut()
    o2 = tf.ExecOut()
    body = tf.ExecOut()
    done = tf.ExecOut()
    items = tf.Stream(item, fires=body, done=done)

    def __init__(self) -> None:
        self._down: Callable[[], None] = lambda: None

    async def setup(self, ctx: tf.SetupContext) -> None:
        life = ctx.node.inputs.get("life")
        if not life:
            return
        if life[0] == "fail":
            raise ScriptFailed(f"setup {ctx.node.id}")
        diary, node = ctx.services.get(Diary), ctx.node.id
        diary.life.append(f"up {node}")

        def down() -> None:
            diary.life.append(f"down {node}")
            if life[1] == "fail":
                raise ScriptFailed(f"teardown {node}")

        self._down = down

    async def teardown(self) -> None:
        self._down()

    async def execute(self, ctx: tf.Context) -> Any:
        return await _execute(ctx)


class Endless(tf.Node, id="script.endless"):
    """Runs a script, with a stream that discards its items (S6)."""

    enter = tf.ExecIn()
    script = tf.DataIn()
    a = tf.DataIn(default=None)
    b = tf.DataIn(default=None, lazy=True)
    x = tf.DataOut()
    y = tf.DataOut()
    item = tf.DataOut()
    o0 = tf.ExecOut()
    o1 = tf.ExecOut()
    o2 = tf.ExecOut()
    body = tf.ExecOut()
    items = tf.Stream(item, fires=body, discard=True)

    async def execute(self, ctx: tf.Context) -> Any:
        return await _execute(ctx)


class Listen(tf.Node, id="script.listen", listens="event"):
    """Runs a script each time an event is published (B1)."""

    script = tf.DataIn()
    a = tf.DataIn(default=None)
    event = tf.DataIn(str, names="event")
    b = tf.DataIn(default=None, lazy=True)
    x = tf.DataOut()
    y = tf.DataOut()
    o0 = tf.ExecOut()
    o1 = tf.ExecOut()
    o2 = tf.ExecOut()

    async def execute(self, ctx: tf.Context) -> Any:
        return await _execute(ctx)


class Strict(tf.Node, id="script.strict"):
    """Runs a script, with typed inputs."""

    enter = tf.ExecIn()
    script = tf.DataIn()
    n = tf.DataIn(int)
    m = tf.DataIn(int, lazy=True)
    x = tf.DataOut()
    y = tf.DataOut()
    o0 = tf.ExecOut()
    o1 = tf.ExecOut()
    o2 = tf.ExecOut()

    async def execute(self, ctx: tf.Context) -> Any:
        return await _execute(ctx)


class Data(tf.Node, id="script.data"):
    """Runs a script as a data node."""

    script = tf.DataIn()
    a = tf.DataIn(default=None)
    b = tf.DataIn(default=None)
    c = tf.DataIn(default=None, lazy=True)
    d = tf.DataIn(default=None, lazy=True)
    x = tf.DataOut()
    y = tf.DataOut()

    async def execute(self, ctx: tf.DataContext) -> None:
        await _evaluate(ctx)


class Volatile(tf.Node, id="script.volatile", volatile=True):
    """Runs a script as a volatile data node (D6)."""

    script = tf.DataIn()
    a = tf.DataIn(default=None)
    b = tf.DataIn(default=None)
    c = tf.DataIn(default=None, lazy=True)
    d = tf.DataIn(default=None, lazy=True)
    x = tf.DataOut()
    y = tf.DataOut()

    async def execute(self, ctx: tf.DataContext) -> None:
        await _evaluate(ctx)


class Number(tf.Node, id="script.number"):
    """Runs a script as a data node, from a number to a number."""

    script = tf.DataIn()
    n = tf.DataIn(int)
    x = tf.DataOut(int)

    async def execute(self, ctx: tf.DataContext) -> None:
        await _evaluate(ctx)


class Text(tf.Node, id="script.text"):
    """Runs a script as a data node, from a text to a text."""

    script = tf.DataIn()
    t = tf.DataIn(str, default="")
    x = tf.DataOut(str)

    async def execute(self, ctx: tf.DataContext) -> None:
        await _evaluate(ctx)


async def _execute(ctx: tf.Context) -> Any:
    return await run_script(ctx, EXEC, _script().run(ctx.node.inputs["script"]))


async def _evaluate(ctx: tf.DataContext) -> None:
    await run_script(ctx, DATA, _script().run(ctx.node.inputs["script"]))


NODE_TYPES = (Exec, Endless, Listen, Strict, Data, Volatile, Number, Text)
