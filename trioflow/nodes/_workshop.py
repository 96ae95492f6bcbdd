"""Processes for other people's code: warm ones, which belong to one run, and of which nothing is left behind.

A process is started when it is first needed, and kept for the next job of the same run as long as it is as good as new:
one in which a script has left a thread or a process, has used up the memory or the time, is killed with its group and
all that has left it. No run gets a process that another one has used. For POSIX systems.

Limits are for accidents. A script may do whatever the host's user may do.
"""

from __future__ import annotations

import contextlib
import math
import os
import secrets
import signal
import subprocess
import sys
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import attrs
import trio

import trioflow as tf
from trioflow.model.size import size_of
from trioflow.nodes import _script
from trioflow.nodes._command import _is_running, _marked, how_it_ended, is_group_alive
from trioflow.nodes._script import DONE, GET, HEAD, LOG, PROGRESS, RUN, UNKNOWN, VALUE, Refused, frame, read_carefully

_KILLING = 5.0
_SMALL = 200_000
"""Bytes, about, up to which a value is packed at once; a larger one in a thread, so that nobody is held up."""

MOST = 1 << 26
"""Bytes that a job may give back."""


@attrs.frozen(kw_only=True)
class Scripts:
    """How a host wants scripts to be run; a service: `services={Scripts: Scripts(here=True)}`.

    `here`: whether a graph may run scripts in the host's own process, where they are quick and can do and break
    whatever the host can. `processes`: how many scripts of one run are at work at a time; the others wait. `disk`:
    bytes of a file that a script writes at most. `environment`: variables of their processes besides `PATH`, `HOME`,
    `LANG` and `TMPDIR`; others of the host's are not there, for they may hold secrets.
    """

    here: bool = False
    processes: int = attrs.field(default=max(2, os.cpu_count() or 2), validator=attrs.validators.ge(1))
    disk: int = attrs.field(default=1 << 30, validator=attrs.validators.ge(0))
    environment: Mapping[str, str] = attrs.Factory(dict)

    def own_environment(self) -> dict[str, str]:
        """The variables of a script's process, before those that are its inputs."""
        own = {name: os.environ[name] for name in ("PATH", "HOME", "LANG", "TMPDIR") if name in os.environ}
        return {**own, **self.environment}


class ScriptFailed(Exception):
    """A script has raised an error, or can't be run: `kind` names the error, `line` is where in the script it arose.

    `traceback` is the text that Python shows for it.
    """

    def __init__(self, message: str, *, kind: str = "", line: int | None = None, traceback: str = "") -> None:
        self.kind = kind
        self.line = line
        self.traceback = traceback
        super().__init__(message)

    __reduce__ = tf.TrioflowError.__reduce__


class ScriptEnded(ScriptFailed):
    """The process of a script has ended before the script was done: it has ended itself, or was killed."""


class ScriptTimeout(TimeoutError):
    """A script took longer than it may. Its process was killed, with all that it had started."""


@attrs.frozen
class Job:
    """Something for a process to do, and how much it may use."""

    node: str
    what: str
    text: str
    names: Mapping[str, Any]
    arguments: Any
    memory: int
    seconds: float


@attrs.frozen
class Done:
    """What came of a job."""

    result: Any
    outputs: Mapping[str, Any]
    written: Mapping[str, Any]
    printed: str


def settings_of(services: tf.Services) -> Scripts:
    """How the host wants scripts to be run."""
    try:
        return services.get(Scripts)
    except tf.UnknownName:
        return _PLAIN


_PLAIN = Scripts()


class Workshop:
    """The processes of one run."""

    def __init__(self, services: tf.Services, settings: Scripts) -> None:
        self.users = 0
        self._services = services  # so that no other run's are taken for these as long as this is known
        self._settings = settings
        self._places = trio.Semaphore(settings.processes)
        self._idle: list[_Worker] = []

    async def do(self, job: Job, ctx: tf.Context) -> Done:
        """Have a job done. Cancelled at any time, as well as when its time is up: then its process is killed.

        Raises `ScriptFailed`, `ScriptEnded`, `ScriptTimeout`.
        """
        async with self._places, self._worker() as worker:
            with trio.move_on_after(job.seconds):
                return await worker.do(job, self._settings.disk, ctx)
            await worker.kill()
            raise ScriptTimeout(f"{job.node}: it took longer than {job.seconds:g} s, and was killed.")

    @asynccontextmanager
    async def _worker(self) -> AsyncGenerator[_Worker, None]:
        while self._idle and not self._idle[-1].is_alive():
            await self._idle.pop().kill()
        worker = self._idle.pop() if self._idle else await _start(self._settings.own_environment())
        try:
            yield worker
        finally:
            if worker.is_clean and worker.is_alive():
                self._idle.append(worker)
            else:
                await worker.kill()

    async def close(self) -> None:
        """End all processes."""
        while self._idle:
            await self._idle.pop().kill()


_open: dict[int, Workshop] = {}
"""Those of runs that go on, by the identity of something that each run has for itself."""


def enter_workshop(services: tf.Services) -> Workshop:
    """The workshop of a run, for one more node; to be left with `leave_workshop`."""
    workshop = _open.setdefault(id(services), Workshop(services, settings_of(services)))
    workshop.users += 1
    return workshop


async def leave_workshop(services: tf.Services, workshop: Workshop) -> None:
    """Leave the workshop of a run; the last one ends its processes."""
    workshop.users -= 1
    if not workshop.users:
        del _open[id(services)]
        await workshop.close()


async def _start(environment: Mapping[str, str]) -> _Worker:
    if sys.platform == "win32":
        raise OSError("Scripts and templates run in processes of their own on POSIX systems only, and this is Windows.")
    mark = f"TRIOFLOW_SCRIPT_{os.getpid()}_{secrets.token_hex(8)}"
    worker: list[_Worker] = []

    def start() -> None:
        worker.append(_Worker(mark, {**environment, mark: "1"}))

    try:
        await trio.to_thread.run_sync(start)
    except BaseException:
        if worker:
            await worker[0].kill()
        raise
    return worker[0]


class _Worker:
    def __init__(self, mark: str, environment: Mapping[str, str]) -> None:
        self._mark = mark
        self._process = subprocess.Popen(  # noqa: S603 - this interpreter, and a file of ours
            [sys.executable, "-I", Path(_script.__file__)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=environment,
            start_new_session=True,
            bufsize=0,
        )
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._to, self._from = self._process.stdin.fileno(), self._process.stdout.fileno()
        os.set_blocking(self._to, False)
        os.set_blocking(self._from, False)
        self._received = bytearray()
        self.is_clean = True

    def is_alive(self) -> bool:
        return self._process.poll() is None

    async def do(self, job: Job, disk: int, ctx: tf.Context) -> Done:
        self.is_clean = False
        seconds = 0 if job.seconds == math.inf else int(min(job.seconds, 1e8)) + 5
        given = (job.what, job.text, dict(job.names), job.arguments, job.memory, disk, seconds)
        try:
            data = await _packed(job.names, lambda: frame(RUN, given))
        except Exception as error:  # anything may say that it can't be pickled
            raise ScriptFailed(
                f"{job.node}: its inputs can't be sent to its process ({type(error).__name__}: {error})."
            ) from error
        try:
            await self._send(data)
            return await self._talk(job, ctx)
        except (BrokenPipeError, _Gone):
            with trio.CancelScope(shield=True), trio.move_on_after(_KILLING):
                await trio.to_thread.run_sync(self._process.wait)
            code = self._process.poll()
            how = how_it_ended(code) if code is not None else "closed its line to the host"
            hint = " Was there no memory left?" if code == -signal.SIGKILL else ""
            raise ScriptEnded(f"{job.node}: its process {how} before it was done.{hint}") from None
        except Refused as error:
            raise ScriptFailed(f"{job.node}: {str(error).rstrip('.')}.") from None
        except (TypeError, ValueError) as error:
            raise ScriptEnded(f"{job.node}: its process does not keep to what was agreed ({error}).") from None

    async def _talk(self, job: Job, ctx: tf.Context) -> Done:
        while True:
            size, kind = HEAD.unpack(await self._receive(HEAD.size))
            if size > MOST:
                raise ScriptFailed(f"{job.node}: it gives more than {MOST:,} bytes.")
            data = await self._receive(size)
            value = read_carefully(data) if size < _SMALL else await trio.to_thread.run_sync(read_carefully, data)
            if kind == DONE:
                result, outputs, written, printed, self.is_clean = value
                return Done(result, outputs, written, printed)
            if kind == GET:
                await self._send(await _variable(ctx, value))
            elif kind == PROGRESS:
                done, total, message = value
                ctx.report_progress(done, total, message)
            elif kind == LOG:
                message, level = value
                ctx.emit_feedback(message, level if level in {"debug", "info", "warning", "error"} else "info")
            else:
                raise self._failure(job, value)

    def _failure(self, job: Job, value: Any) -> ScriptFailed:
        name, said, line, trace, self.is_clean = value
        if not name:
            return ScriptFailed(f"{job.node}: {str(said).rstrip('.')}.")
        return failure_of(job.node, name, said, line, trace)

    async def _send(self, data: bytes) -> None:
        view = memoryview(data)
        while view:
            try:
                view = view[os.write(self._to, view[: 1 << 16]) :]
            except BlockingIOError:
                await trio.lowlevel.wait_writable(self._to)
            else:
                if view:
                    await trio.lowlevel.checkpoint()

    async def _receive(self, size: int) -> bytes:
        while len(self._received) < size:
            await trio.lowlevel.wait_readable(self._from)
            data = os.read(self._from, 1 << 18)
            if not data:
                raise _Gone
            self._received += data
        found = bytes(self._received[:size])
        del self._received[:size]
        return found

    async def kill(self) -> None:
        """End it, its group, and whoever has left that."""
        self.is_clean = False
        with trio.CancelScope(shield=True), trio.move_on_after(_KILLING):
            await trio.to_thread.run_sync(self._kill, abandon_on_cancel=True)

    def _kill(self) -> None:
        for pipe in (self._process.stdin, self._process.stdout):
            assert pipe is not None
            with contextlib.suppress(OSError):
                pipe.close()
        # What forks while it is killed is met in the next round.
        for _ in range(50):
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
            left = [each for each in _marked(self._mark) if _is_running(each)]
            for each in left:
                with contextlib.suppress(ProcessLookupError, PermissionError):
                    os.kill(each, signal.SIGKILL)
            if not left and not is_group_alive(self._process.pid):
                return


class _Gone(Exception):
    pass


def failure_of(node: str, name: str, said: str, line: int | None, trace: str) -> ScriptFailed:
    """The error of a node whose script has raised one."""
    where = f" in line {line}" if line is not None else ""
    if not said and name == "MemoryError":
        said = "it needed more memory than it may have."
    return ScriptFailed(
        f"{node}: {name}{where}" + (f": {said}" if said else "."), kind=name, line=line, traceback=trace
    )


async def _packed(value: object, pack: Callable[[], bytes]) -> bytes:
    if size_of(value, _SMALL) < _SMALL:
        return pack()
    return await trio.to_thread.run_sync(pack)


async def _variable(ctx: tf.Context, name: Any) -> bytes:
    try:
        value = ctx.get_variable(str(name))
    except tf.UnknownName as error:
        return frame(UNKNOWN, str(error))
    try:
        return await _packed(value, lambda: frame(VALUE, value))
    except Exception as error:  # anything may say that it can't be pickled
        return frame(UNKNOWN, f"the variable {name!r} can't be sent to a script ({type(error).__name__}: {error})")
