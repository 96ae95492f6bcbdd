"""Output that nobody can take: the reader of a pipe has gone, the disk is full, a stream was closed at the start."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Generator, Iterable
from contextlib import ExitStack, contextmanager, redirect_stdout, suppress
from typing import Any, TextIO, cast


class Output:
    """Stands for stdout or stderr, and does as that does. What could not be written once goes nowhere from then on.

    `failed` is told the first error: where it raises, whoever wrote gets that, otherwise all goes on as if it had been
    written.
    """

    def __init__(self, stream: TextIO, failed: Callable[[OSError], None]) -> None:
        self._stream = stream
        self.failed = failed
        self.error: OSError | None = None

    def write(self, text: str) -> int:
        """Write a text."""
        try:
            # Not even nothing can be written to a full disk, and click tries whether it can, and tells nobody.
            return 0 if text == "" else self._stream.write(text)
        except OSError as error:
            self._lose(error)
        return len(text)

    def writelines(self, lines: Iterable[str]) -> None:
        """Write texts."""
        for line in lines:
            self.write(line)

    def flush(self) -> None:
        """Write what is still held."""
        try:
            self._stream.flush()
        except OSError as error:
            self._lose(error)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    def _lose(self, error: OSError) -> None:
        # What the stream still holds it would write once more when Python ends, and complain.
        nowhere = os.open(os.devnull, os.O_WRONLY)
        with suppress(OSError):
            os.dup2(nowhere, self._stream.fileno())
        os.close(nowhere)
        if self.error is None:
            self.error = error
            self.failed(error)


@contextmanager
def output() -> Generator[Output]:
    """Guard stdout and stderr while a command runs; gives stdout. What stderr can't take is dropped."""
    before = sys.stdout, sys.stderr
    for stream in before:
        _write_anything(stream)
    guarded = Output(sys.stdout, _raise)
    sys.stdout, sys.stderr = cast("TextIO", guarded), cast("TextIO", Output(sys.stderr, lambda _: None))
    try:
        yield guarded
    finally:
        sys.stdout, sys.stderr = before


@contextmanager
def stdout_is_for_results() -> Generator[None]:
    """Let what anybody writes to stdout go to stderr, also what is written past Python, as by other programs."""
    stdout, stderr = sys.stdout, sys.stderr
    stdout.flush()
    with ExitStack() as stack:
        with suppress(OSError):  # streams of a test, or of a host, have no numbers
            number = stdout.fileno()
            kept = os.dup(number)
            stack.callback(os.close, kept)
            os.dup2(stderr.fileno(), number)
            stack.callback(os.dup2, kept, number)
        stack.enter_context(redirect_stdout(stderr))
        yield


@contextmanager
def when_nobody_reads(do: Callable[[], None]) -> Generator[None]:
    """While a graph runs, do this when the reader of stdout has gone: it is no failure of the node that prints."""
    guarded = sys.stdout
    if not isinstance(guarded, Output):
        yield
        return
    before = guarded.failed

    def failed(error: OSError) -> None:
        if isinstance(error, BrokenPipeError):
            do()
        else:
            before(error)

    guarded.failed = failed
    try:
        yield
    finally:
        guarded.failed = before


def open_closed_streams() -> bool:
    """Let what was closed at the start lead nowhere, and say whether stdout was.

    Otherwise the next file that is opened would get the number of a closed stream, and whatever is written to that.
    """
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # gets the lowest number that is free, which is this one
    closed = [name for name in ("stdin", "stdout", "stderr") if getattr(sys, name) is None]
    for name in closed:
        setattr(sys, name, open(os.devnull, "r" if name == "stdin" else "w", encoding="utf-8"))  # noqa: SIM115, PTH123
    return "stdout" in closed


def reason(error: OSError) -> str:
    """Why something could not be read or written, as the system says it."""
    return error.strerror or str(error)


def _raise(error: OSError) -> None:
    raise error


def _write_anything(stream: TextIO) -> None:
    """Names of files may hold what no encoding can: show an escape instead of failing."""
    reconfigure = getattr(stream, "reconfigure", None)
    if reconfigure is not None:
        reconfigure(errors="backslashreplace")
