"""Commands of the system: run, stream, keep running. Never by a shell, and nothing of them is left behind.

When the node is done, has taken too long or is cancelled, its command and all that this has started are ended: asked to
by SIGTERM, and killed after `grace` seconds. They run in a process group of their own, so Ctrl-C does not reach them.
What has left that group, as daemons do (`setsid`), stays where the command has ended by itself; where it has not, it is
ended, too, on Linux.
If the host itself is killed there is nobody left to end them. For POSIX systems.
"""

from __future__ import annotations

import math
import os
import shlex
import shutil
from pathlib import Path
from typing import Any

import trio

import trioflow as tf
from trioflow.nodes import _expect as expect
from trioflow.nodes._command import (
    Command,
    CommandFailed,
    CommandNotStarted,
    TooMuchOutput,
    check_arguments,
    check_environment,
    open_command,
)
from trioflow.nodes._helpers import open_helpers
from trioflow.nodes._slices import in_turns
from trioflow.nodes._text import LineSplitter, decode, decode_steps, encode_steps
from trioflow.nodes.loop import Loop

__all__ = ["CommandFailed", "CommandNotStarted", "TooMuchOutput"]

MOST = 1 << 26


class _WithCommand(tf.Node, abstract=True):
    enter = tf.ExecIn()
    command = tf.DataIn(list[str], doc="the program and its arguments; never a text for a shell")
    folder = tf.DataIn(Path | None, default=None, doc="where it runs, if not where the host does")
    environment = tf.DataIn(dict[str, str], default={}, doc="variables on top of those of the host")
    grace = tf.DataIn(float, default=2.0, doc="seconds from SIGTERM to SIGKILL")

    async def _open(self, ctx: tf.Context) -> Any:
        """The command as a context manager, not started yet."""
        node = type(self).type.id
        grace = expect.at_least_zero(node, "seconds of grace", await ctx.get_input(self.grace))
        if grace == math.inf:
            raise ValueError(f"{node} needs a grace that ends, got inf: it would hold up a cancellation for ever.")
        return open_command(
            node,
            check_arguments(node, await ctx.get_input(self.command)),
            folder=await ctx.get_input(self.folder),
            environment=check_environment(node, await ctx.get_input(self.environment)),
            grace=grace,
        )


class _Running(_WithCommand, abstract=True):
    timeout = tf.DataIn(float | None, default=None, doc="seconds that it may take, on trio's clock; none for any time")
    most = tf.DataIn(int, default=MOST, doc="bytes that are kept of what it writes; more is an error")
    exit_code = tf.DataOut(int, doc="what it ended with; negative for the signal that ended it")
    then = tf.ExecOut(doc="when it ended with exit code 0")
    failed = tf.ExecOut(doc="when it ended with another one")
    timed_out = tf.ExecOut(doc="when it took too long")

    async def _run(self, ctx: tf.Context, given: bytes) -> tuple[tf.ExecOut, bytes, bytes]:
        """How it ended, and what it wrote to output and errors."""
        node, most, seconds = type(self).type.id, await ctx.get_input(self.most), await ctx.get_input(self.timeout)
        seconds = math.inf if seconds is None else expect.at_least_zero(node, "seconds", seconds)
        output, errors = bytearray(), bytearray()
        in_time = False
        async with await self._open(ctx) as opened:
            command: Command = opened
            with trio.move_on_after(seconds):
                async with trio.open_nursery() as nursery:
                    nursery.start_soon(command.feed, given)
                    nursery.start_soon(command.output.keep, output, most, nursery.cancel_scope)
                    nursery.start_soon(command.errors.keep, errors, most, nursery.cancel_scope)
                    await command.finish()
                in_time = True
        for kept, name in ((output, "output"), (errors, "errors")):
            if len(kept) > most:
                raise TooMuchOutput(f"{node}: the command wrote more than {most:,} bytes to its {name}.")
        return self._ending(ctx, command, bytes(errors), seconds if not in_time else None), bytes(output), bytes(errors)

    def _ending(self, ctx: tf.Context, command: Command, errors: bytes, took_longer: float | None) -> tf.ExecOut:
        ctx.set_output(self.exit_code, command.exit_code)
        if took_longer is not None:
            if not ctx.is_connected(self.timed_out):
                raise TimeoutError(f"{type(self).type.id}: {command.name!r} took longer than {took_longer:g} s.")
            return self.timed_out
        if command.exit_code and not ctx.is_connected(self.failed):
            raise CommandFailed(type(self).type.id, command.name, command.exit_code, errors.decode(errors="replace"))
        return self.failed if command.exit_code else self.then


class RunCommand(_Running, id="process.run", durable="recorded"):
    r"""Runs a command to its end, and gives what it wrote. Goes on at `then` if it ended with exit code 0.

    Otherwise at `failed`, and if it took longer than `timeout` at `timed_out`; where these lead nowhere it is an error,
    `CommandFailed`, which repeats the end of what it wrote to its errors, or `TimeoutError`. A command that does not
    exist, a working folder that is none, and output that is not a text or more than `most` bytes are errors.

    It has ended when the command itself has: what it has left running is ended, too, but for daemons, which have left
    its process group. Cancelled at any time: then these are ended as well, on Linux.

    >>> fire("process.run", command=["sort"], input="b\na\n", virtual=False)
    [('then', {'exit_code': 0, 'stdout': 'a\nb\n', 'stderr': ''})]
    """

    input = tf.DataIn(str, default="", doc="what it can read")
    encoding = tf.DataIn(str, default="utf-8", doc="of input and output: a name that Python knows")
    stdout = tf.DataOut(str, doc="what it wrote")
    stderr = tf.DataOut(str, doc="what it wrote to its errors; what is not a text there is replaced")

    async def execute(self, ctx: tf.Context) -> tf.ExecOut:
        encoding = await ctx.get_input(self.encoding)
        given = await in_turns(encode_steps(await ctx.get_input(self.input), encoding, "process.run: input"))
        ending, output, errors = await self._run(ctx, given)
        ctx.set_output(
            self.stdout, await in_turns(decode_steps(output, encoding, "process.run: what the command wrote"))
        )
        ctx.set_output(self.stderr, await in_turns(decode_steps(errors, encoding, "process.run", "replace")))
        return ending


class PipeCommand(_Running, id="process.pipe", durable="recorded"):
    """Runs a command on bytes, and gives the bytes that it wrote; otherwise as `process.run`.

    >>> fire("process.pipe", command=["cat"], input=b"a", virtual=False)
    [('then', {'exit_code': 0, 'output': b'a', 'errors': b''})]
    """

    input = tf.DataIn(bytes, default=b"", doc="what it can read")
    output = tf.DataOut(bytes, doc="what it wrote")
    errors = tf.DataOut(bytes, doc="what it wrote to its errors")

    async def execute(self, ctx: tf.Context) -> tf.ExecOut:
        ending, output, errors = await self._run(ctx, await ctx.get_input(self.input))
        ctx.set_output(self.output, output)
        ctx.set_output(self.errors, errors)
        return ending


class StreamCommand(_WithCommand, id="process.stream", durable="source"):
    r"""Sends each line that a command writes down `body` when it comes; goes on at `done` when it ended well.

    A stream with back-pressure: while lines are worked on the command has to wait. `flow.break` ends the command. One
    that ends with an exit code other than 0 goes on at `failed`, or is an error if that leads nowhere: `CommandFailed`.
    A command that does not exist, output that is not a text, and a line of more than `longest` characters are errors.
    Cancelled at any time.

    >>> for fired in fire("process.stream", command=["printf", "a\\nb\\n"], virtual=False):
    ...     print(fired)
    ('body', {'line': 'a', 'number': 1})
    ('body', {'line': 'b', 'number': 2})
    ('done', {'exit_code': 0, 'stderr': ''})
    """

    input = tf.DataIn(str, default="", doc="what it can read")
    encoding = tf.DataIn(str, default="utf-8", doc="of input and output: a name that Python knows")
    longest = tf.DataIn(int, default=1 << 20, doc="characters of a line at most")
    limit = tf.DataIn(int, default=0, doc="concurrent lines in flight, 0 for any number; the settings' limit wins")
    line = tf.DataOut(str, doc="the line, without its end")
    number = tf.DataOut(int, doc="its number, from 1")
    exit_code = tf.DataOut(int, doc="what it ended with; negative for the signal that ended it")
    stderr = tf.DataOut(str, doc="the last that it wrote to its errors; what is not a text there is replaced")
    body = tf.ExecOut(doc="one line")
    done = tf.ExecOut(doc="when it ended with exit code 0, or `flow.break` ended it")
    failed = tf.ExecOut(doc="when it ended with another one")
    lines = tf.Stream(line, number, fires=body, done=done)

    async def execute(self, ctx: tf.Context) -> tf.ExecOut | None:
        ctx.configure_stream(self.line, limit=await ctx.get_input(self.limit))
        encoding, longest = await ctx.get_input(self.encoding), await ctx.get_input(self.longest)
        given = await in_turns(encode_steps(await ctx.get_input(self.input), encoding, "process.stream: input"))
        split = LineSplitter(encoding, longest, "process.stream: what the command wrote")
        errors = bytearray()
        ended_itself = False
        left = True
        with Loop(ctx) as loop:
            await loop.emit_again(ctx)
            left = False
        if left:
            return None
        async with await self._open(ctx) as opened:
            command: Command = opened
            with Loop(ctx) as loop:
                async with open_helpers() as helpers:
                    helpers.start_soon(command.finish)
                    helpers.start_soon(command.feed, given)
                    helpers.start_soon(command.errors.keep_last, errors)
                    await self._send(ctx, loop, command, split)
                ended_itself = True
        stderr = decode(bytes(errors), encoding, "process.stream", "replace")
        ctx.set_output(self.exit_code, command.exit_code)
        ctx.set_output(self.stderr, stderr)
        if not ended_itself or not command.exit_code:
            return None
        if not ctx.is_connected(self.failed):
            raise CommandFailed("process.stream", command.name, command.exit_code, stderr)
        return self.failed

    async def _send(self, ctx: tf.Context, loop: Loop, command: Command, split: LineSplitter) -> None:
        number = 0
        last = False
        while not last:
            chunk = await command.output.read()
            last = not chunk
            for line in split(chunk, last=last):
                number += 1
                with loop.round:
                    await ctx.emit(self.line, line, {self.number: number})


class KeepCommand(_WithCommand, id="process.alongside", durable="replayed"):
    """Keeps a command running for as long as `body` takes, then ends it and goes on at `done`.

    What it writes is read, so that it never has to wait, and dropped but for the end of its errors. If it ends earlier
    by itself, with an exit code other than 0, the body is cancelled, and it is an error: `CommandFailed`. A command
    that does not exist is an error, too.

    >>> fire("process.alongside", command=["sleep", "60"], virtual=False)
    [('body', {}), ('done', {'stderr': ''})]
    """

    stderr = tf.DataOut(str, doc="the last that it wrote to its errors; what is not a text there is replaced")
    body = tf.ExecOut(doc="what needs it")
    done = tf.ExecOut(doc="when it is gone")

    async def execute(self, ctx: tf.Context) -> tf.ExecOut:
        errors = bytearray()
        failure: list[CommandFailed] = []
        async with await self._open(ctx) as opened:
            command: Command = opened

            async def watch(cancel: trio.CancelScope) -> None:
                await command.finish()
                if command.exit_code:
                    said = errors.decode(errors="replace")
                    failure.append(CommandFailed("process.alongside", command.name, command.exit_code, said))
                    cancel.cancel()

            async with open_helpers() as helpers:
                helpers.start_soon(command.errors.keep_last, errors)
                helpers.start_soon(command.output.keep_last, bytearray())
                helpers.start_soon(watch, helpers.cancel_scope)
                await ctx.trigger(self.body)
                helpers.cancel_scope.cancel()
        if failure:
            raise failure[0]
        ctx.set_output(self.stderr, errors.decode(errors="replace"))
        return self.done


@tf.data_node(id="process.find", durable="recorded", volatile=True)
async def find(name: str) -> str:
    """The path of a program, as the host would find it by its name; empty if there is none.

    >>> trio.run(find, "there is no such program")
    ''
    """
    return await trio.to_thread.run_sync(shutil.which, name) or ""


@tf.data_node(id="process.environment", durable="recorded", volatile=True)
def environment(name: str, default: str = "") -> str:
    """A variable of the host's environment, or a default if it is not set.

    >>> environment("THERE IS NO SUCH VARIABLE", "none")
    'none'
    """
    return os.environ.get(name, default)


@tf.data_node(id="process.split")
def split_command(line: str) -> list[str]:
    """The arguments that a line for a shell stands for, quotes understood, nothing replaced. An open quote is an error.

    >>> split_command("grep -r 'two words' .")
    ['grep', '-r', 'two words', '.']
    """
    try:
        return shlex.split(line)
    except ValueError as error:
        raise ValueError(f"process.split: {expect.short(line)}: {error}.") from None


@tf.data_node(id="process.join")
def join_command(command: list[str]) -> str:
    """A line that stands for the arguments, quoted so that a shell would understand it.

    >>> join_command(["grep", "two words"])
    "grep 'two words'"
    """
    return shlex.join(check_arguments("process.join", command))
