"""Checks on several processes, each with a port of its own; what they find comes back in the order of the questions.

A check is asked of a port and an item, and gives what it found. Which process it is asked in is chance, so it must
depend on the two alone: then nobody sees from the findings how many processes there were.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
import threading
import traceback
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnProcess
from typing import Any, Protocol, TypeVar

import attrs

from trioflow.conformance.port import Port, how_it_ended
from trioflow.errors import TrioflowError

Item = TypeVar("Item")
Found = TypeVar("Found")
OpenPort = Callable[[], AbstractContextManager[Port]]

_SECONDS_TO_END = 5.0


class WorkerDied(TrioflowError):
    """A process of the kit itself has ended in the middle of a check; the message says which check, and how."""


class Checker(Protocol):
    """Whoever asks checks: this process alone, or several beside it."""

    def each(self, check: Callable[[Port, Item], Found], items: Sequence[Item]) -> Iterator[Found]:
        """What a check finds for each item, in their order. Raises what the check raises, at its turn."""
        ...


@attrs.frozen
class Alone:
    """Asks all checks in this process, one after the other."""

    port: Port

    def each(self, check: Callable[[Port, Item], Found], items: Sequence[Item]) -> Iterator[Found]:
        for item in items:
            yield check(self.port, item)


class Workers:
    """Asks checks in several processes, each with a port that it opens itself; a context manager that ends them.

    They are started when there is something to ask. Checks, items and what is found are sent by pickle. Each process
    checks one item at a time, so that nobody waits behind a long one. If the block fails they end in the middle of what
    they do, or are killed five seconds later. Should this process itself be killed, they end with their check.

    A process that has ended raises `WorkerDied` for the item that it was at.
    """

    def __init__(self, open_port: OpenPort, count: int) -> None:
        self._open_port = open_port
        self._count = count
        self._workers: list[_Worker] = []

    def __enter__(self) -> Workers:
        return self

    def __exit__(self, error: type[BaseException] | None, *_: object) -> None:
        self._end(at_once=error is not None)

    def each(self, check: Callable[[Port, Item], Found], items: Sequence[Item]) -> Iterator[Found]:
        """As `Checker`. After something was raised, or left off, other processes are started for the next check."""
        while len(self._workers) < min(self._count, len(items)):
            self._workers.append(_Worker(self._open_port))
        for worker in self._workers:
            worker.send(_Now(check))
        to_ask = iter(enumerate(items))
        free = [*self._workers]
        busy: dict[Any, tuple[_Worker, int]] = {}
        came: dict[int, tuple[bool, Any]] = {}
        try:
            for place in range(len(items)):
                while place not in came:
                    while free and (asked := next(to_ask, None)) is not None:
                        worker = free.pop()
                        worker.send(asked[1])
                        busy[worker.link] = worker, asked[0]
                    for link in wait([*busy]):
                        worker, number = busy.pop(link)
                        came[number] = worker.answer(items[number])
                        free.append(worker)
                raised, found = came.pop(place)
                if raised:
                    raise found
                yield found
        except BaseException as error:
            # Whoever asks has had enough, perhaps of all that there was: then all are ready for the next check.
            if busy or not isinstance(error, GeneratorExit):
                self._end(at_once=True)
            raise

    def _end(self, *, at_once: bool) -> None:
        workers, self._workers = self._workers, []
        for worker in workers:
            worker.tell_to_end(at_once=at_once)
        for worker in workers:
            worker.end()


@attrs.frozen
class _Now:
    """What is to be asked of all items that come now."""

    check: Callable[[Port, Any], Any]


class _Worker:
    """A process, as the one that has started it sees it."""

    def __init__(self, open_port: OpenPort) -> None:
        context = multiprocessing.get_context("spawn")
        self.link, theirs = context.Pipe()
        self.process: SpawnProcess = context.Process(target=_work, args=(theirs, open_port), daemon=True)
        with _deaf_to_ctrl_c():
            self.process.start()
        theirs.close()  # else nobody would notice that the process has ended

    def send(self, what: Any) -> None:
        # Of one that has ended, the answer will be missing.
        with contextlib.suppress(BrokenPipeError):
            self.link.send(what)

    def answer(self, item: Any) -> tuple[bool, Any]:
        """Whether the check raised something, and what it raised or found."""
        try:
            answered: tuple[bool, Any] = self.link.recv()
        except (EOFError, OSError):
            self.process.join(_SECONDS_TO_END)
            code = self.process.exitcode
            how = "closed its pipe" if code is None else how_it_ended(code)
            what = getattr(item, "name", item)
            return True, WorkerDied(f"a process of the kit {how} while it checked {what!r}. Try --jobs 1.")
        return answered

    def tell_to_end(self, *, at_once: bool) -> None:
        if at_once:
            self.process.terminate()
        self.link.close()

    def end(self) -> None:
        """Wait until it has ended, or kill it."""
        self.process.join(_SECONDS_TO_END)
        if self.process.is_alive():
            self.process.kill()
            self.process.join()
        self.process.close()


@contextmanager
def _deaf_to_ctrl_c() -> Generator[None]:
    """A process that is started within does not hear Ctrl-C, from its first moment: it is told to end instead."""
    if threading.current_thread() is not threading.main_thread():
        yield  # only the main thread may say so
        return
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


# --- in the processes ------------------------------------------------------------------------------------------------


def _work(link: Connection, open_port: OpenPort) -> None:
    """Answer until nobody asks any more."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    stack = contextlib.ExitStack()

    def end(*_: object) -> None:
        # An engine in the middle of a run would take an exception for the fault of a node.
        try:
            stack.close()
        finally:
            os._exit(1)

    signal.signal(signal.SIGTERM, end)
    check: Callable[[Port, Any], Any] | None = None
    port: Port | None = None
    with stack, contextlib.suppress(EOFError, BrokenPipeError):
        while True:
            asked = link.recv()
            if isinstance(asked, _Now):
                check = asked.check
                continue
            assert check is not None
            try:
                port = port or stack.enter_context(open_port())
                answer = False, check(port, asked)
            except Exception as error:  # it is raised where it was asked for
                error.add_note(f"In a process of the kit:\n{traceback.format_exc()}")
                answer = True, error
            link.send(answer)
