"""Output that nobody can take: a closed pipe, a full disk, streams that were closed at the start."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
from cli.conftest import COMMAND

pytestmark = pytest.mark.skipif(not os.path.exists("/dev/full"), reason="there is no /dev/full")

FULL = "error: stdout can't be written: No space left on device."


@pytest.fixture
def shell(tmp_path):
    """Run a line of a shell, in which `trioflow` is the command line; `"$@"` are further words."""

    def run(line, **environment):
        script = f'trioflow() {{ {sys.executable} -m trioflow.cli "$@"; }}; {line}'
        done = subprocess.run(
            ["bash", "-c", script],
            capture_output=True,
            text=True,
            cwd=tmp_path,
            env=os.environ | environment,
            timeout=60,
        )
        return done.returncode, done.stdout, done.stderr

    return run


@pytest.mark.slow
@pytest.mark.parametrize(
    ("line", "unbuffered"), [("nodes", ""), ("nodes", "1"), ("--help", ""), ("draw census", "1"), ("check census", "")]
)
def test_a_full_disk_is_a_line(shell, line, unbuffered):
    """What was to be shown and can't be is bad input: one line, exit code 2."""
    assert shell(f"trioflow {line} > /dev/full", PYTHONUNBUFFERED=unbuffered) == (2, "", f"{FULL}\n")


def test_a_full_disk_after_a_run(shell):
    """A run whose result can't be written has run; that it got lost is told, and is a failure."""
    code, _, said = shell("trioflow run hanoi --json > /dev/full")
    assert (code, said.splitlines()[-1]) == (1, FULL)
    assert said.splitlines()[-2].startswith("done after ")


def test_a_full_disk_while_a_graph_prints(shell):
    """A node that can't print fails, as a node of any other kind does."""
    code, _, said = shell("trioflow run fizzbuzz > /dev/full", PYTHONUNBUFFERED="1")
    assert code == 1
    assert said.startswith("error: node 'print' (debug.print), activation 0.1.0: OSError: [Errno 28] No space left")


@pytest.mark.slow
@pytest.mark.parametrize("line", ["run fizzbuzz", "nodes", "--help", "draw census -f dot"])
def test_a_closed_pipe_is_no_failure(shell, line):
    """Whoever has read enough goes, and the command ends without a word, as programs do that SIGPIPE ends."""
    assert shell(f"trioflow {line} | true; echo ${{PIPESTATUS[0]}}", PYTHONUNBUFFERED="1") == (0, "141\n", "")


def test_a_closed_pipe_at_the_end(shell):
    """The same where a run has printed elsewhere, and nobody reads its result."""
    code, out, said = shell("trioflow run hanoi --json | true; echo ${PIPESTATUS[0]}")
    assert (code, out, said.splitlines()[-1][:10]) == (0, "141\n", "done after")


def test_a_closed_pipe_cancels_the_run(shell, tmp_path):
    """Nodes clean up when nobody reads any more what the graph prints."""
    (tmp_path / "endless_nodes.py").write_text(
        "import trio, trioflow as tf\n"
        "@tf.exec_node(id='endless.print')\n"
        "async def forever() -> None:\n"
        "    try:\n"
        "        while True:\n"
        "            print('more', flush=True)\n"
        "            await trio.sleep(0.001)\n"
        "    finally:\n"
        "        open('clean', 'w').close()\n"
    )
    (tmp_path / "g.json").write_text(
        '{"trioflow": "1.0", "nodes": [{"id": "a", "type": "endless.print", "initiator": true}]}'
    )
    assert shell("trioflow run g.json --nodes endless_nodes | head -1; echo ${PIPESTATUS[0]}") == (0, "more\n141\n", "")
    assert (tmp_path / "clean").exists()


def test_a_debugger_whose_reader_has_gone(shell):
    """It ends as well, whatever it was asked last."""
    assert shell("printf 'list\\nrun\\n' | trioflow debug fizzbuzz | true; echo ${PIPESTATUS[1]}") == (0, "141\n", "")


@pytest.mark.slow
@pytest.mark.parametrize("line", ["nodes", "run fizzbuzz"])
def test_stdout_that_is_closed(shell, line):
    """Nothing can be shown, so nothing is done: one line, exit code 2."""
    assert shell(f"trioflow {line} >&-") == (
        2, "", "error: stdout is closed, so nothing can be written to it. Redirect it: > /dev/null\n"
    )  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("redirected", ["2>&-", "2>/dev/full", "2>&- <&-"])
def test_stderr_that_takes_nothing(shell, redirected):
    """What would be said there is dropped, and the graph runs."""
    code, out, _ = shell(f"trioflow run fizzbuzz {redirected}")
    assert (code, out.splitlines()[-1]) == (0, "FizzBuzz")


def test_files_get_no_number_of_a_closed_stream(shell, tmp_path):
    """A trace does not become stderr because that was free."""
    code, _, _ = shell("trioflow run fizzbuzz --trace t.jsonl 2>&-")
    assert code == 0
    assert all(line.startswith("{") for line in (tmp_path / "t.jsonl").read_text().splitlines())


def test_the_command_has_no_streams_of_its_own():
    """In a process that goes on afterwards, stdout and stderr are what they were."""
    code = (
        "import sys; from trioflow.cli import main; before = sys.stdout, sys.stderr; main(['nodes', 'flow']); "
        "assert (sys.stdout, sys.stderr) == before"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True).returncode == 0


assert COMMAND[1:] == ["-m", "trioflow.cli"]


def test_results_are_alone_on_stdout(shell, tmp_path):
    """With `--json`, and where a drawing is written, stdout has nothing else: not what modules, logs and raw writes say."""
    (tmp_path / "loud_nodes.py").write_text(
        "import logging, os, sys\n"
        "import trioflow as tf\n"
        "print('at import')\n"
        "logging.basicConfig(stream=sys.stdout)\n"
        "@tf.exec_node(id='loud.loud')\n"
        "def loud() -> None:\n"
        "    logging.warning('log')\n"
        "    print('print')\n"
        "    os.write(1, b'raw')\n"
    )
    (tmp_path / "g.json").write_text(
        '{"trioflow": "1.1", "nodes": [{"id": "a", "type": "loud.loud", "initiator": true}]}'
    )
    code, out, err = shell("trioflow run g.json --nodes loud_nodes --json")
    assert (code, out.count("\n"), out.startswith('{"status": "completed"')) == (0, 1, True)
    for each in ("at import", "log", "print", "raw"):
        assert each in err
    code, out, err = shell("trioflow draw g.json --nodes loud_nodes -f svg")
    assert (code, out.startswith("<svg "), err) == (0, True, "at import\n")


def test_a_report_on_a_device_without_end(shell):
    """No report of an earlier run is looked for on a device: reading /dev/full would never end."""
    code, _, said = shell("trioflow run fizzbuzz --report /dev/full")
    assert code == 1
    assert said.endswith("error: --report /dev/full: it can't be written: No space left on device.\n")
