"""The process that runs scripts, in this one, so that it can be looked at: what it is sent, and what it sends."""

from __future__ import annotations

import datetime
import errno
import os
import pathlib
import pickle
import resource
import signal
import sys

import pytest

from trioflow.nodes import _script
from trioflow.nodes._script import (
    DONE,
    FAILED,
    GET,
    HEAD,
    LOG,
    PROGRESS,
    RUN,
    UNKNOWN,
    VALUE,
    Refused,
    frame,
    read_carefully,
    render,
)


class Pipes:
    """Both ends of a line."""

    def __init__(self):
        self.source, self.to = os.pipe()
        self.back, self.target = os.pipe()
        self.line = _script._Line(self.source, self.target)

    def send(self, kind, value):
        os.write(self.to, frame(kind, value))

    def received(self):
        os.set_blocking(self.back, False)
        data, found = b"", []
        try:
            while chunk := os.read(self.back, 1 << 16):
                data += chunk
        except BlockingIOError:
            pass
        while data:
            size, kind = HEAD.unpack(data[: HEAD.size])
            found.append((kind, pickle.loads(data[HEAD.size : HEAD.size + size])))
            data = data[HEAD.size + size :]
        return found

    def close(self):
        for each in {self.source, self.to, self.back, self.target}:
            try:
                os.close(each)
            except OSError as error:
                assert error.errno == errno.EBADF


@pytest.fixture
def pipes(monkeypatch):
    made = Pipes()
    monkeypatch.setattr(_script, "_limit", lambda memory, disk: None)
    monkeypatch.setattr(_script.signal, "alarm", lambda seconds: None)
    monkeypatch.setattr(_script, "_has_others", lambda: False)
    yield made
    made.close()


def job(text, what="script", names=None, arguments=()):
    return (what, text, names or {}, arguments, 1 << 20, 1 << 20, 60)


def test_a_job_that_is_done(pipes):
    """What it asks of the host and tells it comes first; what it writes comes with the end."""
    code = "state.progress(1); state.log(2); state.set('w', state.get('v')); print('x'); y = state.get('w'); result = a"
    pipes.send(VALUE, 5)
    assert _script._work(pipes.line, job(code, names={"a": 1}, arguments=["y"]))
    assert sys.stdout is sys.__stdout__ or not isinstance(sys.stdout, _script.Printed)
    assert pipes.received() == [
        (PROGRESS, (1.0, None, "")),
        (LOG, ("2", "info")),
        (GET, "v"),
        (DONE, (1, {"y": 5}, {"w": 5}, "x\n", True)),
    ]


def test_jobs_that_fail(pipes, monkeypatch):
    pipes.send(UNKNOWN, "there is no 'v'")
    assert _script._work(pipes.line, job("state.get('v')"))
    assert _script._work(pipes.line, job("state.set(1, 2)"))
    assert _script._work(pipes.line, job("="))
    assert _script._work(pipes.line, job("return lambda: 0"))
    assert not _script._work(pipes.line, job("raise MemoryError"))
    assert _script._work(pipes.line, job("class E(Exception):\n def __str__(self): 1/0\nraise E"))
    monkeypatch.setattr(_script, "_has_others", lambda: True)
    assert not _script._work(pipes.line, job("1/0"))
    assert not _script._work(pipes.line, job(""))
    said = [(kind, value[:3] if kind == FAILED else value[-1]) for kind, value in pipes.received() if kind != GET]
    assert said[:3] == [
        (FAILED, ("LookupError", "there is no 'v'", 1)),
        (FAILED, ("TypeError", "the name of a variable is a text, got 1", 1)),
        (FAILED, ("", "line 1: invalid syntax: =", None)),
    ]
    assert said[3][1][1].startswith("what it gives can't leave its process")
    assert [each[1][0] for each in said[4:7]] == ["MemoryError", "E", "ZeroDivisionError"]
    assert said[7] == (DONE, False)


def test_a_template_is_a_job(pipes):
    assert _script._work(pipes.line, job("{{ a }}!", "template", {"a": 1}, (True,)))
    assert pipes.received() == [(DONE, ("1!", {}, {}, "", True))]


class Ended(BaseException):
    pass


def leave(code):
    raise Ended(code)


def test_the_fork_of_a_script_says_nothing(pipes, monkeypatch):
    """It has come to the end of the script, as its parent has."""
    monkeypatch.setattr(os, "_exit", leave)
    numbers = iter([1, 2])
    monkeypatch.setattr(os, "getpid", lambda: next(numbers))
    with pytest.raises(Ended):
        _script._work(pipes.line, job(""))
    assert pipes.received() == []


def test_a_host_that_has_gone(pipes, monkeypatch):
    monkeypatch.setattr(os, "_exit", leave)
    os.close(pipes.to)
    with pytest.raises(Ended):
        pipes.line.ask(GET, "v")


def test_the_line_is_read_until_its_end(pipes):
    os.write(pipes.to, HEAD.pack(10, RUN) + b"cut")
    os.close(pipes.to)
    assert pipes.line.receive() is None


def test_the_process_does_jobs_until_one_leaves_something(monkeypatch):
    """Then it ends; and when the host closes the line. Nothing but the line knows the pipes."""
    pipes, ended = Pipes(), []
    monkeypatch.setattr(_script, "_limit", lambda memory, disk: None)
    monkeypatch.setattr(_script.signal, "alarm", lambda seconds: None)
    monkeypatch.setattr(_script.signal, "signal", lambda *_: None)
    monkeypatch.setattr(os, "dup", lambda number: (pipes.source, pipes.target)[number])
    monkeypatch.setattr(os, "dup2", lambda *_: None)
    monkeypatch.setattr(os, "_exit", ended.append)
    monkeypatch.setattr(sys, "path", [os.path.dirname(_script.__file__), "x"])
    others = iter([False, True])
    monkeypatch.setattr(_script, "_has_others", lambda: next(others))
    opened = os.open(os.devnull, os.O_RDWR)
    monkeypatch.setattr(os, "open", lambda *_: opened)
    for _ in range(2):
        pipes.send(RUN, job("result = 1"))
    _script._main()
    assert ([value[-1] for _, value in pipes.received()], ended, sys.path) == ([True, False], [0], ["x"])
    os.close(opened)
    pipes.close()


def test_limits(monkeypatch):
    """So much more than it has, but never more than it may; where the system does not say how much, none."""
    limits = []
    monkeypatch.setattr(resource, "setrlimit", lambda what, limit: limits.append((what, limit)))
    monkeypatch.setattr(resource, "getrlimit", lambda what: (0, resource.RLIM_INFINITY))
    _script._limit(1000, 2000)
    (memory, (soft, _)), disk = limits
    assert (memory, soft > 1000, disk) == (
        resource.RLIMIT_AS, True, (resource.RLIMIT_FSIZE, (2000, resource.RLIM_INFINITY)),
    )  # fmt: skip
    monkeypatch.setattr(resource, "getrlimit", lambda what: (0, 5000))
    _script._limit(1000, 2000)
    assert limits[2] == (resource.RLIMIT_AS, (5000, 5000))

    def nothing(*_, **__):
        raise FileNotFoundError

    monkeypatch.setattr("builtins.open", nothing)
    _script._limit(1000, 2000)
    assert len(limits) == 4


def test_what_a_script_has_left_running(monkeypatch):
    """A thread, or a process; on systems without /proc only processes are seen."""
    monkeypatch.setattr(os, "listdir", lambda path: ["1", "2"])
    assert _script._has_others()
    monkeypatch.setattr(os.path, "isdir", lambda path: False)

    def none(*_):
        raise ChildProcessError

    monkeypatch.setattr(os, "waitpid", none)
    assert not _script._has_others()
    monkeypatch.setattr(os, "waitpid", lambda *_: (0, 0))
    assert _script._has_others()
    assert signal.SIGKILL  # the host uses it


def test_values_that_are_known_come_back_as_they_are():
    import zoneinfo

    for value in (1 + 2j, {1}, frozenset({2}), zoneinfo.ZoneInfo("Europe/Berlin")):
        assert read_carefully(pickle.dumps(value)) == value
    for other in (print, pathlib.Path.cwd, "".join):
        with pytest.raises(Refused):
            read_carefully(pickle.dumps(other))


def test_an_attribute_of_something_else_is_refused():
    """Only zones are made by way of one."""

    class Sly:
        def __reduce__(self):
            return getattr, (datetime.datetime, "now")

    with pytest.raises(Refused, match="it gives what 'now' of something is"):
        read_carefully(pickle.dumps(Sly()))


@pytest.mark.parametrize(
    ("template", "message"),
    [
        ("{{ b }}", "'b' is undefined. There are values for: a"),
        ("{{ ", "line 1: unexpected 'end of template'"),
        ("{{ a.__class__ }}", "access to attribute '__class__' of 'int' object is unsafe."),
        ("{% if a %}\n{% nonsense %}{% endif %}", "line 2: Encountered unknown tag 'nonsense'"),
    ],
)
def test_templates_that_fail(template, message):
    with pytest.raises(Refused) as caught:
        render(template, {"a": 1}, True)
    assert message in str(caught.value)


def test_templates():
    assert render("{% for x in xs %}{{ x|upper }}{% endfor %}\n", {"xs": "ab"}, True) == "AB\n"
    assert render("<{{ b }}>", {}, False) == "<>"
    environment = _script._environments[True]
    before = len(environment.cache)
    render("{{ 1 }}", {}, True)
    render("{{ 1 }}", {}, True)
    assert len(environment.cache) == before + 1
