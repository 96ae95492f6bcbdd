"""Work in another process: what Python does in one piece can neither be cut into slices nor be cancelled in a thread.

A process is started when the first is needed, kept for the next, and ends by itself when nobody has asked it for a
minute, or when the host ends. One whose work is cancelled is killed. Where there are no pipes to wait for, which is on
Windows, a thread has to do, which holds up the host.
"""

from __future__ import annotations

import atexit
import builtins
import contextlib
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import attrs
import trio

from trioflow.nodes import _worker
from trioflow.nodes._worker import DONE, END, ERROR, HEAD, Values, frame, frames

_KEPT = 2
"""Processes that are kept for the next."""


class WorkerEnded(RuntimeError):
    """A process that worked for a node has ended before it was done: somebody killed it, or there was no memory."""


@attrs.frozen
class Work:
    """A function of `_worker.DONE` with its arguments: a job."""

    name: str
    arguments: tuple[Any, ...]

    def here(self) -> Any:
        """The result, computed here and now."""
        return DONE[self.name](*self.arguments)

    async def away(self) -> Any:
        """The result, computed in another process. Cancelled at any time. Raises what the function raises."""
        if sys.platform == "win32":
            return await trio.to_thread.run_sync(self.here)
        while True:
            worker, is_new = await _taken()
            try:
                result = await worker.ask(self.name, self.arguments)
            except (_Gone, BrokenPipeError):
                await worker.end()
                if is_new:
                    raise WorkerEnded(f"a process that computed {self.name!r} has ended before it was done") from None
                continue  # it had just ended by itself
            except BaseException:
                await worker.end()
                raise
            if len(_idle) < _KEPT:
                _idle.append(worker)
            else:
                await worker.end()
            kind, value = result
            if kind == ERROR:
                name, message = value
                raise getattr(builtins, name, RuntimeError)(message)
            return value


def work(name: str, *arguments: Any) -> Work:
    """A job by the name of its function."""
    return Work(name, arguments)


class _Gone(Exception):
    pass


class _Worker:
    def __init__(self) -> None:
        self._process = subprocess.Popen(  # noqa: S603 - this interpreter, and a file of ours
            [sys.executable, "-I", "-S", Path(_worker.__file__)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._to, self._from = self._process.stdin.fileno(), self._process.stdout.fileno()
        os.set_blocking(self._to, False)
        os.set_blocking(self._from, False)
        self._received = bytearray()

    def is_alive(self) -> bool:
        return self._process.poll() is None

    async def ask(self, name: str, arguments: tuple[Any, ...]) -> tuple[int, Any]:
        """The last frame's kind, and the result or the error."""
        for value in (name, *arguments):
            for data in frames(value):
                await self._send(data)
        await self._send(frame(END, None))
        values = Values()
        while True:
            size = HEAD.unpack(await self._receive(HEAD.size))[0]
            kind = values.add(await self._receive(size))
            if kind in (END, ERROR):
                return kind, values.complete[-1 if kind == ERROR else 0]

    async def _send(self, data: bytes) -> None:
        view = memoryview(data)
        while view:
            await trio.lowlevel.checkpoint()
            try:
                view = view[os.write(self._to, view[: 1 << 16]) :]
            except BlockingIOError:
                await trio.lowlevel.wait_writable(self._to)

    async def _receive(self, size: int) -> bytes:
        while len(self._received) < size:
            try:
                data = os.read(self._from, 1 << 18)
            except BlockingIOError:
                await trio.lowlevel.wait_readable(self._from)
                continue
            if not data:
                raise _Gone
            self._received += data
            await trio.lowlevel.checkpoint()
        found = bytes(self._received[:size])
        del self._received[:size]
        return found

    async def end(self) -> None:
        self._process.kill()
        with trio.CancelScope(shield=True):  # who is killed is gone within moments
            await trio.to_thread.run_sync(self.close)

    def close(self) -> None:
        self._process.kill()
        for pipe in (self._process.stdin, self._process.stdout):
            assert pipe is not None
            with contextlib.suppress(OSError):
                pipe.close()
        self._process.wait()


_idle: list[_Worker] = []


async def _taken() -> tuple[_Worker, bool]:
    """A process, and whether it is a new one."""
    while _idle:
        worker = _idle.pop()
        if worker.is_alive():
            return worker, False
        await worker.end()
    return await trio.to_thread.run_sync(_Worker), True


def _forget() -> None:
    """After a fork the processes are those of the parent."""
    _idle.clear()


@atexit.register
def _close_all() -> None:
    while _idle:
        _idle.pop().close()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget)
