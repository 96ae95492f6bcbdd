"""Commands: real ones, and nothing of them is left behind, whatever happens."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import trio

import trioflow as tf
from trioflow.nodes._command import CommandFailed, CommandNotStarted, TooMuchOutput, how_it_ended, is_group_alive
from trioflow.nodes._text import NotText
from trioflow.testing import fire


def run(*command, **inputs):
    return fire("process.run", command=list(command), virtual=False, **inputs)


def python(code, **inputs):
    return run(sys.executable, "-c", code, **inputs)


def alone(node_type, **inputs):
    """A graph with the node, whose ways on lead nowhere."""
    with tf.build() as g:
        node = g.add(node_type, "node", **inputs)
        g.connect(g.add("flow.start").then, node.enter)
    return g.graph


def fails(error, node_type, **inputs):
    with pytest.raises(error) as caught:
        trio.run(tf.run, alone(node_type, **inputs))
    return caught.value


FAMILY = """
import subprocess, sys, time
print(*[subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"]).pid for _ in range(2)], flush=True)
time.sleep(60)
"""
"""A command that starts two others, tells their numbers, and takes long."""


def is_alive(process):
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except FileNotFoundError:
        return False


def test_what_it_wrote_and_how_it_ended():
    """Input goes in, output and errors come out, whatever their size; a command need not read its input."""
    code = "import sys; sys.stdout.write(sys.stdin.read().upper()); sys.stderr.write('careful')"
    assert python(code, input="ä\n" * 100_000) == [
        ("then", {"exit_code": 0, "stdout": "Ä\n" * 100_000, "stderr": "careful"})
    ]
    assert run("true", input="x" * 1_000_000) == [("then", {"exit_code": 0, "stdout": "", "stderr": ""})]


def test_arguments_are_no_text_for_a_shell(tmp_path):
    """Nothing in an argument means anything but itself."""
    said = run("printf", "%s|", "a b", "$HOME", "; exit 3", "*", folder=str(tmp_path))
    assert said[0][1]["stdout"] == "a b|$HOME|; exit 3|*|"


def test_folder_and_environment(tmp_path):
    """It runs where it is told, with variables on top of those of the host."""
    code = "import os; print(os.getcwd(), os.environ['MINE'], 'PATH' in os.environ)"
    said = python(code, folder=str(tmp_path), environment={"MINE": "1"})
    assert said[0][1]["stdout"] == f"{tmp_path} 1 True\n"


@pytest.mark.parametrize(("code", "exit_code"), [
    ("raise SystemExit(3)", 3), ("import os; os.kill(os.getpid(), 9)", -9)
])  # fmt: skip
def test_failing(code, exit_code):
    """Another exit code than 0 goes on at `failed`; what ended by a signal has its number, negative."""
    [(output, values)] = python(code)
    assert (output, values["exit_code"]) == ("failed", exit_code)


def test_failing_with_nowhere_to_go():
    """If `failed` leads nowhere, it is an error that repeats the end of what the command said."""
    code = "import sys; sys.exit('x' * 5000 + 'no luck')"
    error = fails(CommandFailed, "process.run", command=[sys.executable, "-c", code])
    assert str(error).startswith(f"process.run: {sys.executable!r} ended with exit code 1. It said: xxx")
    assert str(error).endswith("xno luck")
    assert (len(str(error)) < 2200, error.exit_code) == (True, 1)


def test_endings_in_words():
    """Exit codes and signals are told in words."""
    assert [how_it_ended(code) for code in (2, -9, -63)] == [
        "ended with exit code 2", "was ended by SIGKILL", "was ended by signal 63"
    ]  # fmt: skip


@pytest.mark.parametrize("node_type", ["process.run", "process.pipe", "process.stream", "process.alongside"])
def test_a_command_that_does_not_exist(node_type, tmp_path):
    """There is none of that name, it may not be executed, or its folder is none: a clear error."""
    assert str(fails(CommandNotStarted, node_type, command=["no such command", "x"])) == (
        f"{node_type}: there is no command 'no such command'."
    )
    assert str(fails(CommandNotStarted, node_type, command=[str(tmp_path)])) == (
        f"{node_type}: {str(tmp_path)!r} can't be started: Permission denied."
    )
    assert str(fails(NotADirectoryError, node_type, command=["true"], folder="/no/such/folder")) == (
        f"{node_type}: the working folder '/no/such/folder' is not a folder."
    )


@pytest.mark.parametrize(("inputs", "error", "message"), [
    ({"command": []}, ValueError, "process.run needs a command: a list of texts, the program first."),
    ({"command": [""]}, ValueError, "process.run: the first argument names the program, and can't be empty."),
    ({"command": ["a\0"]}, ValueError,
     "process.run: an argument can't hold a null character, and number 0 is 'a\\x00'."),
    ({"command": ["true"], "environment": {"A=": "x"}}, ValueError,
     "process.run: 'A=': 'x' can't be an environment variable."),
    ({"command": ["true"], "timeout": -1.0}, ValueError, "process.run needs 0 seconds or more, got -1.0."),
    ({"command": ["true"], "grace": float("inf")}, ValueError,
     "process.run needs a grace that ends, got inf: it would hold up a cancellation for ever."),
    ({"command": ["cat"], "encoding": "ascii", "input": "ä"}, ValueError,
     "process.run: input: ascii has no bytes for 'ä', the character at 0."),
])  # fmt: skip
def test_bad_inputs(inputs, error, message):
    """What can't be a command is told before anything is started."""
    assert str(fails(error, "process.run", **inputs)) == message


def test_arguments_that_come_by_wire_are_checked():
    """A list on a wire may hold anything: what is not a text is told."""
    with tf.build() as g:
        run = g.add("process.run", command=g.add(lambda: ["echo", 1]).result)
        g.connect(g.add("flow.start").then, run.enter)
    with pytest.raises(TypeError, match="process.run: an argument is a text, and number 1 is 1"):
        trio.run(tf.run, g.graph)
    with tf.build() as g:
        other = g.add("process.run", command=["true"], environment=g.add(lambda: {"A": 1}).result)
        g.connect(g.add("flow.start").then, other.enter)
    with pytest.raises(TypeError, match="process.run: environment variables are texts, got 'A': 1"):
        trio.run(tf.run, g.graph)


def test_output_that_is_no_text():
    """The error tells at which byte; `process.pipe` takes it as it is."""
    code = r"import sys; sys.stdout.buffer.write(b'ab\xff')"
    assert str(fails(NotText, "process.run", command=[sys.executable, "-c", code])) == (
        "process.run: what the command wrote is not utf-8 text: byte 0xff at offset 2: invalid start byte."
    )
    said = fire("process.pipe", command=[sys.executable, "-c", code], virtual=False)
    assert said == [("then", {"exit_code": 0, "output": b"ab\xff", "errors": b""})]


def test_output_without_end():
    """A command that writes more than is kept is ended."""
    started = time.monotonic()
    assert str(fails(TooMuchOutput, "process.run", command=["yes"], most=1000)) == (
        "process.run: the command wrote more than 1,000 bytes to its output."
    )
    assert time.monotonic() - started < 20


@pytest.mark.slow
def test_taking_too_long(tmp_path):
    """What takes too long is ended with all that it started; what it wrote by then is there."""
    [(output, values)] = python(FAMILY, timeout=1.5)
    assert (output, values["exit_code"]) == ("timed_out", -signal.SIGTERM)
    grandchildren = [int(word) for word in values["stdout"].split()]
    assert len(grandchildren) == 2
    assert not any(map(is_alive, grandchildren))
    error = fails(TimeoutError, "process.run", command=["sleep", "60"], timeout=0.1)
    assert str(error) == "process.run: 'sleep' took longer than 0.1 s."


@pytest.mark.slow
def test_what_does_not_listen_is_killed():
    """SIGTERM is ignored, SIGKILL can't be: it comes when the grace period is over."""
    code = "import signal, time; signal.signal(15, signal.SIG_IGN); print('ready', flush=True); time.sleep(60)"
    started = time.monotonic()
    [(output, values)] = python(code, timeout=1.0, grace=0.3)
    assert (output, values["exit_code"], values["stdout"]) == ("timed_out", -signal.SIGKILL, "ready\n")
    assert 0.6 < time.monotonic() - started < 20


def test_cancelled(tmp_path):
    """Cancelling the run ends the command and all that it started."""
    told = tmp_path / "told"
    code = FAMILY.replace("flush=True", f"flush=True, file=open({str(told)!r}, 'w')")

    def words():
        return told.read_text().split() if told.exists() else []

    async def main():
        async with trio.open_nursery() as nursery:
            nursery.start_soon(tf.run, alone("process.run", command=[sys.executable, "-c", code]))
            while len(words()) < 2:
                await trio.sleep(0.01)
            nursery.cancel_scope.cancel()

    trio.run(main)
    assert not any(map(is_alive, words()))


def test_what_it_leaves_running_is_ended():
    """A command has ended when it itself has: what it left running does not outlive the node, nor keep it waiting."""
    started = time.monotonic()
    [(output, values)] = run("sh", "-c", "sleep 60 & echo $!")
    assert (output, is_alive(values["stdout"].strip())) == ("then", False)
    assert time.monotonic() - started < 20


def test_what_has_left_the_group_keeps_nobody_waiting():
    """A daemon that holds the pipes is not waited for."""
    code = "import subprocess, sys; print(subprocess.Popen(['sleep', '60'], start_new_session=True).pid, flush=True)"
    started = time.monotonic()
    [(output, values)] = python(code)
    assert (output, time.monotonic() - started < 20) == ("then", True)
    daemon = int(values["stdout"])
    assert is_alive(daemon)
    os.kill(daemon, signal.SIGKILL)


def test_process_groups():
    """A group is alive while somebody in it is; who has ended is not, even if nobody has asked for that yet."""
    assert is_group_alive(os.getpgrp())
    assert not is_group_alive(2**22 + 1)
    with subprocess.Popen(["sleep", "60"], start_new_session=True) as process:
        assert is_group_alive(process.pid)
        process.kill()
        os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
        assert not is_group_alive(process.pid)


def test_no_pipe_is_left_open():
    """However it ends, as many files are open afterwards as before."""

    async def main():
        before = len(os.listdir("/proc/self/fd"))
        for command, timeout in (["true"], None), (["sleep", "60"], 0.05), (["no such command"], None):
            with contextlib.suppress(TimeoutError, CommandNotStarted):
                await tf.run(alone("process.run", command=command, timeout=timeout))
        return before, len(os.listdir("/proc/self/fd"))

    before, after = trio.run(main)
    assert before == after


def streaming(*command, **inputs):
    return fire("process.stream", command=list(command), virtual=False, **inputs)


@pytest.mark.slow
def test_lines_come_while_it_runs():
    """A line is sent when it comes, not when the command has ended."""
    times = []
    code = "import time; print(1, flush=True); time.sleep(0.6); print(2)"
    fired = streaming(sys.executable, "-c", code, body=lambda: times.append(time.monotonic()))
    assert [values.get("line") for _, values in fired] == ["1", "2", None]
    assert times[1] - times[0] > 0.2


def test_a_command_waits_for_its_reader():
    """Back-pressure: a command that writes without end is only as far as its lines are worked on."""
    fired = streaming("yes", "x" * 99, body="flow.break")
    assert (fired[0], fired[-1][0]) == (("body", {"line": "x" * 99, "number": 1}), "done")
    assert fired[-1][1]["exit_code"] < 0


def test_a_stream_that_fails():
    """Another exit code goes on at `failed` after the last line, or is an error."""
    fired = streaming("sh", "-c", "echo a; echo no >&2; exit 3")
    assert fired == [
        ("body", {"line": "a", "number": 1}), ("failed", {"exit_code": 3, "stderr": "no\n"})
    ]  # fmt: skip
    assert fails(CommandFailed, "process.stream", command=["false"]).exit_code == 1


def test_a_body_that_fails_ends_the_command():
    """What fails further on is raised as it is, not in a group, and the command is ended."""
    started = time.monotonic()
    with pytest.raises(ZeroDivisionError):
        streaming("sh", "-c", "echo a; sleep 60", body=lambda: 1 / 0)
    assert time.monotonic() - started < 20


def test_a_stream_of_no_text():
    """The lines before are sent; the error tells at which byte."""
    seen = []
    with pytest.raises(NotText, match="byte 0xff at offset 2: invalid start byte"):
        streaming("printf", r"a\n\377\n", body=lambda: seen.append(1))
    assert seen == [1]


def test_a_line_that_is_too_long():
    """A line without end is an error, not all of the memory."""
    with pytest.raises(ValueError, match="process.stream: what the command wrote: a line has more than 1,000 char"):
        streaming("sh", "-c", "yes | tr -d '\n'", longest=1000)


def test_cancelling_a_stream():
    """A stream is cancelled while it waits for the next line, too."""

    async def main():
        with trio.move_on_after(0.2) as scope:
            await tf.run(alone("process.stream", command=["sleep", "60"]))
        return scope.cancelled_caught

    assert trio.run(main)


def test_a_command_alongside(tmp_path):
    """It runs while the body does; one that fails meanwhile cancels the body, and what fails in the body is itself."""
    mark = tmp_path / "mark"

    async def wait():
        while not mark.exists():
            await trio.sleep(0.01)

    code = f"import time; open({str(mark)!r}, 'w').close(); time.sleep(60)"
    command = [sys.executable, "-c", code]
    fired = fire("process.alongside", command=command, body=wait, virtual=False)
    assert fired == [("body", {}), ("done", {"stderr": ""})]
    with pytest.raises(CommandFailed, match="'sh' ended with exit code 3. It said: no"):
        command = ["sh", "-c", "echo no >&2; exit 3"]
        fire("process.alongside", command=command, body=lambda: trio.sleep(60), virtual=False)
    with pytest.raises(ZeroDivisionError):
        fire("process.alongside", command=["sleep", "60"], body=lambda: 1 / 0, virtual=False)
    fired = fire("process.alongside", command=["true"], body=lambda: trio.sleep(0.2), virtual=False)
    assert fired[-1] == ("done", {"stderr": ""})


def test_programs_and_variables(monkeypatch):
    """Programs are found by name, variables of the environment read; lines are split and joined as a shell does."""
    from trioflow.nodes.process import environment, find, join_command, split_command

    assert Path(trio.run(find, "sh")).name == "sh"
    monkeypatch.setenv("MINE", "1")
    assert environment("MINE", "2") == "1"
    words = ["a b", "c'd", ""]
    assert split_command(join_command(words)) == words
    with pytest.raises(ValueError, match='process.split: "a \'b": No closing quotation.'):
        split_command("a 'b")
