"""Running a command so that nothing of it is left behind, whatever happens.

A command is a list of arguments, never a text for a shell. It gets a session, and so a process group, of its own. When
the node is done, for whatever reason, everything in that group is ended: asked to by SIGTERM, and killed when the
grace period is over. What has left the group, as daemons do, stays if the command has ended by itself, since that is
what daemons are for. If it has not, because it was cancelled or took too long, these are ended, too, where the system
tells which they are: on Linux they are known by an environment variable. For POSIX systems.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import signal
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from subprocess import PIPE
from typing import Any

import trio

import trioflow as tf
from trioflow.nodes import _expect as expect

_POLLING = 0.02
"""Seconds between two looks at whether a process group is gone: the system tells nobody when that happens."""

_KILLING = 5.0
"""Seconds after which a killed group is taken for gone: what the system itself holds up can't be waited for."""


class CommandNotStarted(OSError):
    """A command could not be started: there is none of that name, or it may not be executed."""


class CommandFailed(Exception):
    """A command ended with an exit code other than 0."""

    def __init__(self, node: str, command: str, exit_code: int, stderr: str) -> None:
        self.exit_code = exit_code
        said = stderr.strip()[-_SAID:]
        super().__init__(f"{node}: {command!r} {how_it_ended(exit_code)}." + (f" It said: {said}" if said else ""))

    __reduce__ = tf.TrioflowError.__reduce__


_SAID = 2000
"""Characters of what a failed command said that its error repeats: the last ones, which say why."""


def how_it_ended(exit_code: int) -> str:
    """An exit code in words."""
    if exit_code >= 0:
        return f"ended with exit code {exit_code}"
    try:
        return f"was ended by {signal.Signals(-exit_code).name}"
    except ValueError:
        return f"was ended by signal {-exit_code}"


def check_arguments(node: str, command: Sequence[object]) -> list[str]:
    """The arguments, if they are some. Raises `ValueError`."""
    if not command:
        raise ValueError(f"{node} needs a command: a list of texts, the program first.")
    for place, argument in enumerate(command):
        if not isinstance(argument, str):
            raise TypeError(f"{node}: an argument is a text, and number {place} is {expect.short(argument)}.")
        if "\0" in argument:
            raise ValueError(
                f"{node}: an argument can't hold a null character, and number {place} is {expect.short(argument)}."
            )
        _check_encodable(node, f"argument number {place}", argument)
    if not command[0]:
        raise ValueError(f"{node}: the first argument names the program, and can't be empty.")
    return [str(argument) for argument in command]


def check_environment(node: str, added: Mapping[Any, Any]) -> dict[str, str]:
    """The environment with what is added to it. Raises `ValueError`."""
    environment = dict(os.environ)
    for name, value in added.items():
        if not isinstance(name, str) or not isinstance(value, str):
            raise TypeError(
                f"{node}: environment variables are texts, got {expect.short(name)}: {expect.short(value)}."
            )
        if not name or "=" in name or "\0" in name + value:
            raise ValueError(f"{node}: {expect.short(name)}: {expect.short(value)} can't be an environment variable.")
        _check_encodable(node, "an environment variable", f"{name}={value}")
        environment[name] = value
    return environment


def _check_encodable(node: str, what: str, text: str) -> None:
    """Raise for what the system has no bytes for: lone surrogates, but for those that stand for bytes of its own."""
    try:
        os.fsencode(text)
    except UnicodeEncodeError as error:
        raise ValueError(
            f"{node}: {what} is {expect.short(text)}, and the system has no bytes for {text[error.start]!r}."
        ) from None


class TooMuchOutput(ValueError):
    """A command wrote more than is kept."""


class Output:
    """What a command writes to one of its pipes."""

    def __init__(self, stream: trio.abc.ReceiveStream) -> None:
        self._stream = stream
        self._waiting = trio.CancelScope()
        self._finished = False

    async def read(self) -> bytes:
        """Wait for some bytes; none are the end. A cancellation point."""
        if not self._finished:
            with trio.CancelScope() as self._waiting:
                return bytes(await self._stream.receive_some())
        with trio.move_on_after(_DRAINING):
            return bytes(await self._stream.receive_some())
        return b""

    def finish(self) -> None:
        """What is in the pipe now is the last: whoever could still write has left the group, and may never end."""
        self._finished = True
        self._waiting.cancel()

    async def keep(self, data: bytearray, most: int, too_much: trio.CancelScope) -> None:
        """Read all there is; `too_much` is cancelled when it is more than is to be kept."""
        while chunk := await self.read():
            data += chunk
            if len(data) > most:
                too_much.cancel()

    async def keep_last(self, data: bytearray) -> None:
        """Read all there is, so that the command never has to wait, and keep the last of it."""
        while chunk := await self.read():
            data += chunk
            del data[:-_LAST]


_DRAINING = 0.05
_LAST = 1 << 16


class Command:
    """A command that runs, or has ended."""

    def __init__(self, name: str, process: trio.Process, mark: str, grace: float) -> None:
        assert process.stdout is not None
        assert process.stderr is not None
        self.output = Output(process.stdout)
        self.errors = Output(process.stderr)
        self.name = name
        self._process = process
        self._mark = mark
        self._grace = grace

    @property
    def exit_code(self) -> int:
        """What it ended with; negative for the signal that ended it. Only once it has ended."""
        assert self._process.returncode is not None
        return self._process.returncode

    async def feed(self, data: bytes) -> None:
        """Give it its input, and then the end of it. A command that does not want it is not told."""
        assert self._process.stdin is not None
        with contextlib.suppress(trio.BrokenResourceError, trio.ClosedResourceError):
            async with self._process.stdin as stdin:
                await stdin.send_all(data)

    async def finish(self) -> None:
        """Wait until it has ended, then end what is left of its group."""
        await self._process.wait()
        with trio.CancelScope(shield=True):  # all that is waited for has a time limit
            await self._end_group()
            assert self._process.stdin is not None
            await trio.aclose_forcefully(self._process.stdin)
        self.output.finish()
        self.errors.finish()

    async def end(self) -> None:
        """End it, and all of its group."""
        with trio.CancelScope(shield=True):  # as above
            await self._end_group(also_who_left=self._process.poll() is None)
            for pipe in (self._process.stdin, self._process.stdout, self._process.stderr):
                assert pipe is not None
                await trio.aclose_forcefully(pipe)

    async def _end_group(self, *, also_who_left: bool = False) -> None:
        for number, seconds in ((signal.SIGTERM, self._grace), (signal.SIGKILL, _KILLING)):
            left = await trio.to_thread.run_sync(_marked, self._mark) if also_who_left else []
            if not left and not self._is_alive():
                return
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self._process.pid, number)
            for process in left:
                with contextlib.suppress(ProcessLookupError, PermissionError):
                    os.kill(process, number)
            with trio.move_on_after(seconds):
                # No event tells that a group is gone.
                while self._is_alive() or any(map(_is_running, left)):  # noqa: ASYNC110
                    await trio.sleep(_POLLING)

    def _is_alive(self) -> bool:
        # Polled first, so that the command itself, once it has ended, is not taken for somebody who is left.
        return self._process.poll() is None or is_group_alive(self._process.pid)


def _marked(mark: str) -> list[int]:
    """The processes that have an environment variable, where the system tells."""
    wanted = f"{mark}=".encode()
    found: list[int] = []
    with contextlib.suppress(FileNotFoundError):  # there is no such folder but on Linux
        for name in os.listdir("/proc"):  # noqa: PTH208 - names are enough
            if name.isdigit():
                with contextlib.suppress(OSError):  # it has ended, or is somebody else's
                    if wanted in Path("/proc", name, "environ").read_bytes():
                        found.append(int(name))
    return found


def _is_running(process: int) -> bool:
    try:
        return Path("/proc", str(process), "stat").read_bytes().rpartition(b")")[2].split()[0] not in (b"Z", b"X")
    except OSError:
        return False


def is_group_alive(group: int) -> bool:
    """Whether a process group has a member that has not ended."""
    try:
        os.killpg(group, 0)
    except (ProcessLookupError, PermissionError):
        # macOS says that it is not permitted if only processes are left that have ended.
        return False
    # On Linux those count as there, until whoever is their parent now asks for them: in some containers nobody does.
    try:
        processes = [name for name in os.listdir("/proc") if name.isdigit()]  # noqa: PTH208 - names are enough
    except FileNotFoundError:
        return True
    return any(_is_alive_in(group, process) for process in processes)


def _is_alive_in(group: int, process: str) -> bool:
    try:
        # The name of the command, in parentheses, may hold anything: what follows begins after the last of them.
        state, _, process_group, *_ = Path("/proc", process, "stat").read_bytes().rpartition(b")")[2].split()
    except OSError:
        return False  # it has ended meanwhile
    return int(process_group) == group and state not in (b"Z", b"X")


@asynccontextmanager
async def open_command(
    node: str, arguments: Sequence[str], *, folder: Path | None, environment: Mapping[str, str], grace: float
) -> AsyncGenerator[Command, None]:
    """A running command; at the end of the block nothing of it is left.

    Raises `CommandNotStarted`, or `NotADirectoryError` for a working folder that is none.
    """
    if folder is not None and not await trio.Path(folder).is_dir():
        raise NotADirectoryError(f"{node}: the working folder {str(folder)!r} is not a folder.")
    mark = f"TRIOFLOW_COMMAND_{secrets.token_hex(8)}"
    try:
        process = await trio.lowlevel.open_process(
            arguments,
            stdin=PIPE,
            stdout=PIPE,
            stderr=PIPE,
            cwd=folder,
            env={**environment, mark: "1"},
            start_new_session=True,
        )
    except FileNotFoundError as error:
        raise CommandNotStarted(f"{node}: there is no command {arguments[0]!r}.") from error
    except OSError as error:
        raise CommandNotStarted(f"{node}: {arguments[0]!r} can't be started: {error.strerror}.") from error
    command = Command(arguments[0], process, mark, grace)
    try:
        yield command
    finally:
        await command.end()
