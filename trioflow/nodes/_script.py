"""Texts as code: how a script is compiled and run, and the process that runs scripts for a host.

This file is imported by the nodes, and run as a script by the processes that `_workshop` starts: so it imports nothing
but the standard library. What the host reads is read with care: whoever writes it may have been taken over by a script.
"""

from __future__ import annotations

import ast
import collections
import io
import os
import pickle
import signal
import struct
import sys
import traceback
from collections.abc import Callable, Mapping, Sequence
from typing import Any

HEAD = struct.Struct("!IB")
"""The size of a frame's value as it is sent, and the frame's kind."""

RUN, VALUE, UNKNOWN, GET, PROGRESS, LOG, DONE, FAILED = range(8)
"""To a process: a job; the value of a variable, or why there is none. From it: what it asks, tells, and comes to."""

SOURCE = "<script>"
_KEPT = 256
_PRINTED = 1 << 20


class Refused(ValueError):
    """A script that can't be run, and why: the message is for whoever wrote it."""


# --- scripts ---------------------------------------------------------------------------------------------------------


class _End(dict[str, Any]):
    """The names that a script has left, where it did not return anything."""


_codes: collections.OrderedDict[tuple[str, tuple[str, ...]], Any] = collections.OrderedDict()


def code_of(text: str, names: Sequence[str]) -> Any:
    """The code of a script whose inputs have these names, compiled once. Raises `Refused`, with the line."""
    key = (text, tuple(names))
    code = _codes.get(key)
    if code is None:
        code = _codes[key] = _compiled(text, names)
        if len(_codes) > _KEPT:
            _codes.popitem(last=False)
    return code


def _compiled(text: str, names: Sequence[str]) -> Any:
    try:
        body = ast.parse(text, SOURCE).body
        end = ast.parse("return __end__(locals())", SOURCE).body if body else []
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise _refusal(text, error) from None
    last = body[-1] if body else None
    line = (getattr(last, "end_lineno", None) or 1) if last is not None else 1
    for node in [each for root in end for each in ast.walk(root)]:
        if hasattr(node, "lineno"):
            node.lineno = node.end_lineno = line  # type: ignore[attr-defined]
    module = ast.parse(f"def script({', '.join(names)}): pass", SOURCE)
    function: Any = module.body[0]
    function.body = [*body, *end] or function.body
    try:
        return compile(module, SOURCE, "exec", dont_inherit=True)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise _refusal(text, error) from None


def _refusal(text: str, error: BaseException) -> Refused:
    line = getattr(error, "lineno", None)
    said = getattr(error, "msg", None) or str(error) or type(error).__name__
    lines = text.splitlines()
    shown = f": {lines[line - 1].strip()[:80]}" if line and 0 < line <= len(lines) else ""
    return Refused(f"line {line}: {said}{shown}" if line else said)


def run_script(
    text: str, names: Mapping[str, Any], outputs: Sequence[str], state: Any, show: Callable[..., None]
) -> tuple[Any, dict[str, Any]]:
    """Run a script in globals of its own: its result, and the values of the names that are outputs.

    Raises `Refused` for one that can't be compiled or leaves no value for an output, and whatever the script raises.
    """
    code = code_of(text, [*names])
    own: dict[str, Any] = {"__name__": "script", "__end__": _End, "state": state, "print": show}
    exec(code, own)  # noqa: S102 - what this node is for, where a host allows it
    left = own["script"](*names.values())
    if type(left) is _End:
        result, known = left.get("result"), dict(left)
    else:
        result, known = left, left if isinstance(left, dict) else {}
    missing = [name for name in outputs if name not in known]
    if missing:
        raise Refused(
            f"it leaves no value for {', '.join(map(repr, missing))}: set a variable of that name at the top of the "
            "script, or return a dictionary that has it"
        )
    return result, {name: known[name] for name in outputs}


def line_of(error: BaseException) -> int | None:
    """The line of the script in which an error arose, or led to it."""
    found = None
    trace = error.__traceback__
    while trace is not None:
        if trace.tb_frame.f_code.co_filename == SOURCE:
            found = trace.tb_lineno
        trace = trace.tb_next
    return found


class Printed(io.StringIO):
    """What a script prints: no more than a million characters."""

    def write(self, text: str) -> int:
        if self.tell() + len(text) > _PRINTED:
            raise Refused("it prints more than a million characters")
        return super().write(text)


# --- templates -------------------------------------------------------------------------------------------------------

_environments: dict[bool, Any] = {}


def render(text: str, names: Mapping[str, Any], strict: bool) -> str:
    """A template of Jinja2, rendered in its sandbox. Raises `Refused`."""
    import jinja2  # noqa: PLC0415 - an extra
    from jinja2.sandbox import ImmutableSandboxedEnvironment  # noqa: PLC0415 - as above

    if strict not in _environments:
        undefined = jinja2.StrictUndefined if strict else jinja2.Undefined
        _environments[strict] = ImmutableSandboxedEnvironment(
            undefined=undefined, keep_trailing_newline=True, cache_size=_KEPT, loader=None
        )
    environment = _environments[strict]
    try:
        key = ("", text)
        template = environment.cache.get(key)
        if template is None:
            template = environment.cache[key] = environment.from_string(text)
        return str(template.render(names))
    except jinja2.TemplateSyntaxError as error:
        raise Refused(f"line {error.lineno}: {error.message}") from None
    except jinja2.UndefinedError as error:
        known = ", ".join(names) or "none"
        raise Refused(f"{error.message}. There are values for: {known}") from None
    except jinja2.TemplateError as error:
        raise Refused(f"{error.message or type(error).__name__}") from None


# --- frames ----------------------------------------------------------------------------------------------------------

_SAFE = {
    "datetime": {"datetime", "date", "time", "timedelta", "timezone"},
    "decimal": {"Decimal"},
    "fractions": {"Fraction"},
    "uuid": {"UUID"},
    "pathlib": {"PurePosixPath", "PosixPath", "PureWindowsPath"},
    "collections": {"OrderedDict"},
    "builtins": {"complex", "set", "frozenset"},
    "zoneinfo": {"ZoneInfo"},
}


def _zones(owner: Any, name: str) -> Any:
    """What makes time zones, which are sent as something of their class; of other classes there is nothing."""
    if name != "_unpickle" or owner.__module__ != "zoneinfo":
        raise Refused(f"it gives what {name!r} of something is; what may leave a script are values")
    return owner._unpickle


class _Careful(pickle.Unpickler):
    """Makes values of a few kinds, and calls nothing else, whatever it is given."""

    def find_class(self, module: str, name: str) -> Any:
        if name in _SAFE.get(module, ()):
            return super().find_class(module, name)
        if (module, name) == ("builtins", "getattr"):
            return _zones
        raise Refused(
            f"it gives a value of the type {module}.{name}; what may leave a script are numbers, texts, bytes, lists, "
            "tuples, dictionaries, sets, dates and durations"
        )


def read_carefully(data: bytes) -> Any:
    """A value that a process of scripts has sent. Raises `Refused` for what is none of the kinds that are known."""
    try:
        return _Careful(io.BytesIO(data)).load()
    except Refused:
        raise
    except Exception as error:  # anything may come of bytes that are made up
        raise Refused(f"what came from its process can't be read ({type(error).__name__}: {error})") from None


def frame(kind: int, value: Any) -> bytes:
    """One frame. Raises what pickle raises for what can't be sent."""
    data = pickle.dumps(value, pickle.HIGHEST_PROTOCOL)
    return HEAD.pack(len(data), kind) + data


# --- the process -----------------------------------------------------------------------------------------------------


class _State:
    """What a script is told of the run, and tells it."""

    def __init__(self, line: _Line) -> None:
        self._line = line
        self.written: dict[str, Any] = {}

    def get(self, variable: str) -> Any:
        if variable in self.written:
            return self.written[variable]
        kind, value = self._line.ask(GET, variable)
        if kind == UNKNOWN:
            raise LookupError(value)
        return value

    def set(self, variable: str, value: Any) -> None:
        if not isinstance(variable, str):
            raise TypeError(f"the name of a variable is a text, got {variable!r}")
        self.written[variable] = value

    def progress(self, done: float, total: float | None = None, message: str = "") -> None:
        self._line.send(PROGRESS, (float(done), None if total is None else float(total), str(message)))

    def log(self, message: Any, level: str = "info") -> None:
        self._line.send(LOG, (str(message), str(level)))


class _Line:
    """The line to the host: two pipes that nothing else in this process knows."""

    def __init__(self, source: int, target: int) -> None:
        self._source, self._target = source, target

    def receive(self) -> tuple[int, Any] | None:
        head = self._read(HEAD.size)
        if head is None:
            return None
        size, kind = HEAD.unpack(head)
        data = self._read(size)
        return None if data is None else (kind, pickle.loads(data))  # noqa: S301 - the host is trusted

    def send(self, kind: int, value: Any) -> None:
        view = memoryview(frame(kind, value))
        while view:
            view = view[os.write(self._target, view) :]

    def ask(self, kind: int, value: Any) -> tuple[int, Any]:
        self.send(kind, value)
        answer = self.receive()
        if answer is None:
            os._exit(1)  # the host is gone
        return answer

    def _read(self, size: int) -> bytes | None:
        parts = bytearray()
        while len(parts) < size:
            chunk = os.read(self._source, min(size - len(parts), 1 << 20))
            if not chunk:
                return None
            parts += chunk
        return bytes(parts)


def _limit(memory: int, disk: int) -> None:
    """Let this process have so many bytes of memory more than it has, and write files of so many bytes."""
    import resource  # noqa: PLC0415 - POSIX

    pages = 0
    try:
        with open("/proc/self/statm", encoding="ascii") as file:  # noqa: PTH123 - pathlib takes long to import
            pages = int(file.read().split()[0])
    except OSError:
        return  # a system that does not say how much it has does not keep to the limit either
    hard = resource.getrlimit(resource.RLIMIT_AS)[1]
    wanted = pages * resource.getpagesize() + memory
    resource.setrlimit(resource.RLIMIT_AS, (wanted if hard == resource.RLIM_INFINITY else min(wanted, hard), hard))
    resource.setrlimit(resource.RLIMIT_FSIZE, (disk, resource.getrlimit(resource.RLIMIT_FSIZE)[1]))


def _has_others() -> bool:
    """Whether something that the script has started still runs: a process, or a thread."""
    tasks = os.listdir("/proc/self/task") if os.path.isdir("/proc/self/task") else []  # noqa: PTH112, PTH208
    if len(tasks) > 1:
        return True
    try:
        return os.waitpid(-1, os.WNOHANG)[0] >= 0
    except ChildProcessError:
        return False


def _leaving(kind: int, value: Any) -> bytes:
    try:
        return frame(kind, value)
    except MemoryError:
        raise
    except Exception as error:  # anything may say that it can't be pickled
        raise Refused(f"what it gives can't leave its process: {error}") from None


def _work(line: _Line, job: Any) -> bool:
    """Do a job and tell what came of it; whether the process is as good as it was before."""
    what, text, names, arguments, memory, disk, seconds = job
    state, printed, process = _State(line), Printed(), os.getpid()
    sys.stdout = printed
    clean = True
    signal.alarm(seconds)  # if the host that watches the time is killed, somebody else has to
    try:
        _limit(memory, disk)
        if what == "script":
            result, outputs = run_script(text, names, arguments, state, print)
        else:
            result, outputs = render(text, names, *arguments), {}
        clean = not _has_others()
        answer = DONE, (result, outputs, state.written, printed.getvalue(), clean)
        data = _leaving(*answer)
    except Refused as error:
        clean = not _has_others()
        data = frame(FAILED, ("", str(error), None, "", clean))
    except BaseException as error:  # whatever a script raises is told
        clean = not isinstance(error, MemoryError) and not _has_others()
        try:
            trace = "".join(traceback.format_exception(error))
            said = str(error)
        except BaseException as second:
            trace, said = "", f"an error that can't be told: {type(second).__name__}"
        kind, place = type(error).__name__, line_of(error)
        error.__traceback__ = None
        data = frame(FAILED, (kind, said[:10_000], place, trace[-10_000:], clean))
    finally:
        sys.stdout = sys.__stdout__
    if os.getpid() != process:
        os._exit(0)  # one that the script has forked, and that has come to its end
    signal.alarm(0)
    view = memoryview(data)
    while view:
        view = view[os.write(line._target, view) :]
    return clean


def _main() -> None:
    line = _Line(os.dup(0), os.dup(1))
    nothing = os.open(os.devnull, os.O_RDWR)
    for number in range(3):
        os.dup2(nothing, number)
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)  # then writing says EFBIG
    sys.path[:] = [each for each in sys.path if each != os.path.dirname(os.path.abspath(__file__))]  # noqa: PTH100, PTH120
    while (received := line.receive()) is not None and _work(line, received[1]):
        pass
    os._exit(0)  # no thread that a script has left holds it


if __name__ == "__main__":
    _main()
