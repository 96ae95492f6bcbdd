"""Ports as real processes: whatever they do ends in a clear finding within the time limit."""

from __future__ import annotations

import os
import signal
import sys
import time

import pytest
from conformance.ports import REQUEST, command

from trioflow.conformance.port import PortFailure, ProcessPort

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="process groups of POSIX")

SOON = 0.6
"""Seconds for a port that is meant to run out of them."""


@pytest.fixture
def open_port(tmp_path):
    """Start a port from a script; it is killed in the end."""
    opened = []

    def start(script, **options):
        port = ProcessPort(command(tmp_path, script), **options)
        opened.append(port)
        return port

    yield start
    for port in opened:
        port.kill()


def failure_of(ask, *arguments):
    """What a call fails with, and that it does not take longer than a time limit and a bit."""
    started = time.monotonic()
    with pytest.raises(PortFailure) as caught:
        ask(*arguments)
    assert time.monotonic() - started < 8
    return caught.value


# --- good ports


def test_a_good_port(open_port):
    """A port says who it is, answers each request, and ends when it is told to."""
    port = open_port("serve(lambda request: say(result(request, variables={'v': request['level']})))", time_limit=10)
    assert (port.name, port.level, port.capabilities) == ("test (Python)", 0, {"core"})
    assert repr(port) == "<ProcessPort 'test (Python)' level 0, running>"
    for number in range(5):
        answer = port.run({**REQUEST, "level": number})
        assert (answer["id"], answer["variables"]) == (number + 1, {"v": number})
    port.close()
    assert repr(port) == "<ProcessPort 'test (Python)' level 0, stopped>"
    port.close()


def test_skipped_and_error_are_answers(open_port):
    port = open_port(
        """
        def run(request):
            if request["level"]:
                say({"type": "skipped", "id": request["id"], "reason": "no time"})
            else:
                say({"type": "error", "id": request["id"], "message": "lost", "context": {"at": [1, None]}})
        serve(run)
        """
    )
    assert port.run({**REQUEST, "level": 0})["message"] == "lost"
    assert port.run({**REQUEST, "level": 1})["reason"] == "no time"


def test_requests_and_answers_of_megabytes(open_port):
    """Long lines in both directions pass through pipes that hold little."""
    port = open_port("serve(lambda request: say(result(request, variables=request['variables'])))")
    variables = {"v": "é" * 2_000_000}
    assert port.run({**REQUEST, "variables": variables})["variables"] == variables


def test_text_comes_through_unchanged(open_port):
    """Requests are UTF-8, not escapes; what has no form in UTF-8 is escaped."""
    port = open_port(
        """
        import io
        sys.stdin = io.TextIOWrapper(sys.stdin.buffer, encoding="utf-8")
        line = sys.stdin.readline()
        say(STARTED)
        for line in sys.stdin:
            request = json.loads(line)
            say(result(request, variables={**request["variables"], "escaped": "\\\\u" in line}))
        """
    )
    for text, escaped in (("Größe 🎈", False), ("\ud800", True)):
        assert port.run({**REQUEST, "variables": {"t": text}})["variables"] == {"t": text, "escaped": escaped}


def test_what_a_port_writes_to_standard_error_does_not_block_it(open_port):
    """A port may write megabytes of messages before each answer."""
    port = open_port(
        """
        def run(request):
            for _ in range(50):
                sys.stderr.write("x" * 100_000 + "\\n")
            say(result(request))
        serve(run)
        """
    )
    assert port.run(REQUEST)["status"] == "completed"
    port.close()


# --- bad ports

STARTS_BADLY = {
    "ends at once": ("sys.exit(3)", "died", "it ended with exit code 3, instead of giving an answer."),
    "other contract": (
        "serve(None, contract='1.0')",
        "contract",
        "it keeps version '1.0' of the contract, and this kit 2.2.",
    ),
    "claims what it lacks": (
        "serve(None, level=1, capabilities=['core', 'data', 'state'])",
        "claims",
        "it claims level 1, but not what that level needs: failure, limit. Claim these capabilities, or a lower level.",
    ),
    "unknown capability": (
        "serve(None, capabilities=['core', 'magic'])",
        "malformed",
        'capabilities[1]: expected "core" or "data" or',
    ),
    "several problems": (
        "serve(None, level=7, name=None)",
        "malformed",
        "  name: expected text, got null\n  level: expected 0 or 1 or 2 or 3, got int 7",
    ),
    "a banner": (
        "write('Welcome!\\n')\ntime.sleep(1)",
        "nonsense",
        "its answer is not JSON: `Welcome!`: line 1, column 1",
    ),
}


@pytest.mark.parametrize(("script", "fault", "message"), STARTS_BADLY.values(), ids=STARTS_BADLY)
def test_a_port_that_does_not_start_well(open_port, script, fault, message):
    failure = failure_of(open_port, script)
    assert failure.fault == fault
    assert message in str(failure)


@pytest.mark.parametrize("program", ["nosuchprogram", "/", "\0"])
def test_a_command_that_can_not_be_started(program):
    failure = failure_of(ProcessPort, [program])
    assert failure.fault == "not-started"
    assert "can't be started: " in str(failure)


ANSWERS_BADLY = {
    "nonsense": ("write('<html>\\x07\\n')", "nonsense", r"its answer is not JSON: `<html>\x07`: line 1, column 1"),
    "a list": ("write('[1, 2]\\n')", "nonsense", "its answer is not an object: `[1, 2]`."),
    "an endless list": ("write('[' * 1_000_000 + '\\n')", "nonsense", "it is nested too deeply."),
    "a long number": ("write('{\"a\": ' + '1' * 5000 + '}\\n')", "nonsense", "Exceeds the limit"),
    "not UTF-8": (
        'sys.stdout.buffer.write(b\'{"a": "\\xff"}\\n\'); sys.stdout.flush()',
        "not-utf8",
        "its answer is not UTF-8: byte 0xff at offset 7 of",
    ),
    "wrong id": ("say(result({'id': 7}))", "wrong-id", "it answered request 1 with the id 7."),
    "no id": ("say(RESULT)", "malformed", 'the message: the key "id" is missing. Add it.'),
    "answer to start": (
        "say(STARTED)",
        "malformed",
        'type: expected "result" or "skipped" or "error", got text "started"',
    ),
    "fractions": (
        "say(result(request, variables={'v': 1.5}))",
        "malformed",
        "variables.v: expected a whole number, text, true, false, null or a list of these, got 1.5",
    ),
    "many problems": (
        "say(result(request, life=list(range(9))))",
        "malformed",
        "  life[4]: expected text, got int 4\n  and 4 more",
    ),
    "key twice": (
        'write(json.dumps(result(request))[:-1] + \', "status": "failed"}\\n\')',
        "malformed",
        'the message: the key "status" occurs more than once.',
    ),
    "answers twice": (
        "write((json.dumps(result(request)) + '\\n') * 2)",
        "twice",
        'it wrote more than one line in answer to a request: `{"type": "result", "status": "completed", "errors": [], "pro...` '
        'and `{"type"',
    ),
    "dies": ("sys.exit(4)", "died", "it ended with exit code 4, instead of giving an answer."),
    "is killed": ("os.kill(os.getpid(), signal.SIGSEGV)", "died", "it was killed by SIGSEGV, instead of"),
    "is killed by another signal": ("os.kill(os.getpid(), 40)", "died", "it was killed by "),
    "dies in a line": (
        "write('{\"typ'); os._exit(0)",
        "died",
        'exit code 0 in the middle of a line, after `{"typ`, inst',
    ),
    "closes its output": (
        "os.close(1); time.sleep(60)",
        "closed",
        "it closed its standard output, while it goes on running.",
    ),
    "100 MB on a line": (
        "[write('x' * 1_000_000) for _ in range(100)]",
        "too-long",
        "bytes without an end of line; a line may have 16,777,216.",
    ),
}


@pytest.mark.slow
@pytest.mark.parametrize(("script", "fault", "message"), ANSWERS_BADLY.values(), ids=ANSWERS_BADLY)
def test_a_bad_answer(open_port, script, fault, message):
    failure = failure_of(open_port(f"def run(request):\n    {script}\nserve(run)").run, REQUEST)
    assert failure.fault == fault
    assert message in str(failure)


FALLS_SILENT = {
    "hangs": ("time.sleep(60)", "silent", "it gave no answer within 0.6 seconds."),
    "no end of line": (
        "write(json.dumps(result(request)))\n    time.sleep(60)",
        "unended",
        "and no end of line (\\n) within",
    ),
    "floods standard error": (
        "while True: sys.stderr.write('x' * 1000)",
        "silent",
        "it gave no answer within 0.6 seconds.\nIts standard error ends with:\n  xxxxx",
    ),
    "closes its input": ("os.close(0)\n    time.sleep(60)", "silent", "it gave no answer within 0.6 seconds."),
}


@pytest.mark.slow
@pytest.mark.parametrize(("script", "fault", "message"), FALLS_SILENT.values(), ids=FALLS_SILENT)
def test_no_answer(open_port, script, fault, message):
    failure = failure_of(open_port(f"def run(request):\n    {script}\nserve(run)", time_limit=SOON).run, REQUEST)
    assert failure.fault == fault
    assert message in str(failure)
    assert len(str(failure)) < 5000


def test_a_line_that_is_just_too_long(open_port):
    """The limit holds for lines that end, too."""
    port = open_port("serve(lambda request: say(result(request, life=['x' * request['level']])))", line_limit=1000)
    assert port.run({**REQUEST, "level": 700})["status"] == "completed"
    failure = failure_of(port.run, {**REQUEST, "level": 1000})
    assert failure.fault == "too-long"
    assert "it wrote a line of 1,1" in str(failure)


@pytest.mark.slow
@pytest.mark.parametrize("then", ["time.sleep(60)", "os.close(0); say(STARTED); time.sleep(60)"])
def test_a_port_that_reads_nothing(open_port, then):
    """A request that does not fit into the pipe, or finds it closed, does not hold up the kit."""
    say = "" if "say" in then else "say(STARTED);"
    port = open_port(f"sys.stdin.readline(); {say} {then}", time_limit=SOON)
    assert failure_of(port.run, {**REQUEST, "variables": {"v": "x" * 1_000_000}}).fault == "silent"


def test_a_port_that_answers_before_it_has_read(open_port):
    """The rest of the request would be taken for the next one."""
    port = open_port("sys.stdin.readline(); say(STARTED); time.sleep(0.2); say(result({'id': 1})); time.sleep(60)")
    failure = failure_of(port.run, {**REQUEST, "variables": {"v": "x" * 1_000_000}})
    assert failure.fault == "early"
    assert str(failure).startswith('it answered before it had read the whole request: `{"type": "result"')


def test_a_second_answer_that_comes_late(open_port):
    """A line that nobody asked for is found at the next request, or at the end."""
    late = "def run(request):\n    say(result(request)); time.sleep(0.05); say(result(request))\nserve(run)"
    for then in (lambda port: port.run(REQUEST), ProcessPort.close):
        port = open_port(late)
        port.run(REQUEST)
        time.sleep(0.3)
        assert failure_of(then, port).fault == "twice"


def test_the_last_words_are_shown(open_port):
    """A finding ends with the last lines that the port wrote to its standard error, made harmless."""
    port = open_port(
        """
        def run(request):
            for number in range(100):
                print("line", number, "\\x1b[31m", file=sys.stderr)
            raise SystemExit("I give up")
        serve(run)
        """
    )
    failure = failure_of(port.run, REQUEST)
    assert failure.fault == "died"
    lines = str(failure).splitlines()
    assert lines[:2] == ["it ended with exit code 1, instead of giving an answer.", "Its standard error ends with:"]
    assert lines[2:] == [*(f"  line {number} \\x1b[31m" for number in range(91, 100)), "  I give up"]


ENDS_BADLY = {
    "exit code": ("serve(None)\nsys.exit(5)", "exit", "it was told to stop and ended with exit code 5, instead of 0."),
    "goes on": ("serve(None)\ntime.sleep(60)", "exit", "it was told to stop and still runs after 0.6 seconds."),
    "says good-bye": ("serve(None)\nwrite('bye\\n')", "twice", "it wrote a line that nobody asked for: `bye\\n`."),
}


@pytest.mark.parametrize(("script", "fault", "message"), ENDS_BADLY.values(), ids=ENDS_BADLY)
def test_a_port_that_does_not_end_well(open_port, script, fault, message):
    failure = failure_of(open_port(script, time_limit=SOON).close)
    assert failure.fault == fault
    assert message in str(failure)


# --- after a failure


def test_a_port_is_started_again(open_port):
    """After a failure the next request goes to a new process; not more often than it may be started again."""
    port = open_port(
        """
        def run(request):
            if request["level"]:
                sys.exit(1)
            say(result(request, life=[str(os.getpid())]))
        serve(run)
        """,
        restarts=2,
    )
    pids = []
    for _ in range(2):
        pids.append(port.run(REQUEST)["life"][0])
        assert failure_of(port.run, {**REQUEST, "level": 1}).fault == "died"
    pids.append(port.run(REQUEST)["life"][0])
    assert len(set(pids)) == 3
    assert failure_of(port.run, {**REQUEST, "level": 1}).fault == "died"
    for _ in range(2):
        failure = failure_of(port.run, REQUEST)
        assert (failure.fault, str(failure)) == ("given-up", "it has failed too often and is not started again.")
    port.close()


def test_a_malformed_answer_costs_no_restart(open_port):
    """A message of a wrong form leaves the conversation in order."""
    port = open_port("serve(lambda request: say(result(request, life=0 if request['level'] else [])))", restarts=0)
    assert failure_of(port.run, {**REQUEST, "level": 1}).fault == "malformed"
    assert port.run(REQUEST)["status"] == "completed"


def test_what_a_port_has_started_is_killed_with_it(open_port):
    """The whole process group ends, also processes that hold the pipes open."""
    port = open_port(
        """
        def run(request):
            child = os.fork()
            if not child:
                time.sleep(60)
            say(result(request, life=[str(child)]))
        serve(run)
        """
    )
    child = int(port.run(REQUEST)["life"][0])
    port.kill()
    for _ in range(100):
        try:
            os.kill(child, 0)
        except ProcessLookupError:
            return
        if state(child) == "Z":  # nobody has fetched its exit code yet
            return
        time.sleep(0.02)
    os.kill(child, signal.SIGKILL)
    raise AssertionError("the child lives")


def state(pid: int) -> str:
    """The state of a process, where the operating system tells it in a file."""
    try:
        with open(f"/proc/{pid}/stat", encoding="ascii") as file:
            return file.read().rpartition(")")[2].split()[0]
    except OSError:
        return ""
