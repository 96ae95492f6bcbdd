"""Hooks: telling a command or another program what has happened, in passing."""

from __future__ import annotations

import hashlib
import hmac
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import trio

import trioflow as tf
from trioflow.nodes import _expect as expect
from trioflow.nodes._asking import NEEDS, ApiFailed, ask, json_bytes, new_client
from trioflow.nodes._command import (
    Command,
    CommandFailed,
    CommandNotStarted,
    TooMuchOutput,
    check_arguments,
    check_environment,
    open_command,
)
from trioflow.nodes.http import NotAnswered, TooLarge

if TYPE_CHECKING:
    import httpx

_MOST = 1 << 24


class _Hook(tf.Node, abstract=True):
    enter = tf.ExecIn()
    event = tf.DataIn(object, default=None, doc="what has happened: a value that is told as JSON")
    timeout = tf.DataIn(float, default=30.0, doc="seconds that it may take, on trio's clock")
    required = tf.DataIn(bool, default=True, doc="whether a failure fails the graph; otherwise it is a warning")
    result = tf.DataOut(object, doc="what was answered: JSON as values, or else a text; none after a failure")
    then = tf.ExecOut()

    async def _tell(self, ctx: tf.Context, data: bytes) -> Any:
        """Tell it; gives what was answered."""
        raise NotImplementedError

    async def execute(self, ctx: tf.Context) -> tf.ExecOut:
        node = type(self).type.id
        data = await json_bytes(node, await ctx.get_input(self.event))
        seconds = expect.at_least_zero(node, "seconds", await ctx.get_input(self.timeout))
        result: Any = None
        try:
            in_time = False
            with trio.move_on_after(seconds):
                result = await self._tell(ctx, data)
                in_time = True
            if not in_time:
                raise TimeoutError(f"{node}: it took longer than {seconds:g} s.")
        except (CommandFailed, TooMuchOutput, ApiFailed, TooLarge, OSError) as error:
            if await ctx.get_input(self.required):
                raise
            ctx.emit_feedback(str(error), "warning")
        ctx.set_output(self.result, result)
        return self.then


def _as_value(text: str) -> Any:
    """What was answered: what the JSON stands for, or else the text."""
    try:
        return json.loads(text) if text.strip() else None
    except (ValueError, RecursionError):
        return text


class ShellHook(_Hook, id="hook.shell", durable="recorded"):
    """Runs a command that can read what has happened, as JSON, and gives what it writes.

    With `required=False` a command that fails, takes longer than `timeout` or does not exist is only a warning, which
    observers see. Nothing of it is left behind. For POSIX systems.

    >>> fire("hook.shell", command=["cat"], event={"n": 1}, virtual=False)
    [('then', {'result': {'n': 1}, 'exit_code': 0})]
    """

    command = tf.DataIn(list[str], doc="the program and its arguments; never a text for a shell")
    environment = tf.DataIn(dict[str, str], default={}, doc="variables on top of those of the host")
    folder = tf.DataIn(Path | None, default=None, doc="where it runs, if not where the host does")
    exit_code = tf.DataOut(int, doc="what it ended with")

    async def _tell(self, ctx: tf.Context, data: bytes) -> Any:
        command = check_arguments("hook.shell", await ctx.get_input(self.command))
        environment = check_environment("hook.shell", await ctx.get_input(self.environment))
        folder = await ctx.get_input(self.folder)
        output, errors = bytearray(), bytearray()
        async with open_command("hook.shell", command, folder=folder, environment=environment, grace=2.0) as opened:
            running: Command = opened
            async with trio.open_nursery() as nursery:
                nursery.start_soon(running.feed, data)
                nursery.start_soon(running.output.keep, output, _MOST, nursery.cancel_scope)
                nursery.start_soon(running.errors.keep_last, errors)
                await running.finish()
        if len(output) > _MOST:
            raise TooMuchOutput(f"hook.shell: the command wrote more than {_MOST:,} bytes.")
        ctx.set_output(self.exit_code, running.exit_code)
        if running.exit_code:
            raise CommandFailed("hook.shell", running.name, running.exit_code, errors.decode(errors="replace"))
        return _as_value(output.decode(errors="replace"))


class HttpHook(_Hook, id="hook.http", durable="recorded", capabilities={"network"}):
    """Posts what has happened to a URL, as JSON, and gives what is answered. Needs the extra `http`.

    With a `secret` the receiver can tell who it was: the header `X-Signature-256` is then `sha256=` and the HMAC of
    what is sent, in hexadecimal. `Idempotency-Key` is the same in all attempts, and after a resume. A status of 400 or
    more is `ApiFailed`. With `required=False` that, and a receiver that can't be reached or takes longer than
    `timeout`, is only a warning.

    >>> fire("hook.http", url="http://localhost:9", event={"n": 1}, timeout=0.0, required=False)
    [('then', {'result': None})]
    """

    needs_packages = NEEDS

    url = tf.DataIn(str, doc="who is told, with http:// or https:// in front")
    headers = tf.DataIn(dict[str, str], default={}, doc="what is sent along")
    secret = tf.DataIn(str, default="", secret=True, doc="what both sides know, to sign what is sent")
    status = tf.DataOut(int, doc="such as 200")

    _client: httpx.AsyncClient

    async def setup(self, ctx: tf.SetupContext) -> None:
        self._client = new_client("The node type hook.http")

    async def teardown(self) -> None:
        await self._client.aclose()

    async def _tell(self, ctx: tf.Context, data: bytes) -> Any:
        url, secret = await ctx.get_input(self.url), await ctx.get_input(self.secret)
        headers = {"content-type": "application/json", "idempotency-key": ctx.key}
        if secret:
            headers["x-signature-256"] = "sha256=" + hmac.new(secret.encode(), data, hashlib.sha256).hexdigest()
        headers |= await ctx.get_input(self.headers)
        answer = await ask(self._client, ctx, "POST", url, headers=headers, content=data, most=_MOST)
        ctx.set_output(self.status, answer.status)
        if answer.status >= 400:
            raise await answer.failure()
        return _as_value(answer.data.decode(errors="replace"))


__all__ = ["ApiFailed", "CommandFailed", "CommandNotStarted", "NotAnswered"]
