"""Other people's code: functions in Python, lines for a shell, PowerShell. Only where the host allows it.

Each script has a process of its own while it runs, with limits of time and memory, and nothing of it is left behind.
The limits are for accidents: a script may do whatever the host's user may do. For POSIX systems.
"""

from __future__ import annotations

import json
import keyword
import math
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

import trio

import trioflow as tf
from trioflow.model.node_type import Configured
from trioflow.model.values import own_copy
from trioflow.nodes import _expect as expect
from trioflow.nodes._command import Command, CommandFailed, CommandNotStarted, TooMuchOutput, open_command
from trioflow.nodes._names import Find, Named, check_keys, further_inputs, named_types
from trioflow.nodes._script import Printed, Refused, line_of, run_script
from trioflow.nodes._slices import in_turns
from trioflow.nodes._text import decode_steps, encode_steps
from trioflow.nodes._workshop import (
    Done,
    Job,
    ScriptEnded,
    ScriptFailed,
    Scripts,
    ScriptTimeout,
    Workshop,
    enter_workshop,
    failure_of,
    leave_workshop,
    settings_of,
)

__all__ = ["CommandFailed", "CommandNotStarted", "ScriptEnded", "ScriptFailed", "ScriptTimeout", "Scripts"]

MEMORY = 1 << 29
MOST = 1 << 26


async def _limits(node: tf.Node, ctx: tf.Context, timeout: Any, memory: Any) -> tuple[float, int]:
    name, seconds, most = type(node).type.id, await ctx.get_input(timeout), await ctx.get_input(memory)
    if most < 1:
        raise ValueError(f"{name} needs memory of 1 byte or more, got {expect.short(most)}.")
    return math.inf if seconds is None else expect.at_least_zero(name, "seconds", seconds), min(most, 1 << 62)


class PythonScript(Named, id="script.python", durable="recorded"):
    """Runs a text as the body of a Python function, and gives what it returns, or has set as `result`.

    The inputs that `config` names (`inputs: [a, b]`) are names in it; one that has got no value is not there. `outputs`
    in `config` names data outputs: variables that the script sets, or keys of the dictionary that it returns. `state`
    is how it knows the run: `state.get(variable)`, `state.set(variable, value)`, `state.progress(done, total)`,
    `state.log(message, level)`. What it sets counts once it has ended well. What it prints is the output `printed`.

    It is compiled once, and has globals of its own each time. It runs in a process that is kept for the next script of
    the run. `where="here"` runs it in the host's process instead, where it is quick and can't be interrupted, if the
    host allows that by `services={trioflow.Scripts: trioflow.Scripts(here=True)}`. Values that leave a script are
    numbers, texts, bytes, lists, tuples, dictionaries, sets, dates and durations. What it raises, and a script that
    can't be compiled, is `ScriptFailed`; one that takes longer than `timeout` is killed, and is `ScriptTimeout`.

    >>> fire("script.python", code="total = a + b\\nresult = total * 2", inputs={"a": 1, "b": 2}, virtual=False)
    [('then', {'result': 6, 'printed': ''})]
    """

    code = tf.DataIn(str, doc="the body of a function, in Python")
    timeout = tf.DataIn(float | None, default=60.0, doc="seconds that it may take, on trio's clock; none for any time")
    memory = tf.DataIn(int, default=MEMORY, doc="bytes that it may take")
    where: tf.DataIn[Any] = tf.DataIn(Literal["process", "here"], default="process", doc="where it runs")
    result = tf.DataOut(object, doc="what it has returned, or set as `result`")
    printed = tf.DataOut(str, doc="what it has printed")
    then = tf.ExecOut()

    _workshop: Workshop

    @classmethod
    def configured(cls, config: Mapping[str, Any], find: Find) -> Configured:
        check_keys(config, "inputs", "outputs")
        outputs = {name: tf.DataOut(type_) for name, type_ in named_types(config, "outputs").items()}
        return Configured({**further_inputs(config), **outputs})

    async def setup(self, ctx: tf.SetupContext) -> None:
        self._services = ctx.services
        self._workshop = enter_workshop(ctx.services)

    async def teardown(self) -> None:
        await leave_workshop(self._services, self._workshop)

    async def execute(self, ctx: tf.Context) -> tf.ExecOut:
        code, names, where = await ctx.get_input(self.code), await self._names(ctx), await ctx.get_input(self.where)
        seconds, memory = await _limits(self, ctx, self.timeout, self.memory)
        for name in names:
            if not name.isidentifier() or keyword.iskeyword(name):
                raise ValueError(f"script.python: {expect.short(name)} can't be a name in a script.")
        outputs = [*ctx.node.config.get("outputs", ())]
        if where == "here":
            done = _here(ctx, code, names, outputs)
        else:
            job = Job("script.python", "script", code, names, outputs, memory, seconds)
            done = await self._workshop.do(job, ctx)
        for name, value in done.written.items():
            ctx.set_variable(name, value)
        for name, value in done.outputs.items():
            ctx.set_output(name, value)
        ctx.set_output(self.result, done.result)
        ctx.set_output(self.printed, done.printed)
        return self.then


class _State:
    """What a script in the host's process is told of the run, and tells it."""

    def __init__(self, ctx: tf.Context) -> None:
        self._ctx = ctx
        self.written: dict[str, Any] = {}
        self.progress = ctx.report_progress

    def get(self, variable: str) -> Any:
        return self.written[variable] if variable in self.written else own_copy(self._ctx.get_variable(variable))

    def set(self, variable: str, value: Any) -> None:
        self.written[variable] = value

    def log(self, message: Any, level: Any = "info") -> None:
        self._ctx.emit_feedback(str(message), level)


def _here(ctx: tf.Context, code: str, names: Mapping[str, Any], outputs: list[str]) -> Done:
    if not settings_of(ctx.services).here:
        raise ScriptFailed(
            "script.python: this host runs no scripts in its own process. Leave out where='here', or allow it: "
            "services={trioflow.Scripts: trioflow.Scripts(here=True)}."
        )
    state, printed = _State(ctx), Printed()

    def show(*values: object, sep: str = " ", end: str = "\n", **_: Any) -> None:
        print(*values, sep=sep, end=end, file=printed)

    try:
        own = {name: own_copy(value) for name, value in names.items()}
        result, left = run_script(code, own, outputs, state, show)
    except Refused as error:
        raise ScriptFailed(f"script.python: {str(error).rstrip('.')}.") from None
    except Exception as error:
        raise failure_of("script.python", type(error).__name__, str(error), line_of(error), "") from error
    return Done(result, left, state.written, printed.getvalue())


class _Shell(Named, abstract=True):
    """A script for a program that reads scripts."""

    code = tf.DataIn(str, doc="the script")
    stdin = tf.DataIn(str, default="", doc="what it can read")
    folder = tf.DataIn(Path | None, default=None, doc="where it runs, if not where the host does")
    timeout = tf.DataIn(float | None, default=60.0, doc="seconds that it may take, on trio's clock; none for any time")
    memory = tf.DataIn(int, default=MEMORY, doc="bytes that each of its processes may take")
    most = tf.DataIn(int, default=MOST, doc="bytes that are kept of what it writes; more is an error")
    grace = tf.DataIn(float, default=2.0, doc="seconds from SIGTERM to SIGKILL")
    result = tf.DataOut(str, doc="what it wrote, without the end of the last line")
    stdout = tf.DataOut(str, doc="what it wrote")
    stderr = tf.DataOut(str, doc="what it wrote to its errors; what is not a text there is replaced")
    exit_code = tf.DataOut(int, doc="what it ended with: 0, for others are errors")
    then = tf.ExecOut()

    async def _command(self, code: str) -> list[str]:
        raise NotImplementedError

    async def execute(self, ctx: tf.Context) -> tf.ExecOut:
        node, settings = type(self).type.id, settings_of(ctx.services)
        code, names, most = await ctx.get_input(self.code), await self._names(ctx), await ctx.get_input(self.most)
        seconds, memory = await _limits(self, ctx, self.timeout, self.memory)
        grace = expect.at_least_zero(node, "seconds of grace", await ctx.get_input(self.grace))
        given = await in_turns(encode_steps(await ctx.get_input(self.stdin), "utf-8", f"{node}: stdin"))
        limits = [str(memory >> 10), str(settings.disk >> 9)]
        command = ["/bin/sh", "-c", _LIMITED, "sh", *limits, *await self._command(code)]
        opened = open_command(
            node,
            command,
            folder=await ctx.get_input(self.folder),
            environment=_environment(node, settings, names),
            grace=min(grace, 60.0),
        )
        output, errors = bytearray(), bytearray()
        exit_code: int | None = None
        with trio.move_on_after(seconds):
            async with opened as running:
                await _finish(running, given, output, errors, most)
            exit_code = running.exit_code
        if exit_code is None:
            raise ScriptTimeout(f"{node}: it took longer than {seconds:g} s, and was ended.")
        for kept, name in ((output, "output"), (errors, "errors")):
            if len(kept) > most:
                raise TooMuchOutput(f"{node}: it wrote more than {most:,} bytes to its {name}.")
        if exit_code:
            raise CommandFailed(node, "the script", exit_code, errors.decode(errors="replace"))
        text = await in_turns(decode_steps(bytes(output), "utf-8", f"{node}: what it wrote"))
        ctx.set_output(self.result, text.removesuffix("\n"))
        ctx.set_output(self.stdout, text)
        ctx.set_output(self.stderr, errors.decode(errors="replace"))
        ctx.set_output(self.exit_code, exit_code)
        return self.then


_LIMITED = 'ulimit -v "$1" 2>/dev/null; ulimit -f "$2" 2>/dev/null; shift 2; exec "$@"'
"""Sets the limits, in kilobytes and in blocks of 512, and becomes what is to be run."""


async def _finish(command: Command, given: bytes, output: bytearray, errors: bytearray, most: int) -> None:
    async with trio.open_nursery() as nursery:
        nursery.start_soon(command.feed, given)
        nursery.start_soon(command.output.keep, output, most, nursery.cancel_scope)
        nursery.start_soon(command.errors.keep, errors, most, nursery.cancel_scope)
        await command.finish()


def _environment(node: str, settings: Scripts, names: Mapping[str, Any]) -> dict[str, str]:
    """The names as variables of the environment: texts as they are, all else as JSON."""
    environment = settings.own_environment()
    for name, value in names.items():
        if not name.isidentifier():
            raise ValueError(f"{node}: {expect.short(name)} can't be the name of a variable in a script.")
        try:
            text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
        except (TypeError, ValueError, RecursionError) as error:
            raise ValueError(f"{node}: {name} can't be written for a script: {error}.") from None
        if "\0" in text:
            raise ValueError(f"{node}: {name} holds a null character, which no variable of the environment can hold.")
        environment[name] = text
    return environment


class ShellScript(_Shell, id="script.shell", durable="recorded"):
    """Runs a text by `/bin/sh`, and gives what it writes. An exit code other than 0 is an error, `CommandFailed`.

    The inputs that `config` names are variables of its environment: texts as they are, other values as JSON. Write
    them in quotes, `"$name"`: what they hold is then never read as code. Other variables of the host are not there, but
    for `PATH`, `HOME`, `LANG` and `TMPDIR`. It is ended with all that it has started when it has taken too long, when
    it is cancelled, and what is left of its group when it is done.

    >>> fire("script.shell", code='echo "$greeting, $#"', inputs={"greeting": "hello"}, virtual=False)
    [('then', {'result': 'hello, 0', 'stdout': 'hello, 0\\n', 'stderr': '', 'exit_code': 0})]
    """

    async def _command(self, code: str) -> list[str]:
        return ["/bin/sh", "-c", code]


class PowerShellScript(_Shell, id="script.powershell", durable="recorded"):
    """Runs a text by PowerShell, if `pwsh` is there, and gives what it writes; otherwise as `script.shell`.

    The inputs that `config` names are variables of its environment: `$env:name`.

    >>> try:
    ...     fire("script.powershell", code="Write-Error $env:reason; exit 3", inputs={"reason": "no"}, virtual=False)
    ... except (CommandFailed, CommandNotStarted) as error:  # the second where there is no PowerShell
    ...     print("failed")
    failed
    """

    memory = tf.DataIn(int, default=1 << 40, doc="bytes that each of its processes may take: .NET reserves a lot")

    async def _command(self, code: str) -> list[str]:
        program = await trio.to_thread.run_sync(shutil.which, "pwsh")
        if program is None:
            raise CommandNotStarted(
                "script.powershell: there is no PowerShell here. Install it so that `pwsh` is found on the PATH "
                "(https://aka.ms/powershell), or give the node a body of your own."
            )
        return [program, "-NoLogo", "-NoProfile", "-NonInteractive", "-Command", code]
