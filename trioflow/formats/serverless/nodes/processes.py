"""Tasks that run something: shell commands, scripts, other workflows."""

from __future__ import annotations

import shutil
import sys
import tempfile
import urllib.parse
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

import trio

import trioflow as tf
from trioflow.formats.serverless.calling import as_text, content_of, endpoint_of, exchange, texts_of
from trioflow.formats.serverless.session import session_of
from trioflow.formats.serverless.task import Composite, Doing, Task, part
from trioflow.nodes._command import check_arguments, check_environment, open_command

_MOST = 1 << 26
_GRACE = 2.0

_LANGUAGES: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "javascript": (".mjs", ("node",)),
    "js": (".mjs", ("node",)),
    "python": (".py", (sys.executable,)),
}
"""By language the end of a file's name, and the programs that may run it."""


class _Running(Task, abstract=True):
    """A process: its input, arguments and environment, and what of it is the output."""

    async def _ended(self, doing: Doing, described: Mapping[str, Any], command: list[str]) -> Any:
        node = type(self).type.id
        given = doing.fill(described.get("stdin"))
        added = texts_of(doing, doing.fill(described.get("environment", {})), "environment")
        arguments = doing.fill(described.get("arguments") or [])
        output, errors = bytearray(), bytearray()
        async with open_command(
            node,
            check_arguments(node, [*command, *map(as_text, arguments)]),
            folder=None,
            environment=check_environment(node, added),
            grace=_GRACE,
        ) as process:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(process.feed, b"" if given is None else as_text(given).encode())
                nursery.start_soon(process.output.keep, output, _MOST, nursery.cancel_scope)
                nursery.start_soon(process.errors.keep, errors, _MOST, nursery.cancel_scope)
                await process.finish()
            if max(len(output), len(errors)) > _MOST:
                raise doing.failed("runtime", f"It wrote more than {_MOST:,} bytes.")
            code = process.exit_code
        stdout, stderr = (each.decode(errors="replace") for each in (output, errors))
        said: dict[str, Any] = {"code": code, "stdout": stdout, "stderr": stderr}
        wanted = part(doing.definition, "run").get("return", "stdout")
        if code != 0 and wanted not in {"code", "all"}:
            last = stderr.strip().splitlines()[-1:]
            raise doing.failed("runtime", f"It ended with exit code {code}{': ' + last[0] if last else ''}.")
        return doing.input if wanted == "none" else said if wanted == "all" else said[wanted]


class RunShell(_Running, id="serverless.run_shell", durable="recorded", capabilities={"processes", "scripts"}):
    """Runs a command by the shell `sh`, and gives what it wrote."""

    async def perform(self, doing: Doing) -> Any:
        described = part(part(doing.definition, "run"), "shell")
        return await self._ended(doing, described, ["sh", "-c", str(doing.fill(described["command"])), "sh"])


class RunScript(_Running, id="serverless.run_script", durable="recorded", capabilities={"processes", "scripts"}):
    """Runs a script in a process of its own, by `node` or Python, and gives what it wrote."""

    async def perform(self, doing: Doing) -> Any:
        described = part(part(doing.definition, "run"), "script")
        language = str(described["language"]).lower()
        suffix, programs = _LANGUAGES.get(language, ("", ()))
        program = next(filter(None, map(shutil.which, programs)), None)
        if program is None:
            known = "is not here" if programs else "is not understood; javascript and python are"
            raise doing.failed("configuration", f"What runs {language!r} {known}.")
        code = described.get("code")
        if code is None:
            code = await _fetched(doing, part(described, "source"))
        with tempfile.TemporaryDirectory(prefix="trioflow-") as folder:
            path = Path(folder) / f"script{suffix}"
            await trio.Path(path).write_text(str(doing.fill(code)), encoding="utf-8")
            return await self._ended(doing, described, [program, str(path)])


async def _fetched(doing: Doing, source: Mapping[str, Any]) -> str:
    uri, _ = endpoint_of(doing, source["endpoint"])
    if uri.startswith("file:"):
        path = urllib.parse.unquote(uri.removeprefix("file://").removeprefix("file:"))
        try:
            return await trio.Path(path).read_text(encoding="utf-8")
        except (OSError, UnicodeError) as error:
            raise doing.failed("configuration", f"{uri} can't be read: {error}.") from None
    async with session_of(doing.ctx) as session:
        answer = await exchange(doing, session, "GET", uri, {})
    if answer.status_code != 200:
        raise doing.failed("communication", f"{uri} answered {answer.status_code}.", answer.status_code)
    return str(content_of(answer))


class Delegate(Composite, id="serverless.delegate", durable="replayed"):
    """Leaves the work to the node behind `call`: another workflow, or what a host does in its place.

    That is given what the task calls with, or else its input.
    """

    given: tf.DataOut[Any] = tf.DataOut(object, doc="what that node is given")
    result: tf.DataIn[Any] = tf.DataIn(object, default=None, doc="what it gave")
    call = tf.ExecOut(doc="who does the work")

    async def perform(self, doing: Doing) -> Any:
        ctx, definition = doing.ctx, doing.definition
        run = part(definition, "run")
        described = part(run, "workflow").get("input") if "workflow" in run else definition.get("with", run or None)
        given = doing.input if described is None else doing.fill(without_subscription(described))
        await ctx.trigger(self.call, {self.given: given})
        return doing.input if run.get("return") == "none" else await ctx.get_input(self.result)


def without_subscription(given: Any) -> Any:
    """What a call is given, but for its subscription, whose expressions are about messages."""
    if isinstance(given, Mapping) and "subscription" in given:
        return {key: value for key, value in cast("Mapping[str, Any]", given).items() if key != "subscription"}
    return given
