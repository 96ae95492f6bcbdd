"""Ports: whatever can be asked to run a graph, as `spec/INTERPRETING.md` says; and how one is driven as a process.

A process is not trusted: it may print nonsense, die, hang, or flood its pipes. Each of that becomes a `PortFailure`
within the time limit. One thread does everything, with pipes that never block: a request costs no switch of threads,
and a port that floods its standard error while it works can't hold the kit up.
"""

from __future__ import annotations

import contextlib
import json
import os
import selectors
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from typing import Any, Literal, Protocol, cast

import attrs

from trioflow.conformance.capabilities import CLAIMED_BY
from trioflow.conformance.messages import CONTRACT_VERSION, Answer, Started, check
from trioflow.errors import TrioflowError
from trioflow.formats import visible
from trioflow.model import json_text

TIME_LIMIT = 10.0
"""Seconds that a port has for an answer."""
LINE_LIMIT = 16 * 1024 * 1024
"""Bytes that a line of a port may have."""

_RESTARTS = 20
_CHUNK = 1 << 16
_LAST_WORDS = 1 << 12
_MOST_LINES = 10
_MOST_PROBLEMS = 5
_SECONDS_TO_DIE = 1.0

Fault = Literal[
    "not-started",
    "died",
    "closed",
    "silent",
    "unended",
    "too-long",
    "not-utf8",
    "nonsense",
    "malformed",
    "twice",
    "early",
    "wrong-id",
    "contract",
    "claims",
    "exit",
    "given-up",
]


class PortFailure(TrioflowError):
    """A port did not keep to the conversation; the message says what was expected and what came.

    `fault` is the kind of it; `last_words` are the last lines of the port's standard error.
    """

    def __init__(self, fault: Fault, what: str, last_words: str = "") -> None:
        said = f"\nIts standard error ends with:\n{last_words}" if last_words else ""
        super().__init__(f"{what}{said}")
        self.fault: Fault = fault
        self.last_words = last_words


class Port(Protocol):
    """An engine that can be asked to run graphs, in this process or in another one."""

    @property
    def name(self) -> str:
        """What to call it in reports."""
        ...

    @property
    def level(self) -> int:
        """The level that it claims, 0 to 3."""
        ...

    @property
    def capabilities(self) -> frozenset[str]:
        """The capabilities that it claims."""
        ...

    def run(self, request: Mapping[str, Any]) -> Mapping[str, Any]:
        """Answer a request of the type `run`: a result, `skipped`, or `error`. Raises `PortFailure`."""
        ...

    def close(self) -> None:
        """End it. Raises `PortFailure` if it does not end as it should."""
        ...


@attrs.frozen
class _Claims:
    """What a port says of itself."""

    name: str
    level: int
    capabilities: frozenset[str]


class ProcessPort:
    """A port that is a process, started by a command and asked over its standard input and output.

    A context manager that kills the process in the end; `close` it before that to see whether it stops when told to.

    After a failure it is killed, with all that it started in its process group, and started again for the next
    request, at most `restarts` times. Needs an operating system with process groups. Raises `PortFailure` if it can't
    be started or claims what it lacks.
    """

    def __init__(
        self,
        command: Sequence[str],
        *,
        time_limit: float = TIME_LIMIT,
        line_limit: int = LINE_LIMIT,
        restarts: int = _RESTARTS,
    ) -> None:
        self._command = command
        self._time_limit = time_limit
        self._line_limit = line_limit
        self._restarts_left = restarts
        self._last_id = 0
        self._process: _Process | None = None
        self._claims = self._start()

    def __repr__(self) -> str:
        state = "stopped" if self._process is None else "running"
        return f"<ProcessPort {self.name!r} level {self.level}, {state}>"

    def __enter__(self) -> ProcessPort:
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()

    @property
    def name(self) -> str:
        """The name and language that the port gave."""
        return self._claims.name

    @property
    def level(self) -> int:
        """The level that it claims."""
        return self._claims.level

    @property
    def capabilities(self) -> frozenset[str]:
        """The capabilities that it claims."""
        return self._claims.capabilities

    def run(self, request: Mapping[str, Any]) -> Mapping[str, Any]:
        """Ask for a run; its `type` and `id` are filled in. Waits for the answer, at most as long as the time limit.

        Raises `PortFailure`; of the kind `given-up` if it has failed so often that it is not started again.
        """
        process = self._running()
        self._last_id += 1
        answer = self._ask(process, {**request, "type": "run", "id": self._last_id})
        came = answer.get("id")
        if type(came) is int and came != self._last_id:
            raise self._failed("wrong-id", f"it answered request {self._last_id} with the id {came}.")
        _refuse_malformed(answer, Answer)
        return answer

    def close(self) -> None:
        """Tell the process to stop, and wait until it has, at most as long as the time limit; then it is killed.

        Raises `PortFailure` if it does not end by itself, ends with another exit code than 0, or still writes.
        """
        process, self._process = self._process, None
        if process is not None:
            try:
                process.stop(_line({"type": "stop"}), self._time_limit)
            finally:
                process.kill()

    def kill(self) -> None:
        """End the process at once, and all that it started in its process group."""
        process, self._process = self._process, None
        if process is not None:
            process.kill()

    def _running(self) -> _Process:
        if self._process is None:
            if self._restarts_left == 0:
                raise PortFailure("given-up", "it has failed too often and is not started again.")
            self._restarts_left -= 1
            self._claims = self._start()
        assert self._process is not None
        return self._process

    def _start(self) -> _Claims:
        self._process = process = _Process(self._command, self._line_limit)
        answer = self._ask(process, {"type": "start", "contract": CONTRACT_VERSION})
        try:
            _refuse_malformed(answer, Started)
            contract, level = answer["contract"], answer["level"]
            if contract.partition(".")[0] != CONTRACT_VERSION.partition(".")[0]:
                raise PortFailure(
                    "contract", f"it keeps version {contract!r} of the contract, and this kit {CONTRACT_VERSION}."
                )
            missing = sorted(CLAIMED_BY[level].difference(answer["capabilities"]))
            if missing:
                raise PortFailure(
                    "claims",
                    f"it claims level {level}, but not what that level needs: {', '.join(missing)}. "
                    "Claim these capabilities, or a lower level.",
                )
        except PortFailure:
            self.kill()
            raise
        name = f"{answer['name']} ({answer['language']})"
        return _Claims(name, level, frozenset(answer["capabilities"]))

    def _ask(self, process: _Process, request: Mapping[str, Any]) -> dict[str, Any]:
        try:
            return _object(process.ask(_line(request), self._time_limit))
        except PortFailure as failure:
            said = failure.last_words or process.last_words()
            self.kill()
            raise PortFailure(failure.fault, failure.args[0], said) from None
        except BaseException:
            self.kill()  # an interrupted conversation can't go on
            raise

    def _failed(self, fault: Fault, what: str) -> PortFailure:
        said = self._process.last_words() if self._process is not None else ""
        self.kill()
        return PortFailure(fault, what, said)


class _Process:
    """A process and its three pipes, none of which ever blocks."""

    def __init__(self, command: Sequence[str], line_limit: int) -> None:
        try:
            self._process = subprocess.Popen(  # noqa: S603 - running the command is what the user asks for
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                bufsize=0,
                start_new_session=True,  # Ctrl-C is for the kit, and the group can be killed as a whole
            )
        except (OSError, ValueError) as error:
            reason = (isinstance(error, OSError) and error.strerror) or str(error)
            raise PortFailure("not-started", f"{visible(command[0])!r} can't be started: {reason}.") from error
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        assert self._process.stderr is not None
        self._stdin = self._process.stdin.fileno()
        self._stdout = self._process.stdout.fileno()
        self._stderr = self._process.stderr.fileno()
        self._line_limit = line_limit
        self._received = bytearray()
        self._ended = False  # its standard output is closed
        self._said = bytearray()  # the end of its standard error
        self._to_send = memoryview(b"")
        self._selector = selectors.DefaultSelector()
        for pipe in (self._stdin, self._stdout, self._stderr):
            os.set_blocking(pipe, False)
        self._selector.register(self._stdout, selectors.EVENT_READ, self._receive)
        self._selector.register(self._stderr, selectors.EVENT_READ, self._listen)

    def ask(self, line: bytes, seconds: float) -> bytes:
        """Send a line, and wait for the line that answers it."""
        self._refuse_unasked()
        deadline = time.monotonic() + seconds
        self._send(line)
        searched = 0
        while (end := self._received.find(b"\n", searched)) < 0:
            searched = len(self._received)
            if searched > self._line_limit:
                raise PortFailure(
                    "too-long",
                    f"it wrote {searched:,} bytes without an end of line; a line may have {self._line_limit:,}.",
                )
            if self._ended:
                raise self._gone()
            if not self._wait(deadline):
                raise self._overdue(seconds)
        if end > self._line_limit:
            raise PortFailure("too-long", f"it wrote a line of {end:,} bytes; it may have {self._line_limit:,}.")
        answer = bytes(self._received[:end])
        del self._received[: end + 1]
        if self._to_send:
            what = f"it answered before it had read the whole request: {_shown(answer)}."
            raise PortFailure("early", what)
        if self._received:
            what = f"it wrote more than one line in answer to a request: {_shown(answer)} and {_shown(self._received)}."
            raise PortFailure("twice", what)
        return answer

    def stop(self, line: bytes, seconds: float) -> None:
        """Send the last line, and wait until the process has ended."""
        self._refuse_unasked()
        deadline = time.monotonic() + seconds
        self._send(line)
        while not self._ended and not self._received and self._wait(deadline):
            pass
        if self._received:
            raise self._unasked()
        try:
            code = self._process.wait(max(0.0, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            what = f"it was told to stop and still runs after {seconds:g} seconds."
            raise PortFailure("exit", what, self.last_words()) from None
        if code != 0:
            raise PortFailure("exit", f"it was told to stop and {how_it_ended(code)}, instead of 0.", self.last_words())

    def last_words(self) -> str:
        """The last lines of its standard error, made visible, each indented."""
        with contextlib.suppress(OSError):
            self._listen()  # what it said just before it fell silent
        lines = self._said.decode(errors="backslashreplace").splitlines()[-_MOST_LINES:]
        return "\n".join(f"  {visible(line)}" for line in lines)

    def kill(self) -> None:
        """End the process and its group, and close the pipes."""
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        self._selector.close()
        for pipe in (self._process.stdin, self._process.stdout, self._process.stderr):
            assert pipe is not None
            pipe.close()

    # --- pipes

    def _wait(self, deadline: float) -> bool:
        """Do what the pipes allow, or wait until they allow something; False when the time is over."""
        left = deadline - time.monotonic()
        if left <= 0:
            return False
        for key, _ in self._selector.select(left):
            key.data()
        return True

    def _send(self, line: bytes) -> None:
        self._to_send = memoryview(line)
        self._continue_sending()
        if self._to_send:
            self._selector.register(self._stdin, selectors.EVENT_WRITE, self._continue_sending)

    def _continue_sending(self) -> None:
        try:
            while self._to_send:
                self._to_send = self._to_send[os.write(self._stdin, self._to_send) :]
        except BlockingIOError:
            return
        except BrokenPipeError:
            self._to_send = memoryview(b"")  # it reads no more; what it still writes tells why
        if self._stdin in self._selector.get_map():
            self._selector.unregister(self._stdin)

    def _receive(self) -> None:
        chunk = os.read(self._stdout, _CHUNK)
        self._received += chunk
        if not chunk:
            self._ended = True
            self._selector.unregister(self._stdout)

    def _listen(self) -> None:
        chunk = os.read(self._stderr, _CHUNK)
        self._said += chunk
        del self._said[:-_LAST_WORDS]
        if not chunk and self._stderr in self._selector.get_map():
            self._selector.unregister(self._stderr)

    # --- faults

    def _refuse_unasked(self) -> None:
        if not self._ended:
            with contextlib.suppress(BlockingIOError):
                self._receive()
        if self._received:
            raise self._unasked()

    def _unasked(self) -> PortFailure:
        return PortFailure("twice", f"it wrote a line that nobody asked for: {_shown(self._received)}.")

    def _overdue(self, seconds: float) -> PortFailure:
        if self._received:
            what = f"it wrote {_shown(self._received)} and no end of line (\\n) within {seconds:g} seconds."
            return PortFailure("unended", what)
        return PortFailure("silent", f"it gave no answer within {seconds:g} seconds.")

    def _gone(self) -> PortFailure:
        middle = f" in the middle of a line, after {_shown(self._received)}" if self._received else ""
        try:
            code = self._process.wait(_SECONDS_TO_DIE)
        except subprocess.TimeoutExpired:
            return PortFailure("closed", f"it closed its standard output{middle}, while it goes on running.")
        return PortFailure("died", f"it {how_it_ended(code)}{middle}, instead of giving an answer.")


def how_it_ended(code: int) -> str:
    """What the exit code of a process says, as a person would."""
    if code >= 0:
        return f"ended with exit code {code}"
    try:
        return f"was killed by {signal.Signals(-code).name}"
    except ValueError:
        return f"was killed by signal {-code}"


def _shown(data: bytes | bytearray) -> str:
    text = data[:60].decode(errors="backslashreplace")
    return f"`{visible(text)}{'...' if len(data) > 60 else ''}`"


def _line(message: Mapping[str, Any]) -> bytes:
    try:
        return f"{json.dumps(message, ensure_ascii=False)}\n".encode()
    except UnicodeEncodeError:
        return f"{json.dumps(message)}\n".encode()  # a lone surrogate has no form in UTF-8, but an escape


def _object(line: bytes) -> dict[str, Any]:
    try:
        tree = json_text.read(line.decode())
    except UnicodeDecodeError as error:
        what = f"its answer is not UTF-8: byte {line[error.start]:#04x} at offset {error.start} of {_shown(line)}."
        raise PortFailure("not-utf8", what) from None
    except (json_text.BadText, RecursionError) as error:
        reason = "it is nested too deeply." if isinstance(error, RecursionError) else str(error)
        raise PortFailure("nonsense", f"its answer is not JSON: {_shown(line)}: {reason}") from None
    if not isinstance(tree, dict):
        raise PortFailure("nonsense", f"its answer is not an object: {_shown(line)}.")
    return cast("dict[str, Any]", tree)


def _refuse_malformed(answer: Mapping[str, Any], shape: Any) -> None:
    problems = check(answer, shape)
    if problems:
        more = [f"and {len(problems) - _MOST_PROBLEMS:,} more"] if len(problems) > _MOST_PROBLEMS else []
        told = "\n".join(f"  {visible(each)}" for each in [*problems[:_MOST_PROBLEMS], *more])
        raise PortFailure("malformed", f"its answer does not have the form of a message:\n{told}")
